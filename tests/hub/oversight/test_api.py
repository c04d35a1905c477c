# SPDX-License-Identifier: Apache-2.0
"""What agencies read and answer of oversight through the API; what is another's looks like what is not there."""

import pytest

from connectors.sdk import answers
from connectors.sdk.reading import read
from consent.calendar import day_of
from hub.oversight import reads, service
from hub.oversight.rules import Answer, Remark
from tests.hub.builders import new_uuid
from tests.hub.conftest import HubClient
from tests.hub.messages.story import emergency
from tests.hub.oversight.conftest import Office


@pytest.fixture
def centre(client: HubClient, office: Office) -> HubClient:
    return client.by(office.story.j1.id)


@pytest.fixture
def council(client: HubClient, office: Office) -> HubClient:
    return client.by(office.story.s1.id)


def urgent(office: Office, **changes):
    story = office.story
    return story.send("safety", purpose="emergency_response", basis=emergency(), **changes)


def test_an_agency_sees_how_its_emergency_use_was_judged_and_not_by_whom(
    office: Office, centre: HubClient, council: HubClient
) -> None:
    message = urgent(office).message
    assert centre.get(f"/v1/reviews/{message}").json == {"message": message, "items": []}
    office.look(
        service.review,
        message,
        reviewer=office.officer,
        answer=Answer.PROCEDURE_LACKING,
        remark=Remark.APPROVAL_LATE,
        reference="R8-1",
    )
    (one,) = centre.get(f"/v1/reviews/{message}").json["items"]
    assert (one["answer"], one["remark"], one["reference"]) == ("procedure_lacking", "approval_late", "R8-1")
    assert office.officer not in str(one)
    # the recipient is a party of the message and still not judged
    assert council.get(f"/v1/reviews/{message}").data == council.get(f"/v1/reviews/{new_uuid()}").data
    assert council.get(f"/v1/reviews/{message}").status_code == 404


def test_the_statement_gives_the_owner_every_disclosure_and_leaves_an_entry(office: Office, centre: HubClient) -> None:
    story = office.story
    consent = story.consent()
    story.send("identity")
    other = story.seal("safety", sender=story.s1, recipient=story.f1, purpose="emergency_response", basis=emergency())
    story.accept(other, agency=story.s1)
    answer = centre.get(f"/v1/cases/{story.case}/statement")
    assert answer.status_code == 200, answer.json
    first, second = answer.json["items"]
    assert (first["sender"], first["recipient"], first["state"]) == (story.j1.id, story.s1.id, "queued")
    assert first["shared"] == [{"category": "identity", "consent": consent}]
    assert first["decision"] == story.entries("message:accepted")[0]["id"]
    assert (second["sender"], second["basis"], second["opened_at"]) == (story.s1.id, "emergency", None)
    (entry,) = story.entries("export:made")
    assert (entry["actor"], entry["case"], entry["parties"]) == (story.j1.id, story.case, [story.j1.id])


def test_the_sdk_reads_the_statement_as_the_hub_writes_it(office: Office, centre: HubClient) -> None:
    story = office.story
    story.consent()
    sent = story.send()
    given = read(answers.DisclosureStatement, centre.get(f"/v1/cases/{story.case}/statement").json)
    assert (given.case, [one.message for one in given.items]) == (story.case, [sent.message])
    assert {part.category for part in given.items[0].shared} == {"identity", "income_assets"}


def test_a_statement_is_for_the_owner_alone(office: Office, council: HubClient) -> None:
    story = office.story
    story.consent()
    story.send()
    answer = council.get(f"/v1/cases/{story.case}/statement")
    assert answer.status_code == 404
    assert answer.data == council.get(f"/v1/cases/{new_uuid()}/statement").data
    assert story.entries("export:made") == []


def test_whoever_copies_a_handle_gets_the_statement_of_the_own_empty_case(office: Office, council: HubClient) -> None:
    story = office.story
    story.consent()
    story.send()
    opened = council.say("/v1/cases", {"case": story.case})
    assert opened.status_code == 201, opened.json
    assert council.get(f"/v1/cases/{story.case}/statement").json["items"] == []


@pytest.fixture
def sample(office: Office) -> str:
    office.story.consent()
    office.sequence()
    today = day_of(office.story.time())
    made = office.look(
        service.draw, officer=office.officer, first_day=today, last_day=today, size=1, agency=None
    )  # fmt: skip
    (one,) = office.ask(reads.samples, made.id)
    return one.id


def test_an_agency_answers_with_what_its_paper_gives_once(office: Office, centre: HubClient, sample: str) -> None:
    shown = centre.get(f"/v1/samples/{sample}").json
    assert (shown["case"], shown["actions"], shown["outcome"]) == (office.story.case, ["answer"], None)
    answer = centre.say(f"/v1/samples/{sample}/answer", {"evidence": "cd" * 32})
    assert (answer.status_code, answer.json["outcome"], answer.json["actions"]) == (200, "differs", [])
    again = centre.say(f"/v1/samples/{sample}/answer", {"evidence": "ab" * 32})
    assert (again.status_code, again.json["code"]) == (409, "already-answered")
    assert centre.get(f"/v1/samples/{sample}").json["outcome"] == "differs"


@pytest.mark.parametrize("evidence", ["", "AB" * 32, "ab" * 31, 5], ids=str)
def test_what_is_no_value_of_a_paper_is_refused(centre: HubClient, sample: str, evidence: object) -> None:
    assert centre.say(f"/v1/samples/{sample}/answer", {"evidence": evidence}).status_code == 422
    assert centre.get(f"/v1/samples/{sample}").json["outcome"] is None


def test_anothers_paper_is_not_there(office: Office, council: HubClient, sample: str) -> None:
    assert council.get(f"/v1/samples/{sample}").status_code == 404
    assert council.say(f"/v1/samples/{sample}/answer", {"evidence": None}).status_code == 404
    assert office.ask(reads.sample, sample).outcome is None
