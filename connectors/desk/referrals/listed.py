# SPDX-License-Identifier: Apache-2.0
"""The list of referrals as a page asks for it: filters that are links, the place where a further page goes on, CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from sqlalchemy import Connection

from connectors.base.labels import label
from connectors.desk.referrals import reads, rules
from connectors.desk.referrals.reads import Row, Wanted
from connectors.desk.staff import reads as staff
from connectors.desk.web.visits import Visit
from consent.vocabulary.codes import Language

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "role": ("", rules.SENDER, rules.RECIPIENT, rules.COORDINATOR),
    "state": ("", "open", "ended", *rules.OPEN),
    "due": ("", "late"),
    "who": ("", "mine", "team"),
}
"""What each filter may be; the empty choice is all."""
_SHOWN: Final[Mapping[str, tuple[str, ...]]] = {**CHOICES, "state": ("", "open", "ended")}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_BOM: Final = "\ufeff"
COLUMNS: Final = (
    "number", "case_number", "person", "title", "purpose", "purpose_label", "side", "partner", "state", "state_label",
    "urgency", "due_at", "days_late", "worker", "sent_at", "updated_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One link of a filter: its value, the query it leads to, whether it is the one chosen."""

    value: str
    query: Mapping[str, str]
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The filters of a list as its address names them, and where it goes on."""

    query: Mapping[str, str]
    cursor: tuple[datetime, str] | None = None

    @classmethod
    def of(cls, said: Mapping[str, str]) -> Self:
        """Read an address.

        *Raises* ValueError: a choice that there is not, or a place that cannot be read.
        """
        query = {name: said[name] for name in CHOICES if said.get(name)}
        if any(value not in CHOICES[name] for name, value in query.items()):
            raise ValueError("there is no such choice")
        return cls(query=query, cursor=_place(said["after"]) if said.get("after") else None)

    def wanted(self, visit: Visit, team: tuple[str, ...]) -> Wanted:
        """Give what the list asks the casebook for."""
        state, late = self.query.get("state", ""), self.query.get("due") == "late"
        states = {"": (), "open": rules.OPEN, "ended": tuple(sorted(rules.FINAL))}.get(state, (state,))
        workers = {"mine": (visit.me.id,), "team": team}.get(self.query.get("who", ""), ())
        return Wanted(
            side=self.query.get("role"),
            states=states,
            due_before=visit.at if late else None,
            workers=workers,
            order=reads.BY_DUE if late else reads.BY_CHANGE,
        )

    def further(self, last: Row) -> dict[str, str]:
        """Give the query of the page after a row."""
        at = last.due_at if self.query.get("due") == "late" else last.updated_at
        return {**self.query, "after": f"{at.isoformat() if at else ''}~{last.id}"}

    def groups(self) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
        """Give the filters as links, group by group."""
        return tuple((name, tuple(self._choices(name))) for name in _SHOWN)

    def _choices(self, name: str) -> Iterable[Choice]:
        others = {key: value for key, value in self.query.items() if key != name}
        for value in _SHOWN[name]:
            query = {**others, **({name: value} if value else {})}
            yield Choice(value=value, query=query, chosen=self.query.get(name, "") == value)


def team_of(connection: Connection, visit: Visit) -> tuple[str, ...]:
    """Give the staff ids of one's own team: oneself alone where one has none."""
    same = [one.id for one in staff.colleagues(connection) if visit.me.team and one.team == visit.me.team]
    return tuple(dict.fromkeys((visit.me.id, *same)))


def csv_of(rows: Sequence[Row], names: Mapping[str, str], language: Language) -> str:
    """Write rows as CSV, one header row, codes beside labels, ISO moments; nothing is taken for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in rows:
        writer.writerow(safe(said) for said in cells_of(one, names, language))
    return _BOM + out.getvalue()


def safe(said: str) -> str:
    """Keep a spreadsheet from taking a text for a formula (OWASP, CSV injection)."""
    return f"'{said}" if said.startswith(_FORMULA) else said


def cells_of(one: Row, names: Mapping[str, str], language: Language) -> tuple[str, ...]:
    """Give the cells of a row, in the order of `COLUMNS`; `names` of staff by id."""
    return (
        one.number or "",
        one.case_number or "",
        one.person or "",
        one.title,
        one.purpose,
        label("purposes", one.purpose, language),
        one.side,
        one.partner_name,
        one.state,
        label("referral_state", one.state, language),
        one.urgency,
        one.due_at.isoformat() if one.due_at else "",
        str(one.late),
        names.get(one.worker or "", ""),
        one.sent_at.isoformat() if one.sent_at else "",
        one.updated_at.isoformat(),
    )


def _place(said: str) -> tuple[datetime, str]:
    at, _, referral = said.partition("~")
    read = datetime.fromisoformat(at)
    if read.tzinfo is None or not referral:
        raise ValueError("a place is a moment and an id")
    return read, referral
