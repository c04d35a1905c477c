# SPDX-License-Identifier: Apache-2.0
"""Steps 7 and 8 on a real hub: three agencies and their desks, two cases, minutes of one's own, the decision.

The council may know all of the first case and nothing of the second; the municipality may know the plans of both.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest

from connectors.casebook import agenda, files, meeting_papers, people, receive
from connectors.casebook.meetings import meetings as kept
from connectors.casebook.seating import CONFERENCE, COORDINATION
from connectors.sdk.problems import ProblemError
from connectors.sync.connector import Connector
from consent.calendar import day_of
from deploy.demo.search import search
from deploy.play.company import Company
from deploy.play.story import Story
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import consent
from tests.journeys.theatre import Theatre

pytestmark = pytest.mark.slow

TOLD = Story.model_validate(
    {
        "id": "meetings",
        "person": "架空宮 会議太郎",
        "agencies": {
            "J7": "架空市会議相談支援センター",
            "S7": "架空市会議社会福祉協議会",
            "G7": "架空市役所 会議所管課",
        },
        "hub_party": "J7",
        "events": [{"at": "2027-01-05T09:00", "type": "remark", "from": "S7", "to": "G7"}],
    }
)
OTHER = "架空森 議題子"
FIRST, HEALTH, SECOND = "かなりあ一号の議事", "かなりあ一号の通院", "かなりあ二号の議事"
WORD = "かなりあの見守りの話"
TERMS, PLACE = "かなりあの条件", "架空会館の三階"
CANARIES = (TOLD.person, OTHER, FIRST, HEALTH, SECOND, TERMS, PLACE)
PLAN = frozenset({"identity", "support_record", "income_assets"})
ALL = PLAN | {"health"}


@dataclass
class Around:
    """The three desks around the hub."""

    company: Company
    desks: dict[str, Office]
    browsers: dict[str, Browser]

    def connector(self, code: str) -> Connector:
        return self.company.actors[code].connector

    def round(self) -> None:
        """Let the hub do what is due and everybody make a round; time goes on meanwhile."""
        self.company.clock.at = self.company.stage.stand_at(self.company.clock.at + timedelta(minutes=1))
        for code in ("J7", "S7", "G7", "J7"):
            self.company.stage.settle()
            self.connector(code).sync()
        self.company.stage.settle()

    def said_to(self, code: str) -> str:
        """Give all that came to an agency in papers of meetings."""
        connector = self.connector(code)
        forms = (meeting_papers.AGENDA, meeting_papers.MINUTES)
        with connector.casebook.transaction() as book:
            found = meeting_papers.papers(book, forms=forms, recipient=connector.agency)
            read = [part for one in found for part in receive.read(book, one.message, one.sender, connector.pen("s-9"))]
        return "\n".join(part.body.decode() for part in read)


@pytest.fixture
def around(theatre: Theatre) -> Around:
    company = theatre.assemble(TOLD)
    desks = {code: Office(actor.connector, apart=True) for code, actor in company.actors.items()}
    browsers = {code: desk.browser(desk.hire("仮名 会")) for code, desk in desks.items()}
    for browser in browsers.values():
        browser.get("/meetings")
    made = Around(company, desks, browsers)
    made.round()
    return made


def open_second(around: Around) -> str:
    centre, case, person = around.connector("J7"), str(uuid.uuid4()), str(uuid.uuid4())
    now = centre.now()
    with centre.casebook.transaction() as book:
        people.register_person(book, person=person, name=OTHER, kana="かくうもり", staff="s-1", now=now)
        people.open_case(book, handle=case, person=person, owner=centre.agency, staff="s-1", now=now)
    return case


def number(around: Around, case: str, name: str) -> str:
    """Give a case of ours its number and what is known of it."""
    centre = around.connector("J7")
    with centre.casebook.transaction() as book:
        pen = centre.pen("s-1")
        people.write_answers(book, case, "identity", {"name": name}, staff="s-1", now=pen.now)
        return files.open_file(book, pen, case=case, on=day_of(pen.now)).number


def agrees(around: Around, case: str, code: str, categories: frozenset[str]) -> None:
    partner = around.connector(code).agency
    purposes = frozenset({"case_conference"})
    consent(around.connector("J7"), case, partner, purposes=purposes, categories=categories)


def line(around: Around, meeting: str, case_number: str, words: dict[str, str]) -> str:
    """Put a case on the agenda, settle the line, send its minutes; give the line's address."""
    ours = around.browsers["J7"]
    page = ours.post(
        f"/meetings/{meeting}/agenda",
        {"case": case_number, "categories": ["identity", "support_record", "income_assets", "health"]},
    )
    assert page.status == 200, page.words
    address = page.answer.request.path
    said = {
        "check-fit": "yes", "check-solving": "yes", "check-motivation": "yes", "decision": "adopted",
        "law": ["budget"], "next_on": (around.connector("J7").now() + timedelta(days=60)).date().isoformat(),
    } | words  # fmt: skip
    assert ours.send(ours.get(address), said, form="main form[data-guard]").status == 200
    sent = ours.send(ours.get(address), {"what": "minutes"}, form=f"main form[action='{address}/send']")
    assert sent.status == 200, sent.words
    return address


