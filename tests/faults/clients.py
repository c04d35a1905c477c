# SPDX-License-Identifier: Apache-2.0
"""Agencies at work while the hub is killed: each a real connector in a thread of its own.

What the hub has answered stands in their casebooks: a row of `outgoing` is `sent` only after a 201 or 200.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from connectors.base.errors import ConnectorError
from connectors.casebook import people, statements, tables
from connectors.casebook.compose import Letter
from connectors.sdk.client import HubClient
from connectors.sdk.problems import ConsentRefusedError
from connectors.sdk.session import HubSession
from connectors.sync.connector import Connector, open_connector
from connectors.sync.registration import Applicant, create_agency
from consent.envelope.sealing import PlainPart
from consent.jwk import KeyUse
from consent.receipts import WithdrawalRecord
from consent.scopes import Scope
from deploy.play.stage import Stage
from hub.worker import run_due

PURPOSE: Final = "koguchi_shikin"
STAFF: Final = "faults"
LONGEST_PAUSE: Final = 0.1
ALL: Final = frozenset[str]()


def join(stage: Stage, code: str, kind: str) -> Connector:
    """Found an agency and have the hub admit it. Its connector hardly pauses before it tries again: more load."""
    folder, passphrase = stage.folder / code, secrets.token_urlsafe(18)
    applicant = Applicant(kind=kind, name_ja=f"架空の機関{code}", name_en=code, hub=stage.url)
    stage.admit(create_agency(folder, passphrase, applicant, now=datetime.now(UTC)))
    connector = open_connector(folder, passphrase)
    session = HubSession(
        url=stage.url,
        client_id=connector.settings.client_id,
        key=lambda: connector.keystore.current(KeyUse.CLIENT, connector.clock()),
        clock=connector.clock,
        pause=lambda seconds: time.sleep(min(seconds, LONGEST_PAUSE)),
    )
    return replace(connector, hub=HubClient(session))


@dataclass(kw_only=True, eq=False)
class Sender(threading.Thread):
    """Opens cases, registers consents, sends a referral for each and takes every third consent back again.

    `told`: what each message says, by its id; `taken_back`: the cases whose withdrawal the hub has answered.
    """

    connector: Connector
    recipient: str
    stopping: threading.Event
    told: dict[str, str] = field(default_factory=dict)
    taken_back: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        number = 0
        try:
            while not self.stopping.is_set():
                number += 1
                case = self.refer()
                if number % 3 == 0:
                    self.take_back(case)
        except BaseException as error:  # noqa: BLE001 - a thread's end is the test's failure
            self.failures.append(error)

    def refer(self) -> str:
        """Write a new case with its consent and a referral, and send what waits as far as the hub answers."""
        case, name = str(uuid.uuid4()), f"架空 {secrets.token_hex(4)}"
        pen = self.connector.pen(STAFF)
        with self.connector.casebook.transaction() as book:
            person = pen.new_id()
            people.register_person(book, person=person, name=name, kana="", staff=STAFF, now=pen.now)
            people.open_case(book, handle=case, person=person, owner=pen.agency, staff=STAFF, now=pen.now)
            statements.record_consents(book, [self._scope(case, pen.new_id(), pen.now)], pen)
        part = PlainPart(category="identity", media="text/plain", body=name.encode())
        letter = Letter(case=case, recipient=self.recipient, purpose=PURPOSE, parts=(part,))
        self.told[self.connector.send(letter, staff=STAFF)] = name
        self.push()
        return case

    def take_back(self, case: str) -> None:
        """Take everything of a case back; from the answer on nothing more may go."""
        pen = self.connector.pen(STAFF)
        record = WithdrawalRecord(
            id=pen.new_id(), agency=pen.agency, case=case, scopes=ALL, to=ALL, categories=ALL, at=pen.now
        )
        with self.connector.casebook.transaction() as book:
            statements.withdraw(book, record, pen)
        while self.push() and not self.stopping.is_set():
            time.sleep(0.1)
        if record.id in self.answered("withdrawal"):
            self.taken_back.append(case)
            self.try_after_withdrawal(case)

    def try_after_withdrawal(self, case: str) -> bool | None:
        """Send once more without asking the casebook: True where the hub refuses, None where it is away."""
        part = PlainPart(category="identity", media="text/plain", body=b"too late")
        letter = Letter(case=case, recipient=self.recipient, purpose=PURPOSE, parts=(part,))
        try:
            self.connector.submit(letter, staff=STAFF)
        except ConsentRefusedError:
            return True
        except ConnectorError:
            return None
        raise AssertionError(f"sent after a withdrawal that was answered: {case}")

    def push(self) -> int:
        """Send what waits; give how much still does."""
        with contextlib.suppress(ConnectorError):  # away, or failing in the middle of a request
            refused = self.connector.push().refused
            assert not refused, refused
        with self.connector.casebook.transaction() as book:
            waiting = sa.select(sa.func.count()).where(tables.outgoing.c.state == "waiting")
            return int(book.execute(waiting).scalar_one())

    def answered(self, what: str) -> list[str]:
        """Name what the hub has answered with its 201 or 200, of one kind."""
        row = tables.outgoing.c
        query = sa.select(row.about).where(row.what == what, row.state == "sent").order_by(row.position)
        with self.connector.casebook.transaction() as book:
            return list(book.execute(query).scalars())

    def _scope(self, case: str, record: str, now: datetime) -> Scope:
        return Scope(
            id=record,
            case=case,
            form="form-1",
            kind="intake_form",
            hub_parties=frozenset({self.connector.agency}),
            partners=frozenset({self.recipient}),
            purposes=frozenset({PURPOSE}),
            categories=frozenset({"identity"}),
            valid_from=now - timedelta(minutes=1),
            valid_until=now + timedelta(days=30),
            signature="self",
            signed_at=now,
            written_by="person",
            form_version="1",
            template="generic-1",
            evidence="ab" * 32,
        )


@dataclass(kw_only=True, eq=False)
class Receiver(threading.Thread):
    """Collects and acknowledges; what it holds in the end is read from its casebook."""

    connector: Connector
    stopping: threading.Event
    failures: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        try:
            while not self.stopping.wait(0.5):
                with contextlib.suppress(ConnectorError):
                    self.connector.collect()
                    self.connector.push()
        except BaseException as error:  # noqa: BLE001 - a thread's end is the test's failure
            self.failures.append(error)

    def held(self) -> dict[str, list[str]]:
        """Give what was opened: the texts of each message, by its id."""
        found: dict[str, list[str]] = {}
        with self.connector.casebook.transaction() as book:
            for part in book.execute(sa.select(tables.parts).where(tables.parts.c.sender != self.connector.agency)):
                found.setdefault(part.message, []).append(part.body.decode())
        return found


@contextlib.contextmanager
def agencies(stage: Stage) -> Iterator[tuple[list[Connector], Connector]]:
    """Let two centres and a council join, each knowing the others."""
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(join(stage, code, kind)) for code, kind in (("J1", "jiritsu"), ("J2", "jiritsu"))]
        council = stack.enter_context(join(stage, "S1", "shakyo"))
        run_due(stage.settings)
        for connector in (*made, council):
            connector.fetch_directory()
        yield made, council
