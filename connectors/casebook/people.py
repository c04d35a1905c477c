# SPDX-License-Identifier: Apache-2.0
"""Persons and what the agency knows of them. Names stay as they were written; only the search key is folded."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.casebook import access, outgoing, tables
from connectors.casebook.tables_files import quiet_cases

_KATAKANA: Final = frozenset(map(chr, range(0x30A1, 0x30F7)))
_KANA_APART: Final = 0x60
_SELECTORS: Final = frozenset({*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)})


@cache
def _variants() -> dict[int, str]:
    pairs = json.loads(files("connectors.casebook").joinpath("variants.json").read_text(encoding="utf-8"))
    return {ord(sign): plain for sign, plain in pairs.items() if len(sign) == 1 and sign != "_"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person the agency accompanies: an id of our own and the name as the person writes it."""

    id: str
    name: str
    kana: str


def search_key(text: str) -> str:
    """Fold a text for finding: width, case, kana, variation selectors and the common variant characters.

    髙 is found by 高, ミホン by みほん. Never stored in place of the text itself.
    """
    plain = "".join(sign for sign in text if ord(sign) not in _SELECTORS).translate(_variants())
    folded = unicodedata.normalize("NFKC", plain).casefold()
    hiragana = "".join(chr(ord(sign) - _KANA_APART) if sign in _KATAKANA else sign for sign in folded)
    return "".join(hiragana.split())


def register_person(connection: Connection, *, person: str, name: str, kana: str, staff: str, now: datetime) -> Person:
    """Write a person into the casebook; the name is kept byte for byte."""
    key = f"{search_key(name)} {search_key(kana)}"
    connection.execute(
        sa.insert(tables.persons).values(id=person, name=name, kana=kana, search_key=key, created_at=now)
    )
    access.record(connection, staff=staff, action="person:registered", about=person, now=now)
    return Person(id=person, name=name, kana=kana)


def find_people(connection: Connection, text: str, *, staff: str, now: datetime, limit: int = 50) -> list[Person]:
    """Find persons whose name or reading contains the text, however it is typed. The search itself is logged."""
    wanted = search_key(text).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = connection.execute(
        sa.select(tables.persons.c.id, tables.persons.c.name, tables.persons.c.kana)
        .where(tables.persons.c.search_key.like(f"%{wanted}%", escape="\\"))
        .order_by(tables.persons.c.search_key)
        .limit(limit)
    )
    access.record(connection, staff=staff, action="person:searched", about="", now=now)
    return [Person(id=row.id, name=row.name, kana=row.kana) for row in rows]


def is_person(connection: Connection, person: str) -> bool:
    """Say whether a person of this id is here."""
    return connection.execute(sa.select(tables.persons.c.id).where(tables.persons.c.id == person)).first() is not None


def open_case(
    connection: Connection, *, handle: str, person: str, owner: str, staff: str, now: datetime, quiet: bool = False
) -> None:
    """Open a case for a person under a random handle, the only thing the hub will learn of it, and queue that.

    A `quiet` case is one that the hub does not learn of before something is done with it there (`announce`).
    """
    connection.execute(sa.insert(tables.cases).values(handle=handle, person=person, owner=owner, created_at=now))
    if quiet:
        connection.execute(sa.insert(quiet_cases).values(case=handle))
    else:
        _tell(connection, handle, now)
    access.record(connection, staff=staff, action="case:opened", about=person, case=handle, now=now)


def announce(connection: Connection, case: str, *, now: datetime) -> bool:
    """Queue that a quiet case is open, before the first thing about it that the hub must know; say whether it was."""
    was_quiet = connection.execute(sa.delete(quiet_cases).where(quiet_cases.c.case == case)).rowcount == 1
    if was_quiet:
        _tell(connection, case, now)
    return was_quiet


def _tell(connection: Connection, case: str, now: datetime) -> None:
    body = {"case": case}
    outgoing.put(connection, key=f"case:{case}", what="case", about=case, path="/v1/cases", body=body, now=now)


def keep_case(connection: Connection, *, handle: str, owner: str, closed_at: datetime | None, now: datetime) -> None:
    """Keep what the hub says of a case, ours or a partner's; the person behind it is not touched."""
    known = {"owner": owner, "closed_at": closed_at}
    statement = insert(tables.cases).values(handle=handle, created_at=now, **known)
    connection.execute(statement.on_conflict_do_update(index_elements=["handle"], set_=known))


def person_of(connection: Connection, handle: str, *, staff: str, now: datetime) -> Person | None:
    """Give the person behind a case's handle, and log that somebody looked."""
    row = connection.execute(
        sa.select(tables.persons.c.id, tables.persons.c.name, tables.persons.c.kana)
        .join(tables.cases, tables.cases.c.person == tables.persons.c.id)
        .where(tables.cases.c.handle == handle)
    ).one_or_none()
    access.record(connection, staff=staff, action="person:viewed", about=row.id if row else "", case=handle, now=now)
    return Person(id=row.id, name=row.name, kana=row.kana) if row else None


def write_answers(
    connection: Connection, case: str, category: str, body: Mapping[str, Any], *, staff: str, now: datetime
) -> None:
    """Keep what the person told under one category; a later word replaces the earlier."""
    values = {"body": dict(body), "updated_at": now, "updated_by": staff}
    statement = insert(tables.answers).values(case=case, category=category, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["case", "category"], set_=values))
    access.record(connection, staff=staff, action="answers:written", about=category, case=case, now=now)


def answers_of(connection: Connection, case: str) -> dict[str, dict[str, Any]]:
    """Give all that is known of a case, by category."""
    rows = connection.execute(
        sa.select(tables.answers.c.category, tables.answers.c.body).where(tables.answers.c.case == case)
    )
    return {row.category: row.body for row in rows}
