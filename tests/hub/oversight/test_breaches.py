# SPDX-License-Identifier: Apache-2.0
"""What a leak reaches: parcels, categories, persons by pseudonym, how far each had got, and the reasons to report."""

from datetime import timedelta

import pytest

from consent.calendar import Calendar, day_of
from consent.receipts import Delivery
from hub.base.errors import InvalidError
from hub.oversight import breaches
from hub.oversight.breaches import Asked, Reason, Seal
from tests.hub.builders import new_uuid
from tests.hub.messages.story import emergency
from tests.hub.oversight.conftest import Office


def reach(office: Office, agency: str, *, kid: str | None = None, back: int = 1, ahead: int = 1):
    at = office.story.time()
    asked = Asked(agency=agency, kid=kid, since=at - timedelta(hours=back), until=at + timedelta(hours=ahead))
    return office.ask(breaches.reach, asked, known_on=day_of(at), calendar=Calendar())


def test_parcels_are_counted_by_how_far_they_got_and_people_by_pseudonym(office: Office) -> None:
    story = office.story
    story.consent()
    read, opened, sealed = story.send(), story.send("identity"), story.send("income_assets")
    for one in (read, opened):
        story.collect(one.message)
        story.acknowledge(one)
    story.acknowledge(read, kind=Delivery.READ)
    found = reach(office, story.s1.id)
    assert {one.message: one.seal for one in found.parcels} == {
        read.message: Seal.READ,
        opened.message: Seal.OPENED,
        sealed.message: Seal.SEALED,
    }
    assert found.persons == 1
    assert found.persons_by_category == {"identity": 1, "income_assets": 1}
    assert not any(one.outgoing for one in found.parcels)
    assert found.reasons == (Reason.PROPERTY,)
    assert reach(office, story.f1.id).parcels == ()


def test_one_person_whose_sensitive_information_leaked_is_reason_enough(office: Office) -> None:
    story = office.story
    story.send("safety", purpose="emergency_response", basis=emergency())
    assert reach(office, story.s1.id).reasons == (Reason.SENSITIVE,)


def test_only_the_period_counts(office: Office) -> None:
    story = office.story
    story.consent()
    story.send()
    assert reach(office, story.s1.id, back=2, ahead=-1).parcels == ()


def test_a_stolen_enc_key_reaches_what_was_sealed_to_it_and_the_senders_own_copies(office: Office) -> None:
    story = office.story
    story.consent()
    story.send()
    for agency, outgoing in ((story.s1, False), (story.j1, True)):
        found = reach(office, agency.id, kid=agency.enc.kid)
        assert [one.outgoing for one in found.parcels] == [outgoing]
        assert found.keys_exposed


def test_a_stolen_sig_key_reaches_what_it_signed_and_opens_nothing(office: Office) -> None:
    story = office.story
    story.consent()
    story.send()
    found = reach(office, story.j1.id, kid=story.j1.sig.kid)
    assert [one.outgoing for one in found.parcels] == [True]
    assert not found.keys_exposed
    assert reach(office, story.s1.id, kid=story.s1.sig.kid).parcels == ()


def test_a_stolen_client_key_opens_and_signs_no_message(office: Office) -> None:
    story = office.story
    story.consent()
    story.send()
    found = reach(office, story.j1.id, kid=story.j1.client.kid)
    assert (found.parcels, found.keys_exposed) == ((), False)


def test_what_names_nothing_is_refused(office: Office) -> None:
    story = office.story
    with pytest.raises(InvalidError, match="unknown-agency"):
        reach(office, new_uuid())
    with pytest.raises(InvalidError, match="unknown-key"):
        reach(office, story.j1.id, kid=story.s1.enc.kid)
    with pytest.raises(InvalidError, match="bad-period"):
        reach(office, story.j1.id, back=-2, ahead=1)
