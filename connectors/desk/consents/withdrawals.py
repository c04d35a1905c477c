# SPDX-License-Identifier: Apache-2.0
"""What would follow if a person took something back, said before it is confirmed; and what was taken back before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import referrals, statements, tables
from connectors.casebook.referrals import KnownReferral
from connectors.desk.consents import provisions, reads
from connectors.desk.consents.provisions import Provision, Side
from connectors.desk.consents.reads import Entry
from connectors.desk.consents.rules import PERMITS, Standing
from connectors.desk.consents.tables import takings
from connectors.desk.web.visits import Visit
from consent.scopes import Withdrawal

ALL, AGENCIES, CATEGORIES = "all", "agencies", "categories"
WHAT: Final = (ALL, AGENCIES, CATEGORIES)
_OVER: Final = frozenset({"closed", "cancelled", "rerouted", "withdrawn", "entered_in_error"})
"""States in which a referral needs nothing more (referral-loop.md)."""
_STANDING: Final = PERMITS | {Standing.NOT_YET}

Word = tuple[frozenset[str], frozenset[str], frozenset[str]]
"""Records, agencies and categories of one signed word; an empty set means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the person takes back: all, what some agencies or kinds may be told, or some categories."""

    what: str
    to: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()

    def words(self, entries: Sequence[Entry], kinds: Mapping[str, str]) -> Iterator[Word]:
        """Give the words to be signed; `kinds`: of agencies by id. A partner is named in none that is not about it.

        A record that still waits for the hub gets a word of its own: were it refused there, the others hold.
        """
        if not entries:
            return
        nobody: frozenset[str] = frozenset()
        if self.what == ALL:
            yield nobody, nobody, nobody
            return
        if self.what == CATEGORIES:
            for scopes in _apart(entries):
                yield scopes, nobody, self.categories
            return
        whole = [one for one in entries if one.partner in self.to]
        for scopes in _apart(whole):
            yield scopes, nobody, nobody
        for kind in dict.fromkeys(one.partner for one in entries if one.partner not in self.to):
            single = frozenset(one for one in self.to if kinds.get(one) == kind)
            for scopes in _apart([one for one in entries if one.partner == kind]):
                yield scopes, single, nobody


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What a partner, an agency or a kind, may be told no more."""

    partner: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What follows: what stops, what was given already, what runs, who is asked to stop using what they have."""

    entries: tuple[Entry, ...]
    stops: tuple[Stop, ...]
    given: tuple[Provision, ...]
    running: tuple[KnownReferral, ...]
    told: tuple[Side, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """Something that was taken back here: how it was said, what it was, and the signed words that carry it."""

    id: str
    case: str
    words: tuple[str, ...]
    channel: str
    document: dict[str, Any]
    at: datetime
    staff: str


def standing_entries(connection: Connection, visit: Visit, case: str) -> list[Entry]:
    """Give the own records of a case that could be taken back."""
    return [one for one in reads.entries_of(connection, visit, case) if one.is_ours and one.standing in _STANDING]


def options(connection: Connection, visit: Visit, case: str, entries: Sequence[Entry]) -> list[str]:
    """Give whom a person may take something back from: whom records name, and who was told something by a kind."""
    named = list(dict.fromkeys(one.partner for one in entries))
    given = provisions.list_provisions(connection, visit.site.connector.agency, case)
    by_kind = [one.receiver.agency for one in given if one.is_given and one.receiver.kind in named]
    return list(dict.fromkeys([*named, *by_kind]))


def consequences(connection: Connection, visit: Visit, case: str, choice: Choice) -> Consequences:
    """Say what would follow from a choice; nothing is changed."""
    kinds = reads.kinds_of(connection)
    entries = tuple(one for one in standing_entries(connection, visit, case) if _is_meant(one, choice, kinds))
    stops = tuple(dict.fromkeys(stop for one in entries for stop in _stops(one, choice, kinds)))
    all_given = provisions.list_provisions(connection, visit.site.connector.agency, case)
    met = [given for stop in stops for given in provisions.concerned(all_given, stop.partner, stop.categories)]
    given = tuple(sorted({one.message: one for one in met}.values(), key=lambda one: one.at))
    running = tuple(
        one
        for one in referrals.of_case(connection, case)
        if one.state not in _OVER and any(_concerns(stop, one, kinds) for stop in stops)
    )
    told = tuple({one.receiver.agency: one.receiver for one in given if one.is_reached}.values())
    return Consequences(entries=entries, stops=stops, given=given, running=running, told=told)


def taking_of(connection: Connection, taking: str) -> Taking | None:
    """Give something that was taken back."""
    row = connection.execute(sa.select(takings).where(takings.c.id == taking)).one_or_none()
    return None if row is None else _taking(row)


def takings_of(connection: Connection, case: str) -> list[Taking]:
    """Give what was taken back in a case here, the newest first."""
    rows = connection.execute(sa.select(takings).where(takings.c.case == case).order_by(takings.c.at.desc()))
    return [_taking(row) for row in rows]


def states_of(connection: Connection, words: Iterable[str]) -> list[str]:
    """Give how the signed words stand on their way to the hub: waiting, sent, refused."""
    row = tables.outgoing.c
    query = sa.select(row.state).where(row.about.in_(list(words)), row.what == "withdrawal")
    return list(connection.execute(query).scalars())


def elsewhere(connection: Connection, case: str) -> list[Withdrawal]:
    """Give what the hub says was taken back and was not taken back here: by the person's page, or by an officer."""
    rows = connection.execute(sa.select(tables.withdrawals.c.id).where(_of(case), tables.withdrawals.c.token.is_(None)))
    told = set(rows.scalars())
    words = statements.withdrawals_of(connection, case)
    ours = [one for one in words if one.id not in told]

    def known(word: Withdrawal) -> bool:
        return any(
            (one.to, one.categories) == (word.to, word.categories) and (not one.scopes or word.scopes <= one.scopes)
            for one in ours
        )

    return [one for one in words if one.id in told and not known(one)]


def _of(case: str) -> sa.ColumnElement[bool]:
    return tables.withdrawals.c.case == case


def _is_meant(entry: Entry, choice: Choice, kinds: dict[str, str]) -> bool:
    if choice.what == ALL:
        return True
    if choice.what == CATEGORIES:
        return bool(choice.categories & set(entry.categories))
    return entry.partner in choice.to or any(kinds.get(one) == entry.partner for one in choice.to)


def _stops(entry: Entry, choice: Choice, kinds: dict[str, str]) -> list[Stop]:
    kept = choice.categories if choice.what == CATEGORIES else frozenset(entry.categories)
    categories = tuple(one for one in entry.categories if one in kept)
    if choice.what == AGENCIES and entry.partner not in choice.to:
        single = sorted(one for one in choice.to if kinds.get(one) == entry.partner)
        return [Stop(partner=one, categories=categories) for one in single]
    return [Stop(partner=entry.partner, categories=categories)]


def _concerns(stop: Stop, referral: KnownReferral, kinds: dict[str, str]) -> bool:
    return any(stop.partner in {side, kinds.get(side)} for side in (referral.sender, referral.recipient))


def _apart(entries: Sequence[Entry]) -> Iterator[frozenset[str]]:
    registered = frozenset(one.id for one in entries if one.registered_at is not None)
    if registered:
        yield registered
    yield from (frozenset({one.id}) for one in entries if one.registered_at is None)


def _taking(row: sa.Row[Any]) -> Taking:
    return Taking(
        id=row.id,
        case=row.case,
        words=tuple(row.words),
        channel=row.channel,
        document=row.document,
        at=row.at,
        staff=row.staff,
    )
