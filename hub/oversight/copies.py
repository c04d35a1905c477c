# SPDX-License-Identifier: Apache-2.0
"""What a person's printed copy of a consent stands for now: looked up by its id and check code, without a name."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from consent.scopes import ANY
from hub.intakes import overseen as intakes
from hub.intakes.reads import Statement
from hub.oversight.register import RecordState, state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One partner of the form: who may learn which categories for what, until when, and whether that still holds.

    `gone` are categories that were taken back of a record that otherwise holds.
    """

    partner: str
    purposes: tuple[str, ...]
    categories: tuple[str, ...]
    gone: tuple[str, ...]
    until: datetime
    state: RecordState


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The form that the person signed, as it holds now; `signer` is the agency to call."""

    signer: str
    lines: tuple[Line, ...]


def copy_of(session: Session, consent: str, check: str, *, now: datetime) -> Copy | None:
    """Give what the copy with this id and check code stands for, or None; needs a role that sees every row."""
    found = intakes.by_copy(session, consent, check)
    if found is None:
        return None
    case, one = found
    same = [
        other
        for other in intakes.of_handle(session, case)
        if (other.signer, other.scope.form) == (one.signer, one.scope.form)
    ]
    return Copy(signer=one.signer, lines=tuple(_line(other, now) for other in same))


def _line(one: Statement, now: datetime) -> Line:
    scope = one.scope
    partial = [word for word in one.withdrawals if word.categories and ANY not in word.categories]
    is_whole = len(partial) < len(one.withdrawals)
    gone = frozenset[str]().union(*(word.categories for word in partial))
    left = tuple(sorted(scope.categories - gone))
    state = state_of(one, now)
    if state is RecordState.WITHDRAWN and not is_whole and left:
        # some categories were taken back, the rest stands as it stood
        state = state_of(one, now, with_withdrawals=False)
    return Line(
        partner=one.partner,
        purposes=tuple(sorted(scope.purposes)),
        categories=left if gone else tuple(sorted(scope.categories)),
        gone=tuple(sorted(gone & scope.categories)),
        until=scope.valid_until,
        state=state,
    )
