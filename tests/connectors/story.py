# SPDX-License-Identifier: Apache-2.0
"""A small network for the agency side's tests: real keys and casebooks, a hub in memory, a clock that stands."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.base.errors import ConnectorError
from connectors.casebook import people, statements
from connectors.casebook.compose import Letter
from connectors.casebook.store import open_casebook
from connectors.keystore.keystore import KEYS_FILE, Keystore, open_keystore
from connectors.sync.connector import Connector
from connectors.sync.registration import AgencySettings, Applicant, create_agency, read_settings
from connectors.testing.memory import MemoryHub
from connectors.testing.seat import Seat
from consent.envelope.sealing import PlainPart
from consent.scopes import Scope

NOW = datetime(2026, 4, 6, 1, 30, tzinfo=UTC)
PASSPHRASE = "架空の長い合言葉です。十二文字以上"
NAME = "髙﨑 𠮷葛\U000e0100\ufa19"
"""A fictional name that careless software spoils: variants, a surrogate pair, a selector, 神 U+FA19."""
PURPOSE = "sogo_shien_shikin"
STAFF = "s-07"


@dataclass
class Clock:
    """A clock that stands where a test puts it."""

    at: datetime = NOW

    def __call__(self) -> datetime:
        return self.at

    def on(self, **by: float) -> None:
        self.at += timedelta(**by)


def folder_until_the_end() -> Path:
    """Make a folder for what all tests of a process share; it goes when the process does."""
    folder = Path(tempfile.mkdtemp(prefix="tsn-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _made(kind: str, number: int) -> tuple[AgencySettings, Keystore, bytes]:
    """Make an agency's files once for all tests: stretching a passphrase is slow on purpose."""
    folder = folder_until_the_end()
    names = {"name_ja": f"架空の機関{number}", "name_en": f"Fictional agency {number}"}
    made = create_agency(folder, PASSPHRASE, Applicant(kind=kind, hub="https://hub.example", **names), now=NOW)
    return read_settings(folder), open_keystore(folder, PASSPHRASE), made.request.read_bytes()


@cache
def _empty_casebook(key: bytes) -> bytes:
    """Make a casebook once for all tests: its tables take longer than most of what is done with it."""
    folder = folder_until_the_end()
    made = open_casebook(folder / "empty.db", key)
    made.add_tables()
    with made.transaction():
        pass
    made.close()
    return (folder / "empty.db").read_bytes()


@dataclass(kw_only=True)
class Network:
    """Agencies around one hub in memory."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    hub: MemoryHub = field(init=False)
    connectors: list[Connector] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.hub = MemoryHub(clock=self.clock)

    def join(self, kind: str) -> Connector:
        """Let an agency of a kind join; it does not know the others before its first round."""
        settings, keystore, request = _made(kind, len(self.connectors))
        self.hub.join(request)
        path = self.folder / settings.agency / KEYS_FILE
        shutil.copytree(keystore.path.parent, path.parent)
        book = self.folder / f"{settings.agency}.db"
        book.write_bytes(_empty_casebook(keystore.casebook_key))
        made = Connector(
            agency=settings.agency,
            kind=kind,
            keystore=Keystore(
                agency=keystore.agency,
                casebook_key=keystore.casebook_key,
                held=keystore.held,
                path=path,
            ),
            casebook=open_casebook(book, keystore.casebook_key),
            hub=Seat(self.hub, settings.agency),
            clock=self.clock,
            settings=settings,
        )
        self.connectors.append(made)
        return made

    def meet(self) -> None:
        """Let everybody learn who is there."""
        for connector in self.connectors:
            connector.fetch_directory()

    def close(self) -> None:
        for connector in self.connectors:
            connector.close()


def open_case(connector: Connector, *, name: str = NAME) -> str:
    """Register a person and open a case; give its handle."""
    handle, person = str(uuid.uuid4()), str(uuid.uuid4())
    now = connector.now()
    with connector.casebook.transaction() as connection:
        people.register_person(connection, person=person, name=name, kana="タカサキ", staff=STAFF, now=now)
        people.open_case(connection, handle=handle, person=person, owner=connector.agency, staff=STAFF, now=now)
    return handle


def scope(connector: Connector, case: str, partner: str, **changes: Any) -> Scope:
    """Write one scope for one partner, as a signed form would give it."""
    now = connector.now()
    members: dict[str, Any] = {
        "id": connector.new_id(),
        "case": case,
        "form": "form-1",
        "kind": "intake_form",
        "hub_parties": frozenset({connector.agency}),
        "partners": frozenset({partner}),
        "purposes": frozenset({PURPOSE}),
        "categories": frozenset({"identity", "contact", "income_assets"}),
        "valid_from": now,
        "valid_until": now + timedelta(days=90),
        "signature": "self",
        "signed_at": now,
        "written_by": "person",
        "read_aloud": True,
        "form_version": "2026-1",
        "template": "kakuu-2026",
        "evidence": "ab" * 32,
    }
    return Scope(**members | changes)


def consent(connector: Connector, case: str, partner: str, **changes: Any) -> str:
    """Sign and queue one consent; give its id."""
    with connector.casebook.transaction() as connection:
        made = scope(connector, case, partner, **changes)
        return statements.record_consents(connection, [made], connector.pen(STAFF))[0]


def text(category: str = "identity", body: str = NAME) -> PlainPart:
    return PlainPart(category=category, media="text/plain", body=body.encode())


def letter(case: str, to: Connector, *parts: PlainPart, **changes: Any) -> Letter:
    return Letter(case=case, recipient=to.agency, purpose=PURPOSE, parts=parts or (text(),), **changes)


def refused(code: str) -> Any:
    """Expect this sentence of the agency side."""
    return pytest.raises(ConnectorError, check=lambda error: error.code == code)


def waiting(connector: Connector) -> Sequence[tuple[str, str]]:
    """Give what waits to be sent: kind and state, in order."""
    from connectors.casebook import outgoing

    with connector.casebook.transaction() as connection:
        return [(row.what, row.about) for row in outgoing.waiting(connection)]
