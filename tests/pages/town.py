# SPDX-License-Identifier: Apache-2.0
"""Agencies with desks around a real hub, as a browser meets them: real keys, tokens, database, queue and worker."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connectors.base.clock import system_clock
from connectors.desk.serve import Opened, open_desk
from connectors.desk.staff import service as staff
from connectors.desk.web.visits import Role
from connectors.sync.connector import Connector, open_connector
from connectors.sync.registration import Applicant, Profile, create_agency
from deploy.play.stage import Stage, open_stage

PASSPHRASE = "架空の町のとても長い合言葉"
AGENCIES = {
    "centre": ("jiritsu", "架空市生活自立支援センター", "Kakuu City Support Centre"),
    "council": ("shakyo", "架空市社会福祉協議会", "Kakuu City Council of Social Welfare"),
    "welfare": ("fukushi_jimusho", "架空市福祉事務所", "Kakuu City Welfare Office"),
    "legal": ("houterasu", "法テラス架空", "Legal Aid Kakuu"),
}
PEOPLE = {"centre": "仮名 恵", "council": "仮名 渉", "welfare": "仮名 環", "legal": "仮名 律"}
EVERY_ROLE = frozenset(Role)


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
    desks: dict[str, Desk] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Desk:
        return self.desks[name]

    def settle(self) -> None:
        """Have the hub do what is due, and everybody learn of it."""
        self.stage.settle()
        for desk in self.desks.values():
            desk.connector.sync()


@contextlib.contextmanager
def open_town(folder: Path, *names: str) -> Iterator[Town]:
    """Start a hub and the desks of some agencies; everybody knows everybody when it is open."""
    with contextlib.ExitStack() as stack:
        stage = stack.enter_context(open_stage(play=False))
        town = Town(stage)
        connectors = {}
        for name in names or tuple(AGENCIES):
            kind, ja, en = AGENCIES[name]
            profile = Profile(area=("架空市",), hours="平日 9:00-17:00", answer_days=2, coordinates=kind == "jiritsu")
            applicant = Applicant(kind=kind, name_ja=ja, name_en=en, hub=stage.url, profile=profile)
            made = create_agency(folder / name, PASSPHRASE, applicant, now=system_clock())
            stage.admit(made, may_convene=name == "centre")
            connectors[name] = stack.enter_context(open_connector(folder / name, PASSPHRASE))
        stage.settle()
        for name, connector in connectors.items():
            connector.sync()
            town.desks[name] = _staffed(stack, name, connector)
        yield town


def _staffed(stack: contextlib.ExitStack, name: str, connector: Connector) -> Desk:
    opened = stack.enter_context(open_desk(connector, port=0, sample=True))
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
