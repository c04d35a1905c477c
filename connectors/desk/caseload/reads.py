# SPDX-License-Identifier: Apache-2.0
"""What a search finds, which cases somebody carries, and what one case holds. All from the casebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access, files, journal, listing, steps, tables, tables_files, tables_mirror
from connectors.casebook.files import Found
from connectors.casebook.journal import Entry
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.consents import reads as consents
from connectors.desk.consents.rules import CaseConsent
from connectors.desk.referrals import reads as referrals
from connectors.desk.referrals.reads import Row, Wanted
from connectors.desk.staff import reads as staff
from connectors.desk.web.visits import Visit
from connectors.sdk.reading import read
from connectors.sdk.threads import Accompaniment, FollowUp

PAGE: Final = 50
OPEN: Final = "open"
CLOSED: Final = "closed"
_NOWHERE: Final = (None, None)
"""Of a case of which the hub has said nothing yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One person of a search, with the case, how its consents stand, and who is in charge."""

    found: Found
    consent: CaseConsent | None
    worker: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case of the list; `referrals` counts those not finished, `step` and `state` are the hub's last word."""

    case: str
    number: str
    name: str
    kana: str
    worker: str | None
    team: str
    referrals: int
    consent: CaseConsent
    closed_at: datetime | None
    step: str | None
    state: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """An accompaniment or a follow-up of the case, with the referral it belongs to."""

    referral: str
    what: Accompaniment | FollowUp


@dataclass(frozen=True, slots=True, kw_only=True)
class CasePicture:
    """One case as its page shows it."""

    bar: PersonBar
    consent: CaseConsent
    referrals: Sequence[Row]
    accompaniments: Sequence[Beside]
    follow_ups: Sequence[Beside]
    journal: Sequence[Entry]
    other_cases: Sequence[str]
    names: Mapping[str, str]


def search(connection: Connection, visit: Visit, text: str) -> list[Hit]:
    """Find people however they are typed; the search is logged, not its words."""
    found = files.search(connection, text, staff=visit.me.id, now=visit.at)
    states = consents.states_of_cases(connection, [one.case for one in found if one.case], visit.at)
    names = staff.names_of(connection, [one.file.worker or "" for one in found if one.file])
    return [
        Hit(
            found=one,
            consent=states.get(one.case) if one.case else None,
            worker=names.get(one.file.worker or "") if one.file else None,
        )
        for one in found
    ]


def caseload(
    connection: Connection, visit: Visit, *, scope: str, state: str, after: str | None, limit: int = PAGE
) -> tuple[list[CaseRow], str | None]:
    """Give the cases of one worker (`mine`), of a team, or of the agency, the newest first; and where it goes on.

    Names come in one look, which the access log notes as such.
    """
    own, files_ = tables.cases.c, tables_files.case_files.c
    query = (
        sa.select(own.handle, own.closed_at, files_.number, files_.worker, files_.team, tables.persons.c.name,
                  tables.persons.c.kana)
        .select_from(
            tables_files.case_files.join(tables.cases, own.handle == files_.case).outerjoin(
                tables.persons, tables.persons.c.id == own.person
            )
        )
        .where(own.closed_at.is_(None) if state == OPEN else own.closed_at.is_not(None))
        .order_by(files_.opened_on.desc(), files_.number.desc())
        .limit(limit + 1)
    )  # fmt: skip
    if scope == "mine":
        query = query.where(files_.worker == visit.me.id)
    elif scope == "team":
        query = query.where(files_.team == visit.me.team)
    if after is not None:
        query = query.where(_further(connection, after))
    rows = connection.execute(query).all()
    access.record(connection, staff=visit.me.id, action="cases:listed", about=str(len(rows[:limit])), now=visit.at)
    shown = rows[:limit]
    handles = [row.handle for row in shown]
    states = consents.states_of_cases(connection, handles, visit.at)
    open_ones = _open_referrals(connection, handles)
    names = staff.names_of(connection, [row.worker or "" for row in shown])
    standing = steps.standings(connection, handles)
    made = [
        CaseRow(
            case=row.handle,
            number=row.number,
            name=row.name or "",
            kana=row.kana or "",
            worker=names.get(row.worker or ""),
            team=row.team,
            referrals=open_ones.get(row.handle, 0),
            consent=states[row.handle],
            closed_at=row.closed_at,
            step=standing.get(row.handle, _NOWHERE)[0],
            state=standing.get(row.handle, _NOWHERE)[1],
        )
        for row in shown
    ]
    return made, shown[-1].number if len(rows) > limit else None


def picture(connection: Connection, visit: Visit, case: str) -> CasePicture:
    """Give one case with all that goes on around it; that somebody looked is logged.

    *Raises* as `person_bar`.
    """
    bar = person_bar(connection, visit, case)
    site = visit.site
    found = referrals.rows(
        connection,
        Wanted(cases=(case,)),
        agency=site.connector.agency,
        language=visit.language,
        now=visit.at,
        calendar=site.calendar,
    )
    entries = journal.of_case(connection, case, limit=PAGE)
    workers = [entry.staff for entry in entries] + [bar.file.worker or "" if bar.file else ""]
    others = listing.cases_of(connection, [bar.person.id])[bar.person.id] if bar.person else ()
    return CasePicture(
        bar=bar,
        consent=consents.state_of_case(connection, case, visit.at),
        referrals=found,
        accompaniments=_beside(connection, tables_mirror.accompaniments, Accompaniment, case),
        follow_ups=_beside(connection, tables_mirror.follow_ups, FollowUp, case),
        journal=entries,
        other_cases=[one for one in others if one != case],
        names=staff.names_of(connection, workers),
    )


def _further(connection: Connection, after: str) -> sa.ColumnElement[bool]:
    files_ = tables_files.case_files.c
    opened = connection.execute(sa.select(files_.opened_on).where(files_.number == after)).scalar_one_or_none()
    if opened is None:
        return sa.false()
    return sa.or_(files_.opened_on < opened, sa.and_(files_.opened_on == opened, files_.number < after))


def _open_referrals(connection: Connection, cases: Sequence[str]) -> dict[str, int]:
    own = tables.referrals.c
    rows = connection.execute(
        sa.select(own.case, sa.func.count().label("how_many"))
        .where(own.case.in_(cases), own.awaiting.is_not(None))
        .group_by(own.case)
    )
    return {row.case: row.how_many for row in rows}


def _beside(connection: Connection, table: sa.Table, shape: type[Accompaniment | FollowUp], case: str) -> list[Beside]:
    rows = connection.execute(
        sa.select(table.c.referral, table.c.document).where(table.c.case == case).order_by(table.c.referral, table.c.n)
    )
    return [Beside(referral=row.referral, what=read(shape, row.document)) for row in rows]
