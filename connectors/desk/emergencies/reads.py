# SPDX-License-Identifier: Apache-2.0
"""Emergency disclosures as they stand, and whom one could be sent to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, deeds, directory, files, referrals, tables, tables_files
from connectors.casebook.deeds import Deed
from connectors.casebook.directory import KnownAgency
from connectors.casebook.referrals import KnownReferral
from connectors.casebook.tables_files import emergencies as table
from connectors.desk.emergencies import rules
from connectors.desk.staff.reads import names_of
from connectors.desk.web.visits import Visit
from consent.jwk import KeyUse

_OWN_CASES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """A request and what became of it. `standing` is a state of `rules.standing`; `texts` are what would be told."""

    id: str
    case: str
    number: str
    standing: str
    recipient: KnownAgency
    threat: str
    difficulty: str
    why: str = field(repr=False)
    texts: Mapping[str, str] = field(repr=False)
    call: Mapping[str, str]
    no_my_number: bool
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    decided_by: str | None
    decided_by_name: str
    decided_at: datetime | None
    turned_down: str = field(repr=False)
    message: str | None
    deed: Deed | None
    told_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Somebody for whom an emergency disclosure could be asked: the case, the name, the number as people say it."""

    case: str
    name: str
    kana: str
    number: str


def emergency(connection: Connection, visit: Visit, wanted: str) -> Emergency:
    """Give one request.

    *Raises* `ConnectorError("emergency-unknown")`.
    """
    row = connection.execute(sa.select(table).where(table.c.id == wanted)).one_or_none()
    if row is None:
        raise ConnectorError("emergency-unknown")
    return _emergency(connection, visit, row)


def emergencies(connection: Connection, visit: Visit) -> list[Emergency]:
    """Give what is left to do: decide, bring to the hub, tell the person; oldest first. Then the last of the others."""
    waits = sa.or_(
        table.c.state.in_(("asked", "approved")), sa.and_(table.c.state == "sent", table.c.told_at.is_(None))
    )
    rows = connection.execute(sa.select(table).where(waits).order_by(table.c.asked_at)).all()
    return [_emergency(connection, visit, row) for row in rows]


def own_cases(connection: Connection, visit: Visit) -> list[Whose]:
    """Give this person's open cases, the one that was touched last first; the look at the names is logged."""
    file, case, person = tables_files.case_files.c, tables.cases.c, tables.persons.c
    rows = connection.execute(
        sa.select(case.handle, person.name, person.kana, file.number)
        .select_from(
            tables_files.case_files.join(tables.cases, case.handle == file.case).join(
                tables.persons, person.id == case.person
            )
        )
        .where(file.worker == visit.me.id, case.closed_at.is_(None))
        .order_by(file.updated_at.desc(), file.number.desc())
        .limit(_OWN_CASES)
    ).all()
    access.record(connection, staff=visit.me.id, action="cases:listed", about=str(len(rows)), now=visit.at)
    return [Whose(case=row.handle, name=row.name, kana=row.kana, number=row.number) for row in rows]


def found_cases(connection: Connection, visit: Visit, words: str) -> list[Whose]:
    """Find open cases by name, reading, telephone or number; the search is logged, not its words."""
    found = files.search(connection, words, staff=visit.me.id, now=visit.at)
    return [
        Whose(
            case=one.case,
            name=one.person.name,
            kana=one.person.kana,
            number=one.file.number if one.file else one.case[:8],
        )
        for one in found
        if one.case is not None and one.closed_at is None
    ]


def reachable(connection: Connection, visit: Visit) -> Sequence[KnownAgency]:
    """Give the agencies that something can be sealed to now."""
    own = visit.site.connector.agency
    return [
        one
        for one in directory.agencies(connection)
        if one.id != own
        and one.state == "active"
        and any(key.use == KeyUse.ENC and key.is_valid_at(visit.at) for key in one.keys)
    ]


def referral_of(connection: Connection, visit: Visit, wanted: str) -> KnownReferral | None:
    """Give the referral that an approved request became, once the hub has said so.

    *Raises* `ConnectorError("emergency-unknown")`.
    """
    found = emergency(connection, visit, wanted)
    if found.message is None:
        return None
    between = frozenset({visit.site.connector.agency, found.recipient.id})
    return referrals.of_thread(connection, found.message, between=between)


def _emergency(connection: Connection, visit: Visit, row: sa.Row[Any]) -> Emergency:
    said = row.document
    deed = deeds.find(connection, said["key"]) if said.get("key") else None
    names = names_of(connection, [row.asked_by, row.decided_by or ""])
    file = files.file_of(connection, row.case)
    return Emergency(
        id=row.id,
        case=row.case,
        number=file.number if file else row.case[:8],
        standing=rules.standing(
            state=row.state,
            asked_at=row.asked_at,
            decided_at=row.decided_at,
            outgoing=deed.state if deed else None,
            now=visit.at,
        ),
        recipient=directory.agency(connection, said["recipient"]),
        threat=said["threat"],
        difficulty=said["difficulty"],
        why=said["why"],
        texts=said["texts"],
        call=said["call"],
        no_my_number=said.get("no_my_number", False),
        asked_by=row.asked_by,
        asked_by_name=names.get(row.asked_by, ""),
        asked_at=row.asked_at,
        decided_by=row.decided_by,
        decided_by_name=names.get(row.decided_by or "", ""),
        decided_at=row.decided_at,
        turned_down=said.get("turned_down", ""),
        message=row.message,
        deed=deed,
        told_at=row.told_at,
    )
