# SPDX-License-Identifier: Apache-2.0
"""Who may sit at one line of an agenda, and what may be on the table there: asked of the one decision.

Whoever may not know who the person is, or what is planned, cannot take part: that member leaves for the line, and the
reason is the decision's own. What may be shown to all is what each of those who stay may see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from connectors.casebook import preview
from connectors.casebook.statements import Pen
from consent.decisions import ConsentBasis, Permitted, Refused
from consent.questions import ConferenceBasis
from consent.vocabulary.codes import CODE_LISTS

COORDINATION: Final = "shien_chosei_kaigi"
CONFERENCE: Final = "shien_kaigi"
PURPOSES: Final[Mapping[str, str]] = {COORDINATION: "case_conference", CONFERENCE: "shien_kaigi"}
"""The purpose under which something is shared in each of the two kinds; neither carries the other's."""
NEEDED: Final = ("identity", "support_record")
"""Without these nobody can take part in speaking about a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """What a member may see of one line; `leaves`: why that member is not at the table for it, if so."""

    agency: str
    permitted: frozenset[str]
    refused: Mapping[str, Refused]

    @property
    def leaves(self) -> Refused | None:
        """Give why this member leaves for the line; none where it stays."""
        return next((self.refused[one] for one in NEEDED if one in self.refused), None)


def seat_of(agency: str, decided: Iterable[tuple[str, Permitted | Refused]]) -> Seat:
    """Make the seat of a member from what was decided category by category."""
    answers = dict(decided)
    return Seat(
        agency=agency,
        permitted=frozenset(category for category, answer in answers.items() if isinstance(answer, Permitted)),
        refused={category: answer for category, answer in answers.items() if isinstance(answer, Refused)},
    )


def shared(seats: Iterable[Seat], wanted: Collection[str]) -> tuple[str, ...]:
    """Give what may be on the table for all: of what is wanted, what each one who stays may see, in order."""
    staying = [seat.permitted for seat in seats if seat.leaves is None]
    common = frozenset(wanted).intersection(*staying)
    return tuple(category for category in CODE_LISTS["categories"] if category in common)


def seats(
    connection: Connection, pen: Pen, *, kind: str, hub_id: str | None, case: str, members: Sequence[str]
) -> tuple[Seat, ...]:
    """Decide for each member of a meeting what it may see of a case, as the hub will.

    In a 支援会議 the members that have accepted share by law, and only for its purpose; before the hub knows of it,
    nobody does. In a 支援調整会議 the person's consent alone decides.

    *Raises* `ConnectorError("agency-unknown")`.
    """
    basis = ConferenceBasis(conference=hub_id or "") if kind == CONFERENCE else ConsentBasis()
    return tuple(
        seat_of(
            member,
            preview.preview(
                connection,
                case=case,
                sender=pen.agency,
                recipient=member,
                purpose=PURPOSES[kind],
                categories=list(CODE_LISTS["categories"]),
                basis=basis,
                now=pen.now,
            ),
        )
        for member in members
    )
