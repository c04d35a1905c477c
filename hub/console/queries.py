# SPDX-License-Identifier: Apache-2.0
"""The search language of the log: `qualifier:value` words and nothing else. Pure; the day is an argument.

There is no free text: nothing in the log could be found by it, and a name that somebody typed must go nowhere. What
cannot be read is refused by a code and the number of the word, never by the word.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from consent.calendar import end_of_day, start_of_day
from hub.audit.rules import HUB, AuditKind
from hub.audit.searching import Wanted
from hub.base.ids import is_id

LONGEST: Final = 500
DEFAULT_DAYS: Final = 92
"""How far back a search looks that says no time: three months."""
FIRST_DAY: Final = date(2020, 1, 1)
LAST_DAY: Final = date(2200, 1, 1)
QUALIFIERS: Final = ("actor", "action", "agency", "case", "created", "decision")
DECISIONS: Final = {
    "allow": (AuditKind.MESSAGE_ACCEPTED, AuditKind.MESSAGE_HANDED_OVER),
    "deny": (AuditKind.MESSAGE_REFUSED, AuditKind.OVERRIDE_LIMITED),
    "emergency": (AuditKind.OVERRIDE_USED,),
}
"""What a decision is called, and which kinds of entries say that it fell so."""
_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_CREATED: Final = re.compile(rf"(?P<sign>>=|<=|>|<)?(?P<day>{_DAY})|(?P<first>{_DAY})\.\.(?P<last>{_DAY})", re.ASCII)
_KINDS: Final = frozenset(AuditKind)
_GROUPS: Final = frozenset(f"{kind.partition(':')[0]}:*" for kind in AuditKind)


class QueryError(ValueError):
    """A search cannot be read: `code` says why, `word` which word (from one; 0: the whole)."""

    def __init__(self, code: str, word: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.word = word


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A search as it was understood: what is wanted, and the same in canonical words (codes, ids, days)."""

    wanted: Wanted
    text: str
    case: str | None


def parse(written: str, *, today: date) -> Query:
    """Read a search; without `created:` it looks three months back.

    *Raises* QueryError: query-too-long, qualifier-missing, qualifier-unknown, qualifier-twice, value-missing,
    value-not-id, value-not-actor, value-not-action, value-not-decision, value-not-day, range-backwards,
    action-against-decision.
    """
    if len(written) > LONGEST:
        raise QueryError("query-too-long")
    said: dict[str, str] = {}
    for number, word in enumerate(unicodedata.normalize("NFKC", written).split(), 1):
        name, colon, value = word.partition(":")
        if not colon:
            raise QueryError("qualifier-missing", number)
        if name not in QUALIFIERS:
            raise QueryError("qualifier-unknown", number)
        if name in said:
            raise QueryError("qualifier-twice", number)
        if not value:
            raise QueryError("value-missing", number)
        said[name] = value
        _check(name, value, number)
    kinds = _kinds(said)
    since, until = _times(said.get("created"), today)
    wanted = Wanted(kinds=kinds, actor=said.get("actor"), agency=said.get("agency"), case=said.get("case"))
    wanted = replace(
        wanted,
        since=None if since is None else start_of_day(since),
        until=None if until is None else end_of_day(until),
    )
    text = " ".join(f"{name}:{said[name]}" for name in QUALIFIERS if name in said)
    return Query(wanted=wanted, text=text, case=said.get("case"))


def _check(name: str, value: str, number: int) -> None:
    fine = {
        "actor": value == HUB or is_id(value),
        "action": value in _KINDS or value in _GROUPS,
        "agency": is_id(value),
        "case": is_id(value),
        "created": True,
        "decision": value in DECISIONS,
    }
    codes = {"actor": "value-not-actor", "action": "value-not-action", "decision": "value-not-decision"}
    if not fine[name]:
        raise QueryError(codes.get(name, "value-not-id"), number)
    if name == "created":
        try:
            _days(value)
        except QueryError as error:
            raise QueryError(error.code, number) from None


def _kinds(said: dict[str, str]) -> tuple[str, ...]:
    """Give the kinds that `action` and `decision` ask for; both together must leave some."""
    action, decision = said.get("action"), said.get("decision")
    chosen: set[str] = set(AuditKind)
    if action is not None:
        thing = action.removesuffix("*")
        chosen = {action} if action in _KINDS else {kind for kind in chosen if kind.startswith(thing)}
    if decision is not None:
        chosen &= set(DECISIONS[decision])
    if not chosen:
        raise QueryError("action-against-decision")
    return () if action is None and decision is None else tuple(sorted(chosen))


def _times(created: str | None, today: date) -> tuple[date | None, date | None]:
    """Give the first and the last day, each included."""
    if created is None:
        return today - timedelta(days=DEFAULT_DAYS), None
    return _days(created)


def _days(value: str) -> tuple[date | None, date | None]:
    found = _CREATED.fullmatch(value)
    if found is None:
        raise QueryError("value-not-day")
    if found["first"]:
        first, last = _day(found["first"]), _day(found["last"])
        if first > last:
            raise QueryError("range-backwards")
        return first, last
    day, one = _day(found["day"]), timedelta(days=1)
    spans: dict[str | None, tuple[date | None, date | None]] = {
        ">=": (day, None),
        ">": (day + one, None),
        "<=": (None, day),
        "<": (None, day - one),
        None: (day, day),
    }
    return spans[found["sign"]]


def _day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise QueryError("value-not-day") from None
    if not FIRST_DAY <= day <= LAST_DAY:
        raise QueryError("value-not-day")
    return day
