# SPDX-License-Identifier: Apache-2.0
"""Who holds which ball of a case: our own at the step where it stands, the municipality's decision, each open referral.

A referral's ball is its sender's until it was accepted (referral-loop.md); the hub says whose it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connectors.casebook.steps import Course
from connectors.desk.path import rules
from connectors.desk.referrals.reads import Row
from connectors.sdk.answers import Agency
from consent.vocabulary.codes import Language

OURS: Final = "ours"
MUNICIPALITY: Final = "municipality"
PARTNERS: Final = "partners"
_CONFERENCE: Final = "7"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ball:
    """One thing that somebody must do next: in which column, who, about what, by when. `step` or `referral` says what.

    `holder` is none for a municipality that is not known here by name.
    """

    column: str
    holder: str | None
    worker: str | None = None
    step: str | None = None
    state: str | None = None
    purpose: str | None = None
    referral: str | None = None
    due_at: datetime | None = None
    is_ours: bool = False
    awaits_decision: bool = False


def side_of(kind: str) -> str:
    """Give the column in which an agency of this kind stands."""
    return MUNICIPALITY if kind in rules.MUNICIPAL else PARTNERS


def balls(
    course: Course,
    rows: Sequence[Row],
    profiles: Mapping[str, Agency],
    *,
    us: str,
    our_name: str,
    worker: str | None,
    language: Language,
) -> tuple[Ball, ...]:
    """Give who holds what, in the order of the columns; nobody holds anything of a case that ended."""
    held: list[Ball] = []
    shown = course.shown
    if shown.owner == us and shown.state not in rules.CLOSED:
        held.append(Ball(column=OURS, holder=our_name, worker=worker, step=shown.step, state=shown.state, is_ours=True))
    if shown.owner == us and awaits_decision(course):
        name = next((one.name for one in profiles.values() if one.kind == "jichitai"), None)
        held.append(Ball(column=MUNICIPALITY, holder=name[language] if name else None, awaits_decision=True))
    for row in rows:
        if row.awaiting is None or row.ball is None:
            continue
        is_ours = row.ball == us
        kind = profiles[row.ball].kind if row.ball in profiles else ""
        held.append(
            Ball(
                column=OURS if is_ours else side_of(kind),
                holder=our_name if is_ours else _name(profiles, row, language),
                state=row.state,
                purpose=row.purpose,
                referral=row.id,
                due_at=row.due_at,
                is_ours=is_ours,
            )
        )
    order = (MUNICIPALITY, OURS, PARTNERS)
    return tuple(sorted(held, key=lambda ball: order.index(ball.column)))


def awaits_decision(course: Course) -> bool:
    """Say whether the plan waits for the municipality: it was conferred upon, and no decision has come since."""
    if course.shown.step != _CONFERENCE:
        return False
    return not decided_since(course)


def decided_since(course: Course) -> bool:
    """Say whether a decision has come that no step has used up yet, as the hub will see it."""
    used = max((one.at for one in course.shown.history if one.state == "decided"), default=None)
    return any(used is None or one.at > used for one in course.confirmations)


def _name(profiles: Mapping[str, Agency], row: Row, language: Language) -> str:
    found = profiles.get(row.ball or "")
    return found.name[language] if found else row.partner_name
