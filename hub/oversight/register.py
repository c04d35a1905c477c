# SPDX-License-Identifier: Apache-2.0
"""The register of consents: where each record stands, under which template it was written, how it differs from the one
before.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from consent.scopes import VALID_SIGNATURES, Scope
from hub.intakes import overseen as intakes
from hub.intakes import reads
from hub.intakes.reads import Statement

ENDING: Final = timedelta(days=30)
AT_ONCE: Final = 200
MOST_READ: Final = 2000
"""How many records one page looks through for what it was asked for, before it offers to go on."""
_SETS: Final = ("hub_parties", "partners", "purposes", "categories")
_SINGLES: Final = (
    *("direction", "valid_from", "valid_until", "signature", "signed_at", "written_by", "proxy_reason", "witness"),
    *("template", "form_version", "evidence"),
)


class RecordState(StrEnum):
    """Where a record stands for whoever looks through the register."""

    LIVE = "live"
    ENDING = "ending"
    NOT_YET = "not_yet"
    UNSIGNED = "unsigned"
    WITHDRAWN = "withdrawn"
    RENEWED = "renewed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the register; `row` is the hub's id of it."""

    row: str
    case: str
    statement: Statement
    scope: Scope
    state: RecordState

    @property
    def withdrawn_at(self) -> datetime | None:
        """Give when something of it was first taken back."""
        return min((one.at for one in self.statement.withdrawals), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the register; `next_before` is where the next one begins, None on the last."""

    records: tuple[Record, ...]
    next_before: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """How one member of a record differs from the record before; for a list, what was added and what went."""

    member: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    @property
    def added(self) -> tuple[str, ...]:
        """Give what only the newer record has."""
        return tuple(one for one in self.after if one not in self.before)

    @property
    def removed(self) -> tuple[str, ...]:
        """Give what only the older record had."""
        return tuple(one for one in self.before if one not in self.after)


def page(
    session: Session,
    *,
    now: datetime,
    state: RecordState | None = None,
    template: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Page:
    """Give records in a state and of a template version, the newest first; needs a role that sees every row."""
    chosen: list[Record] = []
    looked = 0
    while looked < MOST_READ:
        found = intakes.page(session, before=before, limit=AT_ONCE)
        for case, statement in found:
            if len(chosen) == limit:
                return Page(records=tuple(chosen), next_before=before)
            before = statement.row
            one = record(case, statement, now=now)
            if state in {None, one.state} and template in {None, one.scope.template}:
                chosen.append(one)
        looked += len(found)
        if len(found) < AT_ONCE:
            return Page(records=tuple(chosen), next_before=None)
    return Page(records=tuple(chosen), next_before=before)


def one(session: Session, row: str, *, now: datetime) -> Record | None:
    """Give one record by the hub's row, or None."""
    statement = reads.by_row(session, row)
    if statement is None:
        return None
    return record(statement.scope.case, statement, now=now)


def versions(session: Session, newer: Record, *, now: datetime) -> tuple[tuple[Record, tuple[Change, ...]], ...]:
    """Give the records that a record took the place of, each with how it differs."""
    earlier = (
        reads.by_consent(session, consent, signer=newer.statement.signer) for consent in sorted(newer.scope.supersedes)
    )
    found = (record(newer.case, one, now=now) for one in earlier if one is not None)
    return tuple((before, differences(before.scope, newer.scope)) for before in found)


def record(case: str, statement: Statement, *, now: datetime) -> Record:
    """Say where a statement stands."""
    return Record(
        row=statement.row, case=case, statement=statement, scope=statement.scope, state=state_of(statement, now)
    )


def state_of(statement: Statement, now: datetime, *, with_withdrawals: bool = True) -> RecordState:
    """Say where a record stands: what the person took back weighs most, then what ended it, then its days."""
    scope = statement.scope
    if with_withdrawals and any(one.at <= now for one in statement.withdrawals):
        return RecordState.WITHDRAWN
    if statement.superseded_at is not None and statement.superseded_at <= now:
        return RecordState.RENEWED
    if scope.valid_until <= now:
        return RecordState.ENDED
    if scope.signature not in VALID_SIGNATURES:
        return RecordState.UNSIGNED
    if scope.valid_from > now:
        return RecordState.NOT_YET
    return RecordState.ENDING if scope.valid_until <= now + ENDING else RecordState.LIVE


def differences(before: Scope, after: Scope) -> tuple[Change, ...]:
    """Give every member in which two records differ, the lists first, in the order a form has them."""
    pairs: Iterable[Change] = (
        *(Change(member=name, before=_sorted(before, name), after=_sorted(after, name)) for name in _SETS),
        *(Change(member=name, before=_single(before, name), after=_single(after, name)) for name in _SINGLES),
    )
    return tuple(one for one in pairs if one.before != one.after)


def _sorted(scope: Scope, name: str) -> tuple[str, ...]:
    return tuple(sorted(getattr(scope, name)))


def _single(scope: Scope, name: str) -> tuple[str, ...]:
    value = getattr(scope, name)
    if value is None or value == "":
        return ()
    return (value.isoformat() if isinstance(value, datetime) else str(value),)