def test_steps_7_and_8_each_member_gets_what_it_may_see_and_the_municipality_decides(around: Around) -> None:
    company, centre, ours = around.company, around.connector("J7"), around.browsers["J7"]
    council, town = around.connector("S7"), around.connector("G7")
    first, second = company.case, open_second(around)
    numbers = [number(around, first, TOLD.person), number(around, second, OTHER)]
    agrees(around, first, "S7", ALL)
    for case in (first, second):
        agrees(around, case, "G7", PLAN)
    around.round()
    # convened, accepted
    day = (centre.now() + timedelta(days=7)).date().isoformat()
    form = {"day": day, "time": "14:00", "place": PLACE, "members": [council.agency, town.agency]}
    assert ours.send(ours.get("/meetings/new"), form, form="main form").status == 200
    with centre.casebook.transaction() as book:
        held = kept(book, COORDINATION)[0]
    assert held.hub_id is not None
    around.round()
    for code in ("S7", "G7"):
        assert "会議への参加を承諾しました。" in around.browsers[code].post(f"/meetings/{held.hub_id}/accept").words
    # two items: the council leaves for the second
    line(around, held.id, numbers[0], {"minutes-support_record": FIRST, "minutes-health": HEALTH})
    item = line(around, held.id, numbers[1], {"minutes-support_record": SECOND})
    assert "この議題では退席" in ours.get(item).words
    around.round()
    to_council, to_town = around.said_to("S7"), around.said_to("G7")
    assert FIRST in to_council
    assert HEALTH in to_council
    assert FIRST in to_town
    assert HEALTH not in to_town
    assert SECOND in to_town
    assert SECOND not in to_council
    assert OTHER not in to_council
    at_hub = council.hub.meeting(held.hub_id)
    # the hub's clock stands between two deeds, so that their order is nobody's
    assert {(one.code, one.case) for one in at_hub.agenda} == {("case", first), ("case", None)}
    assert second not in {one.case for one in (*at_hub.agenda, *at_hub.decisions)}
    # step 8 needs the municipality's word
    moved = centre.hub.move_case(first, {"step": "7", "reason": "already_done"}, version=centre.hub.case(first).version)
    with pytest.raises(ProblemError) as refused:
        centre.hub.move_case(first, {"step": "8"}, version=moved.version)
    assert refused.value.code == "decision-needs-municipality"
    decide(around, first)
    around.round()
    now = centre.hub.move_case(first, {"step": "8"}, version=centre.hub.case(first).version)
    assert (now.step, now.state) == ("8", "decided")
    came = ours.get("/decisions")
    assert "決定が届きました" in came.words
    # nothing of the two people is at the hub
    company.stage.settle()
    report = search(company.stage.settings, list(CANARIES), company.stage.traces)
    assert report.found == ()
    conference(around, first)


def decide(around: Around, case: str) -> None:
    """Have the municipality's officer decide on the plan of a case."""
    town = around.browsers["G7"]
    links = [str(one["href"]) for one in town.get("/decisions").html.select("a[href^='/decisions/']")]
    with around.connector("G7").casebook.transaction() as book:
        (paper,) = meeting_papers.papers(book, forms=(meeting_papers.MINUTES,), case=case)
    address = next(one for one in links if one.endswith(f"/{paper.slip.line}"))
    page = town.get(address)
    if page.html.select_one("form[action$='/open']") is not None:
        page = town.send(page, form="form[action$='/open']")
    first = around.connector("G7").now().date()
    said = {
        "plan": "confirmed", "service-budget": "decided", "first": first.isoformat(),
        "last": (first + timedelta(days=180)).isoformat(), "words": TERMS, "officer": "見本 治",
    }  # fmt: skip
    assert "決定を届けました。" in town.send(page, said, form="main form[data-guard]").words


def conference(around: Around, case: str) -> None:
    """A 支援会議 on the same hub: only who has accepted its secrecy gets something, and only until its end."""
    centre, ours = around.connector("J7"), around.browsers["J7"]
    day = (centre.now() + timedelta(days=1)).date()
    form = {
        "day": day.isoformat(), "time": "10:00", "place": PLACE, "purpose": "見守りの分担",
        "members": [around.connector("S7").agency, around.connector("G7").agency],
        "last": (day + timedelta(days=90)).isoformat(), "secrecy": "yes",
    }  # fmt: skip
    assert ours.send(ours.get("/conferences/new"), form, form="main form").status == 200
    with centre.casebook.transaction() as book:
        held = kept(book, CONFERENCE)[0]
    assert held.hub_id is not None
    around.round()
    around.browsers["S7"].post(f"/conferences/{held.hub_id}/accept", {"secrecy": "yes"})
    around.round()
    page = ours.post(f"/conferences/{held.id}/agenda", {"case": case, "categories": ["identity", "support_record"]})
    assert "支援会議の構成員ではありません" in page.words
    address = page.answer.request.path
    sent = ours.send(page, {"what": "agenda"}, form=f"main form[action='{address}/send']")
    assert "1機関に届けました。" in sent.words
    around.round()
    told = {"to": [centre.agency], "case": case, "category": "health", "said": WORD}
    theirs = around.browsers["S7"]
    form_there = theirs.get(f"/conferences/{held.hub_id}/words/new")
    assert "1機関に届けました。" in theirs.send(form_there, told, form="main form[data-guard]").words
    around.round()
    assert "構成員から届いた情報" in ours.get(f"/conferences/{held.id}").words
    assert search(around.company.stage.settings, [WORD], around.company.stage.traces).found == ()
    ours.post(f"/conferences/{held.id}/end")
    around.round()
    with centre.casebook.transaction() as book:
        (item,) = agenda.lines(book, held.id)
        seats = agenda.seats(book, centre.pen("s-1"), kept(book, CONFERENCE)[0], item)
    assert all(seat.leaves is not None for seat in seats)
    assert centre.hub.meeting(held.hub_id).ended_at is not None
