# SPDX-License-Identifier: Apache-2.0
"""Agencies with desks around a real hub, as a browser meets them: real keys, tokens, database, queue and worker.

The hub is a rehearsal's: its clock began weeks ago and goes at the pace of real time, so that a story can say "a week
later", and the demo's people can have a past.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connectors.desk.serve import Opened, open_desk
from connectors.desk.staff import service as staff
from connectors.desk.web.visits import Role
from connectors.sync.connector import Connector, open_connector
from connectors.sync.registration import Applicant, Profile, create_agency
from deploy.demo import town as demo
from deploy.play.company import Actor, Company, PlayClock
from deploy.play.stage import Stage
from deploy.play.story import Story
from tests.journeys.theatre import stage_in_memory

PASSPHRASE = "架空の町のとても長い合言葉"
AGENCIES = {
    "centre": ("jiritsu", "架空市生活自立支援センター", "Kakuu City Support Centre"),
    "council": ("shakyo", "架空市社会福祉協議会", "Kakuu City Council of Social Welfare"),
    "welfare": ("fukushi_jimusho", "架空市福祉事務所", "Kakuu City Welfare Office"),
    "legal": ("houterasu", "法テラス架空", "Legal Aid Kakuu"),
}
CODES = {"centre": "J1", "council": "S1", "welfare": "F1", "legal": "H1"}
"""What the demo's town calls these agencies."""
PEOPLE = {"centre": "仮名 恵", "council": "仮名 渉", "welfare": "仮名 環", "legal": "仮名 律"}
EVERY_ROLE = frozenset(Role)
BEFORE = timedelta(days=80)
"""The town was founded this long ago: time for the stories, then for the longest of the demo's plots that are told."""
_STEP = 0.1
"""Seconds for which the clock may stand: what is done on one page has another time than what follows on the next."""
_LISTEN = 3
"""Seconds for which a desk listens to the hub; it must end before a desk can be closed."""


class TownClock(PlayClock):
    """Real time, moved: whoever asks leads the hub's clock along, so that nobody is ahead of it."""

    def __init__(self, stage: Stage, begins: datetime) -> None:
        """Let the hub's clock begin at a moment."""
        self._stage, self._lock, self._asked_at, self.stands = stage, threading.Lock(), 0.0, False
        self.at = begins

    @property
    def at(self) -> datetime:  # type: ignore[override]
        """Give the moment in the town."""
        with self._lock:
            if not self.stands and time.monotonic() - self._asked_at > _STEP:
                self._now = self._stage.stand_at(datetime.now(UTC) + self._ahead)
                self._asked_at = time.monotonic()
            return self._now

    @at.setter
    def at(self, at: datetime) -> None:
        with self._lock:
            self._ahead, self._now = at - datetime.now(UTC), at


@dataclass(frozen=True)
class Desk:
    """One agency's desk: where it is, its connector, and the ticket of somebody who works there."""

    name: str
    connector: Connector
    opened: Opened
    ticket: str
    supervisor: str

    @property
    def url(self) -> str:
        return self.opened.url

    def enter(self, path: str = "/") -> str:
        """Give the address that signs the worker in and leads to a page."""
        return f"{self.url}/enter/{self.ticket}?next={path}"


