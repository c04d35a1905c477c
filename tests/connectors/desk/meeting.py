# SPDX-License-Identifier: Apache-2.0
"""Three agencies around a table: the counselling agency that convenes, a council, the municipality; a case of ours."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pytest

from connectors.casebook import files, people
from connectors.casebook.meetings import meetings as kept
from connectors.casebook.seating import CONFERENCE, COORDINATION
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.story import Network, consent, open_case

NAME = "架空 会議子"
PLAN = "かなりあ架空のプラン"
HEALTH = "かなりあ架空の病名"
MINUTES = "かなりあ架空の議事"
HEALTH_MINUTES = "かなりあ架空の通院の話"
SHARED = frozenset({"identity", "support_record", "consultation"})


@dataclass
class Table:
    """A case on its way to a meeting. `full` may see all, `narrow` without health, `none` nothing, as a test wishes."""

    network: Network
    office: Office
    partner: Office
    municipality: Office
    we: str
    they: str
    officer: str
    case: str = ""
    number: str = ""
    browsers: dict[str, Browser] = field(default_factory=dict)

    @property
    def ours(self) -> Browser:
        return self._browser("ours", self.office, self.we)

    @property
    def theirs(self) -> Browser:
        return self._browser("theirs", self.partner, self.they)

    @property
    def town(self) -> Browser:
        return self._browser("town", self.municipality, self.officer)

    def _browser(self, name: str, office: Office, member: str) -> Browser:
        if name not in self.browsers:
            self.browsers[name] = office.browser(member)
            self.browsers[name].get("/meetings")  # every form's guard is on it
        return self.browsers[name]

    def round(self) -> None:
        """Let everybody make rounds with the hub until what was sent has arrived."""
        for one in (self.office, self.partner, self.municipality, self.office):
            one.connector.sync()

    def agrees(self, to: Office, *categories: str) -> None:
        """Let the person agree that an agency learns of categories in a meeting."""
        wanted = frozenset(categories) or SHARED
        consent(
            self.office.connector, self.case, to.connector.agency,
            purposes=frozenset({"case_conference"}), categories=wanted,
        )  # fmt: skip
        self.office.connector.sync()

    def convene(self, where: str = "meetings", **said: object) -> str:
        """Convene a meeting of all three by its form; give our id."""
        form = {
            "day": "2026-04-20", "time": "14:00", "place": "架空市役所 第二会議室",
            "members": [self.partner.connector.agency, self.municipality.connector.agency],
        }  # fmt: skip
        if where == "conferences":
            form |= {"purpose": "見守りの分担を決める", "last": "2026-10-31", "secrecy": "yes"}
        page = self.ours.send(self.ours.get(f"/{where}/new"), form | said, form="main form")
        assert page.status == 200, page.words
        return self.meeting(where)

    def meeting(self, where: str = "meetings") -> str:
        """Give the newest meeting of a kind by our id."""
        with self.office.connector.casebook.transaction() as connection:
            return kept(connection, COORDINATION if where == "meetings" else CONFERENCE)[0].id

    def hub_id(self, where: str = "meetings") -> str:
        with self.office.connector.casebook.transaction() as connection:
            return str(kept(connection, COORDINATION if where == "meetings" else CONFERENCE)[0].hub_id)

    def line(self, where: str = "meetings", categories: tuple[str, ...] = (*SHARED, "health")) -> str:
        """Put the case on the agenda by its number; give the address of the line."""
        meeting = self.meeting(where)
        page = self.ours.post(f"/{where}/{meeting}/agenda", {"case": self.number, "categories": list(categories)})
        assert page.status == 200, page.words
        return page.answer.request.path

    def settle(self, line: str, **said: object) -> Page:
        """Write what came of a line."""
        form = {
            "check-fit": "yes", "check-solving": "partly", "check-motivation": "yes", "decision": "adopted",
            "law": ["budget"], "beside": ["food"], "next_on": "2026-06-01",
            "indicator": "家賃の遅れがなくなる", "minutes-support_record": MINUTES,
        }  # fmt: skip
        page = self.ours.get(line)
        known = {"minutes-health": HEALTH_MINUTES} if page.html.select_one("#f-minutes-health") else {}
        return self.ours.send(page, form | known | said, form="main form[data-guard]")

    def tells_the_partner(self) -> None:
        """Hold a meeting on the person, who agreed that the partner learns of it, and let the minutes arrive."""
        self.agrees(self.partner)
        self.convene()
        line = self.line()
        self.settle(line)
        self.send(line)
        self.round()

    def send(self, line: str, what: str = "minutes", to: list[str] | None = None) -> Page:
        """Send a line's papers to whoever stays, or to those named."""
        said: dict[str, object] = {"what": what} | ({"to": to} if to is not None else {})
        return self.ours.send(self.ours.get(line), said, form=f"main form[action='{line}/send']")


@pytest.fixture
def table(network: Network, office: Office, partner: Office) -> Table:
    municipality = Office(network.join("jichitai"))
    network.meet()
    made = Table(
        network=network, office=office, partner=partner, municipality=municipality,
        we=office.hire("仮名 恵"), they=partner.hire("架空 望"), officer=municipality.hire("見本 治"),
    )  # fmt: skip
    made.case = open_case(office.connector, name=NAME)
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen(made.we)
        file = files.open_file(connection, pen, case=made.case, on=date(2026, 4, 6), worker=made.we)
        known = {
            "identity": {"name": NAME, "kana": "かくう かいぎこ"},
            "support_record": {"plan": PLAN},
            "health": {"illness": HEALTH},
        }
        for category, body in known.items():
            people.write_answers(connection, made.case, category, body, staff=made.we, now=pen.now)
    made.number = file.number
    office.connector.sync()
    return made
