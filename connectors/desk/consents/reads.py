# SPDX-License-Identifier: Apache-2.0
"""The register of a case's consents and refusals, and short answers for other slices: one word, what ends soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, directory, statements, tables
from connectors.casebook import words as own_words
from connectors.casebook.statements import STATUS_TERM
from connectors.desk.consents import rules
from connectors.desk.consents.rules import CaseConsent, Standing, Taken
from connectors.desk.consents.tables import terms
from connectors.desk.web.visits import Visit
from consent import receipts, signing, wire
from consent.calendar import day_of
from consent.receipts import ConsentRecord
from consent.scopes import ORAL, ORAL_TERM, Exclusion, Scope, expand, signature_valid
from consent.vocabulary.codes import CODE_LISTS

_MOST_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One record of the register: for whom, what is left of it and what is not, how it stands and why."""

    scope: Scope
    signer: str
    hash: str
    is_ours: bool
    standing: Standing
    categories: tuple[str, ...]
    gone: tuple[str, ...]
    apart: tuple[str, ...]
    registered_at: datetime | None
    refused: str | None
    status_as_of: datetime | None
    fresh_until: datetime | None
    days_to_sign: int | None

    @property
    def id(self) -> str:
        """Give the record's id."""
        return self.scope.id

    @property
    def partner(self) -> str:
        """Give for whom it is: an agency's id or a kind; the hub registers one partner in each record."""
        return min(self.scope.partners)

    @property
    def last_day(self) -> date:
        """Give the last day on which it counts; the record's end is the midnight after it."""
        return day_of(self.scope.valid_until - timedelta(microseconds=1))

    @property
    def permits(self) -> bool:
        """Say whether something may be told by it now."""
        return self.standing in rules.PERMITS

    @property
    def code(self) -> str:
        """Give the check code of the person's copy."""
        return rules.check_code(self.hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A refusal of the person's; `words` are as they were said, none where they are not here."""

    exclusion: Exclusion
    words: str | None
    is_ours: bool

    def is_in_force(self, at: datetime) -> bool:
        """Say whether it binds now."""
        revoked = self.exclusion.revoked_at
        return self.exclusion.from_time <= at and (revoked is None or at < revoked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A consent that ends soon, for the board."""

    consent: str
    case: str
    until: datetime
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Among:
    """Which cases somebody asks about: a condition on a case's handle, and what it is filled in with."""

    is_among: Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]
    places: Mapping[str, Any]


def entries_of(connection: Connection, visit: Visit, case: str) -> list[Entry]:
    """Give every record of a case, the newest first, also what the hub did not register."""
    return _registers(connection, [case], visit.at, visit.site.connector.agency)[case]


def registers_of(connection: Connection, visit: Visit, cases: Sequence[str]) -> dict[str, list[Entry]]:
    """Give the records of several cases, for an export, which logs itself."""
    return _registers(connection, cases, visit.at, visit.site.connector.agency)


def entry_of(connection: Connection, visit: Visit, consent: str) -> Entry:
    """Give one record.

    *Raises* `ConnectorError("consent-unknown")`.
    """
    case = statements.case_of(connection, consent)
    found = entries_of(connection, visit, case) if case else []
    entry = next((one for one in found if one.id == consent), None)
    if entry is None:
        raise ConnectorError("consent-unknown")
    return entry


def wishes_of(connection: Connection, visit: Visit, case: str) -> list[Wish]:
    """Give a case's refusals with the person's words, those in force first; the access log notes who read them."""
    found = []
    for one in statements.exclusions_of(connection, case):
        read = own_words.words_about(connection, one.id, staff=visit.me.id, now=visit.at)
        words = read[0].decode("utf-8", "replace") if read and read[0] else None
        found.append(Wish(exclusion=one, words=words, is_ours=read is not None))
    return sorted(found, key=lambda one: (not one.is_in_force(visit.at), one.exclusion.id))


def taken_in(connection: Connection, case: str) -> Taken:
    """Give what was taken back in a case, with the kinds of the agencies that are known."""
    return Taken(words=statements.withdrawals_of(connection, case), kinds=kinds_of(connection))


def kinds_of(connection: Connection) -> dict[str, str]:
    """Give the kinds of the agencies that are known, by id."""
    return {row.id: row.kind for row in connection.execute(sa.select(tables.agencies.c.id, tables.agencies.c.kind))}


def state_of_case(connection: Connection, case: str, now: datetime) -> CaseConsent:
    """Say in one word how the consents of a case stand: for searches, the wizard and the board."""
    return states_of_cases(connection, [case], now)[case]


def states_of_cases(connection: Connection, cases: Iterable[str], now: datetime) -> dict[str, CaseConsent]:
    """Say it of several cases at once, for a list."""
    wanted = list(dict.fromkeys(cases))
    registers = _registers(connection, wanted, now)
    return {case: rules.case_consent(one.standing for one in register) for case, register in registers.items()}


def ending_soon(
    connection: Connection, until: datetime, *, now: datetime, limit: int = 50, among: Among | None = None
) -> list[Ending]:
    """Give the consents that permit something now and no more at `until`, the first to end first.

    What was taken back, replaced or renewed for the same partner beyond that time is not among them.
    """
    _fill_terms(connection)
    wanted = [terms.c.until > now, terms.c.until <= until]
    if among is not None:
        wanted.append(among.is_among(terms.c.case))
    at_once = min(_MOST_AT_ONCE, 2 * limit)  # a few more than are wanted: some have been renewed
    found: list[Ending] = []
    place = (now, "")
    while len(found) < limit:
        further = sa.or_(terms.c.until > place[0], sa.and_(terms.c.until == place[0], terms.c.id > place[1]))
        query = sa.select(terms).where(*wanted, further).order_by(terms.c.until, terms.c.id)
        rows = connection.execute(query.limit(at_once), among.places if among else {}).all()
        found += _still_ending(connection, rows, until, now)
        if len(rows) < at_once:
            break
        place = (rows[-1].until, rows[-1].id)
    return found[:limit]


def find_by_code(connection: Connection, visit: Visit, code: str) -> str | None:
    """Give the case of the consent whose copy has this check code, or this id; the search is logged, not its words."""
    _fill_terms(connection)
    query = sa.select(terms.c.case).where(sa.or_(terms.c.code == code, terms.c.id == code)).limit(2)
    found = connection.execute(query).scalars().all()
    access.record(connection, staff=visit.me.id, action="consent:searched", about="", now=visit.at)
    return found[0] if len(set(found)) == 1 else None


def form_of(connection: Connection, visit: Visit, entry: Entry) -> list[Entry]:
    """Give the records that the person signed with the same form, in the order of signing."""
    entries = entries_of(connection, visit, entry.scope.case)
    return [one for one in reversed(entries) if (one.scope.form, one.signer) == (entry.scope.form, entry.signer)]


def partners_of(entries: Sequence[Entry]) -> list[str]:
    """Give for whom there are records that permit something, in the order of the register, each once."""
    return list(dict.fromkeys(one.partner for one in entries if one.permits))


def name_partners(connection: Connection) -> Mapping[str, Mapping[str, str]]:
    """Give the names of the agencies that are known, in both languages, by id."""
    return {one.id: {"ja": one.name_ja, "en": one.name_en} for one in directory.agencies(connection)}


_RECORDS = sa.select(tables.consents, tables.superseded.c.at.label("superseded_at")).outerjoin(
    tables.superseded,
    sa.and_(tables.superseded.c.id == tables.consents.c.id, tables.superseded.c.signer == tables.consents.c.signer),
)


def _registers(connection: Connection, cases: Sequence[str], now: datetime, agency: str = "") -> dict[str, list[Entry]]:
    """Give the registers of several cases, each newest first."""
    found: dict[str, list[sa.Row[Any]]] = {case: [] for case in cases}
    query = _RECORDS.where(tables.consents.c.case.in_(cases)).order_by(tables.consents.c.id.desc())
    for row in connection.execute(query):
        found[row.case].append(row)
    kinds = kinds_of(connection)
    words = statements.withdrawals_in(connection, [case for case, rows in found.items() if rows])
    return {
        case: _entries(rows, agency, Taken(words=words.get(case, []), kinds=kinds), now) for case, rows in found.items()
    }


def _entries(rows: list[sa.Row[Any]], agency: str, taken: Taken, now: datetime) -> list[Entry]:
    records = {row.token: _record(row.token) for row in rows}
    replaced = {
        old
        for row in rows
        if row.registered_at and not row.refused and signature_valid(records[row.token].scope(), row.registered_at)
        for old in records[row.token].supersedes
    }
    return [_entry(row, records[row.token], agency, taken, replaced, now) for row in rows]


def _entry(
    row: sa.Row[Any], record: ConsentRecord, agency: str, taken: Taken, replaced: Iterable[str], now: datetime
) -> Entry:
    scope = record.scope()
    kept = rules.left(scope, taken, now)
    superseded = scope.id in replaced or row.superseded_at is not None
    stands = rules.standing(
        scope, registered=row.registered_at is not None, superseded=superseded, taken=taken, now=now
    )
    return Entry(
        scope=scope,
        signer=record.agency,
        hash=receipts.statement_hash(row.token),
        is_ours=record.agency == agency,
        standing=Standing.REFUSED if row.refused else stands,
        categories=_ordered(kept),
        gone=_ordered(expand(scope.categories) - kept),
        apart=tuple(sorted(rules.apart(scope, taken, now))),
        registered_at=row.registered_at,
        refused=row.refused,
        status_as_of=row.status_as_of,
        fresh_until=row.status_as_of + STATUS_TERM if row.status and row.status_as_of else None,
        days_to_sign=rules.days_for_signature(scope, now) if scope.signature == ORAL else None,
    )


def _ordered(categories: frozenset[str]) -> tuple[str, ...]:
    """Put categories into the vocabulary's order."""
    return tuple(one for one in CODE_LISTS["categories"] if one in categories)


def _record(token: str) -> ConsentRecord:
    """Read a record; its token was signed or verified when it was kept."""
    return wire.read(ConsentRecord, signing.peek_payload(token, typ=receipts.TYPS[ConsentRecord]))


_IS_FILLED: Final = sa.select(
    sa.select(sa.func.count()).select_from(tables.consents).scalar_subquery()
    == sa.select(sa.func.count()).select_from(terms).scalar_subquery()
)


def _fill_terms(connection: Connection) -> None:
    """Put what was signed since into the index; each record is read once in its life.

    Counting first is a tenth of looking for each record whether it is there, and nearly always enough.
    """
    if connection.execute(_IS_FILLED).scalar_one():
        return
    missing = (
        sa.select(tables.consents.c.id, tables.consents.c.signer, tables.consents.c.case, tables.consents.c.token)
        .outerjoin(terms, sa.and_(terms.c.id == tables.consents.c.id, terms.c.signer == tables.consents.c.signer))
        .where(terms.c.id.is_(None))
    )
    rows = [
        {
            "id": row.id,
            "signer": row.signer,
            "case": row.case,
            "code": rules.check_code(receipts.statement_hash(row.token)),
            "until": _counts_until(_record(row.token).scope()),
        }
        for row in connection.execute(missing)
    ]
    if rows:
        connection.execute(sa.insert(terms).prefix_with("OR IGNORE"), rows)


def _counts_until(scope: Scope) -> datetime:
    return min(scope.valid_until, scope.signed_at + ORAL_TERM) if scope.signature == ORAL else scope.valid_until


def _still_ending(connection: Connection, rows: Sequence[sa.Row[Any]], until: datetime, now: datetime) -> list[Ending]:
    cases = list(dict.fromkeys(row.case for row in rows))
    entries = _registers(connection, cases, now)
    found = []
    for row in rows:
        ending = next((one for one in entries[row.case] if (one.id, one.signer) == (row.id, row.signer)), None)
        if ending is None or not ending.permits or _is_renewed(ending, entries[row.case], until):
            continue
        found.append(Ending(consent=row.id, case=row.case, until=row.until, standing=ending.standing))
    return found


def _is_renewed(ending: Entry, entries: Iterable[Entry], until: datetime) -> bool:
    """Say whether other records let the same partner be told the same after that time."""
    later: set[str] = set()
    for one in entries:
        goes_on = (one.permits or one.standing is Standing.NOT_YET) and _counts_until(one.scope) > until
        if goes_on and one.partner == ending.partner and one.scope.purposes >= ending.scope.purposes:
            later |= set(one.categories)
    return later >= set(ending.categories)
