# SPDX-License-Identifier: Apache-2.0
"""Days as people in Japan write and read them: eras (和暦) and western years, full-width or half-width digits.

`S54.6.3`, `昭54/6/3`, `昭和54年6月3日`, `1979-06-03`, `１９７９年６月３日` are one day. Eras are data (`eras.json`),
so that the next one is a line there. Before 1873-01-01 Japan had another calendar; such a day is refused.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from connectors.base.dashes import fold_dashes, has_odd_digits
from consent.vocabulary.codes import Language

_NUMBERS: Final = re.compile(
    r"^(?P<era>[^\d\s.\-/]*?)\s*(?P<year>\d{1,4})\D{1,3}(?P<month>\d{1,2})\D{1,3}(?P<day>\d{1,2})\D?$"
)
_WESTERN_DIGITS: Final = 4


class DayError(Exception):
    """A day that cannot be read. `code` names the sentence: `day-unreadable`, `era-unknown`, `day-impossible`,
    `day-outside-era` (with `ends` and `begins` of that era in `places`), `day-too-early`.
    """

    def __init__(self, code: str, **places: str) -> None:
        """Take the code of the sentence and what fills it."""
        super().__init__(code)
        self.code = code
        self.places = places


@dataclass(frozen=True, slots=True, kw_only=True)
class Era:
    """One era: its letter, names, and its first and last day (the present one has no last day)."""

    code: str
    ja: str
    en: str
    short: str
    begins: date
    ends: date | None

    def first_year(self) -> int:
        """Give the western year that is the era's year one."""
        return 1868 if self.code == "M" else self.begins.year


@cache
def _data() -> Any:
    return json.loads(files("connectors.base").joinpath("eras.json").read_text(encoding="utf-8"))


@cache
def eras() -> tuple[Era, ...]:
    """Give every era, the present one first."""
    found: list[Era] = []
    for row in _data()["eras"]:
        ends = found[-1].begins - timedelta(days=1) if found else None
        begins = date.fromisoformat(row["begins"])
        found.append(Era(**{name: row[name] for name in ("code", "ja", "en", "short")}, begins=begins, ends=ends))
    return tuple(found)


def era_of(day: date) -> Era | None:
    """Give the era of a day; none before 1873."""
    return next((era for era in eras() if era.begins <= day), None)


def read_day(text: str) -> date:
    """Read a day however it is written.

    *Raises* `DayError`.
    """
    if has_odd_digits(text):
        raise DayError("day-unreadable")
    plain = unicodedata.normalize("NFKC", text).strip().replace(_data()["first_year"], "1")
    found = _NUMBERS.match(fold_dashes(plain))
    if found is None:
        raise DayError("day-unreadable")
    name, year, month, day = found["era"].strip(), int(found["year"]), int(found["month"]), int(found["day"])
    if not name:
        if len(found["year"]) != _WESTERN_DIGITS:
            raise DayError("day-unreadable")
        return _checked(year, month, day)
    era = _named(name)
    read = _checked(era.first_year() + year - 1, month, day)
    if year < 1 or read < era.begins or (era.ends is not None and read > era.ends):
        raise DayError(
            "day-outside-era",
            era=era.ja,
            begins=say_day(era.begins, "ja", "year"),
            ends=say_day(era.ends, "ja", "year") if era.ends else "",
        )
    return read


def say_day(day: date, language: Language, form: str = "full") -> str:
    """Say a day: `full` with both years and the weekday, `birth` without the weekday, `short` without the year,
    `far` with one year and the weekday, `year` with one year.
    """
    era = era_of(day)
    era_year = day.year - era.first_year() + 1 if era else day.year
    places: Mapping[str, object] = {
        "era": getattr(era, language) if era else "",
        "era_year": _data()["first_year"] if language == "ja" and era_year == 1 else era_year,
        "year": day.year,
        "month": day.month,
        "day": day.day,
        "weekday": _data()["weekdays"][day.weekday()][language],
        "month_name": _data()["months"][day.month - 1],
    }
    said: str = _data()["forms"][form][language]
    return said.format(**places)


def age_on(born: date, day: date) -> int:
    """Give a person's age in whole years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def fiscal_year(day: date) -> int:
    """Give the western year in which the fiscal year of a day began: it begins on 1 April."""
    april = 4
    return day.year if day.month >= april else day.year - 1


def _named(name: str) -> Era:
    for era in eras():
        if name.upper() == era.code or name in {era.ja, era.short} or name.casefold() == era.en.casefold():
            return era
    raise DayError("era-unknown")


def _checked(year: int, month: int, day: int) -> date:
    try:
        read = date(year, month, day)
    except ValueError:
        raise DayError("day-impossible") from None
    if read < eras()[-1].begins:
        raise DayError("day-too-early")
    return read
