# SPDX-License-Identifier: Apache-2.0
"""Days and deadlines as offices in Japan count them: JST days, business days, limits by clock or by day.

National holidays come from the package `holidays` (1949–2099); the year end is 12-29 to 01-03; days on which
a municipality closes besides are data (`Calendar.closed`). No clock: every function is told from when to
count.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cache, lru_cache
from typing import Self

import holidays

from consent.errors import DocumentRefusedError

JST = timezone(timedelta(hours=9), "JST")
_DAY = timedelta(days=1)
_SATURDAY = 5
_YEAR_END = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})
_BARE_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_LIMIT = re.compile(r"([1-9][0-9]{0,3})(h|d|bd)", re.ASCII)


def start_of_day(day: date) -> datetime:
    """Return 00:00 JST of the day, as UTC: what a bare date means (consent.md, "What is stored")."""
    return datetime(day.year, day.month, day.day, tzinfo=JST).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """Return the end of the whole day (exclusive): 「3月31日まで」 ends on 04-01 at 00:00 JST."""
    return start_of_day(day + _DAY)


def day_of(at: datetime) -> date:
    """Return the date on a Japanese calendar at this moment."""
    return at.astimezone(JST).date()


def moment(text: str, pointer: str = "") -> datetime:
    """Read a bare date (00:00 JST) or an ISO 8601 time with its offset, as UTC.

    Raises:
        DocumentRefusedError: `bad-date`, also for a time without an offset.
    """
    try:
        if _BARE_DATE.fullmatch(text):
            return start_of_day(date.fromisoformat(text))
        if _MOMENT.fullmatch(text):
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise DocumentRefusedError("bad-date", pointer)


def add_months(at: datetime, months: int) -> datetime:
    """Return the same JST time of day so many calendar months later; a short month's last day at most."""
    local = at.astimezone(JST)
    years, month = divmod(local.month - 1 + months, 12)
    year, month = local.year + years, month + 1
    last = (date(year + month // 12, month % 12 + 1, 1) - _DAY).day
    return local.replace(year=year, month=month, day=min(local.day, last)).astimezone(UTC)


@cache
def _national_holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("JP", years=year))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A time limit: hours or days by the clock, or business days (referral-loop.md, "States")."""

    amount: int
    unit: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a limit from settings: "4h", "14d" or "3bd".

        Raises:
            ValueError: anything else.
        """
        found = _LIMIT.fullmatch(text)
        if found is None:
            raise ValueError("a limit reads like 4h, 14d or 3bd")
        return cls(amount=int(found[1]), unit=found[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The working days of one network; `closed`: days its municipality is shut besides the national ones."""

    closed: frozenset[date] = frozenset()

    @classmethod
    def read(cls, closed: Iterable[str]) -> Self:
        """Read municipal days from data: ISO dates.

        Raises:
            DocumentRefusedError: `bad-date`.
        """
        return cls(closed=frozenset(day_of(moment(text)) for text in closed))

    def is_business_day(self, day: date) -> bool:
        """Tell whether offices work on this day."""
        return (
            day.weekday() < _SATURDAY
            and (day.month, day.day) not in _YEAR_END
            and day not in self.closed
            and day not in _national_holidays(day.year)
        )

    def next_business_day(self, day: date) -> date:
        """Return the first business day after this day."""
        day += _DAY
        while not self.is_business_day(day):
            day += _DAY
        return day

    def add_business_days(self, start: datetime, count: int) -> datetime:
        """Return the end (exclusive) of the count-th business day after the JST day of `start`.

        Whole days, so that a referral sent in the evening costs the receiver nothing: sent on a Friday, one
        business day ends on Monday at 24:00 JST.
        """
        day = day_of(start)
        for _ in range(count):
            day = self.next_business_day(day)
        return end_of_day(day)

    def business_days_between(self, start: datetime, end: datetime) -> int:
        """Count the business days after the day of `start` up to and with the day of `end`."""
        return _business_days_between(self, day_of(start), day_of(end))

    def due(self, start: datetime, limit: Limit) -> datetime:
        """Return the moment by which a limit counted from `start` has passed."""
        if limit.unit == "bd":
            return self.add_business_days(start, limit.amount)
        return start + limit.amount * (timedelta(hours=1) if limit.unit == "h" else _DAY)


@lru_cache(maxsize=10_000)
def _business_days_between(calendar: Calendar, first: date, last: date) -> int:
    """Count them day by day; a list of deadlines asks for the same days again and again."""
    return sum(calendar.is_business_day(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))