@dataclass
class Town:
    """The hub and the desks."""

    stage: Stage
    clock: TownClock
    company: Company
    desks: dict[str, Desk] = field(default_factory=dict)
    open_desks: dict[str, contextlib.ExitStack] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Desk:
        return self.desks[name]

    def settle(self) -> None:
        """Have the hub do what is due, and everybody learn of it."""
        self.stage.settle()
        for desk in self.desks.values():
            desk.connector.sync()

    def wait(self, **by: float) -> None:
        """Let time pass, as no page can; keys that would end meanwhile are rotated, as connectors do."""
        self.company.wait_until(self.clock.at + timedelta(**by))
        self.settle()

    def shut(self, name: str) -> None:
        """Shut a desk for the night: nobody there, and nothing fetched from the hub."""
        self.open_desks.pop(name).close()

    def unlock(self, name: str) -> None:
        """Open a desk again in the morning."""
        desk, stack = self.desks[name], contextlib.ExitStack()
        self.desks[name] = replace(desk, opened=stack.enter_context(_opened(desk.connector)))
        self.open_desks[name] = stack

    def people(self, plots: Collection[str]) -> tuple[dict[str, demo.Resident], str]:
        """Let the demo's last weeks happen, up to now, to the first person of each plot; give them and who works here.

        The second is the ticket of the demo's worker at the centre, who carries their cases.
        """
        hired = {code: demo.hire(actor) for code, actor in self.company.troupe.items()}
        residents = [
            replace(one, said={**one.said, "worker": 0}) for one in demo.residents_of(self.company, plots)
        ]  # all of them at the first worker of their agency, whose pages are looked at
        self.clock.stands = True  # as in the demo: it moves from one thing to the next
        demo.fill(self.company, hired, datetime.now(UTC), residents)
        self.clock.stands = False
        self.company.wait_until(datetime.now(UTC))
        self.settle()
        with self["centre"].connector.casebook.transaction() as connection:
            ticket = staff.ticket(connection, hired[CODES["centre"]][0])
        return {one.plot: one for one in residents}, ticket


@contextlib.contextmanager
def open_town(folder: Path) -> Iterator[Town]:
    """Start a hub and the desks of the agencies; everybody knows everybody when it is open."""
    with contextlib.ExitStack() as stack:
        stage = stack.enter_context(stage_in_memory())
        clock = TownClock(stage, stage.stand_at(datetime.now(UTC) - BEFORE))
        connectors = {}
        for name, (kind, ja, en) in AGENCIES.items():
            profile = Profile(area=("架空市",), hours="平日 9:00-17:00", answer_days=2, coordinates=kind == "jiritsu")
            applicant = Applicant(kind=kind, name_ja=ja, name_en=en, hub=stage.url, profile=profile)
            made = create_agency(folder / name, PASSPHRASE, applicant, now=clock())
            stage.admit(made, may_convene=name == "centre")
            connectors[name] = stack.enter_context(open_connector(folder / name, PASSPHRASE, clock=clock))
        stage.settle()
        town = Town(stage, clock, _company(stage, clock, connectors))
        for name, connector in connectors.items():
            connector.sync()
            own = town.open_desks[name] = contextlib.ExitStack()
            town.desks[name] = _staffed(name, connector, own.enter_context(_opened(connector)))
        try:
            yield town
        finally:
            for own in town.open_desks.values():
                own.close()


def _company(stage: Stage, clock: TownClock, connectors: dict[str, Connector]) -> Company:
    """Give the agencies as the demo's town and its passing of time know them."""
    actors = {
        CODES[name]: Actor(CODES[name], AGENCIES[name][1], connector, (), PASSPHRASE)
        for name, connector in connectors.items()
    }
    nobody = Story(agencies={code: actor.name for code, actor in actors.items()}, events=())
    return Company(
        story=nobody, stage=stage, clock=clock, actors=actors, case="", introduced_at=clock(), troupe=dict(actors)
    )


def _opened(connector: Connector) -> contextlib.AbstractContextManager[Opened]:
    return open_desk(connector, port=0, sample=True, listen_for=_LISTEN)


def _staffed(name: str, connector: Connector, opened: Opened) -> Desk:
    """Take a worker and a supervisor into the staff of a desk."""
    with connector.casebook.transaction() as connection:
        now = connector.now()
        worker, _ = staff.enrol(
            connection, login="worker", name=PEOPLE[name], team="相談", roles=EVERY_ROLE, by="test", now=now
        )
        chief, _ = staff.enrol(
            connection, login="chief", name="架空 主任", team="相談", roles=EVERY_ROLE, by="test", now=now
        )
        return Desk(
            name, connector, opened, ticket=staff.ticket(connection, worker), supervisor=staff.ticket(connection, chief)
        )
