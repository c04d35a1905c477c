# SPDX-License-Identifier: Apache-2.0
"""Count a month, pure: facts in, tables of numbers out; which months may be asked for; how small numbers are hidden.

Source: domain reference §6 (national monthly feed, 支援状況調査). Rows stand in the order of their code lists, and a
zero is shown: a form to be filled in has no gaps.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import median
from typing import Final

from connectors.casebook.figures import Facts, Sent, SheetFact, Span

Figure = int | float | None
"""A count, a median, or nothing to say."""

SMALL: Final = 5
"""In what is given away a number below this is hidden: it may point to somebody (domain reference §6)."""
HIDDEN: Final = -1
"""Stands for a number that is hidden."""
PUBLIC_ASSISTANCE: Final = "fukushi_jimusho"
AGES: Final = ((0, "19"), (20, "20s"), (30, "30s"), (40, "40s"), (50, "50s"), (60, "60s"), (65, "65"), (75, "75"))
"""From which age a band begins, and its key; the first holds everybody under 20."""
NO_AGE: Final = "no-age"
SEXES: Final = ("1", "2", "3", "unsaid")
_WORK_SERVICES: Final = frozenset({"job_preparation", "job_training", "job_support", "job_centre"})
_WORK_BEGUN: Final = frozenset({"work", "work_training"})
_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line: the code that it counts, and a figure for each column."""

    code: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table. `columns` are keys of the catalogue, `names` says where a row's label comes from.

    `is_shared_out`: the columns are parts of one whole (women and men), and not different questions.
    """

    key: str
    names: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    is_shared_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The codes of each table's rows, in the order of their lists."""

    recipients: Sequence[str]
    screening: Sequence[str]
    traits: Sequence[str]
    outcomes: Sequence[str]
    declines: Sequence[str]
    going: Sequence[str]
    follow_up_results: Sequence[str]
    changes: Sequence[str]
    results: Sequence[str]
    endings: Sequence[str]
    resources: Sequence[str]


def month_of(asked: str, today: date) -> Span | None:
    """Give the month that was asked for as days (`2026-11`), this one if none was; None if it is none or to come."""
    if not asked:
        return this_month(today)
    found = _MONTH.fullmatch(asked)
    if found is None:
        return None
    first = date(int(found[1]), int(found[2]), 1)
    return _whole(first) if first <= today else None


def this_month(today: date) -> Span:
    """Give the month in which a day is, whole."""
    return _whole(today.replace(day=1))


def beside(span: Span, today: date) -> tuple[str, str | None]:
    """Give the month before and the one after, if that has begun."""
    before, after = span.first - timedelta(days=1), _next(span.first)
    return before.strftime("%Y-%m"), after.strftime("%Y-%m") if after <= today else None


def report(facts: Facts, lists: Lists) -> tuple[Section, ...]:
    """Count the facts of a month."""
    sheets = {code: [one for one in facts.sheets if one.code == code] for code in ("assessment", "plan", "review")}
    plans, reviews = sheets["plan"], sheets["review"]
    along = Counter(facts.accompaniments)
    return (
        _national(facts, plans, reviews),
        _simple("screening", "screening", lists.screening, Counter(facts.screenings)),
        _people(facts),
        _simple("traits", "field:assessment.traits", lists.traits, _chosen(_last(sheets["assessment"]), "traits")),
        _destinations(facts.sent, lists.recipients),
        _simple("outcomes", "outcome", lists.outcomes, Counter(one.outcome for one in facts.sent)),
        _simple("declines", "decline_reason", lists.declines, Counter(one.declined for one in facts.sent)),
        _simple("going", "accompaniment_state", lists.going, along),
        _follow_ups(facts, lists.follow_up_results),
        _simple("results", "field:review.result", lists.results, _chosen(reviews, "result")),
        _simple("changes", "field:review.changes", lists.changes, _chosen(_last(reviews), "changes")),
        _simple("endings", "closure_reason", lists.endings, Counter(facts.endings)),
        _simple("missing", "resource_kind", lists.resources, Counter(facts.missing)),
    )


def shared(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Hide what is small, for a report that leaves the agency.

    Where one number of a column would be hidden alone, the next smallest is hidden with it, so that nobody who knows
    the sum can work it out. Medians of few are hidden with their counts.
    """
    return tuple(_hide(one) for one in sections)


def lengths(section: Section) -> list[int]:
    """Give each row's bar in hundredths of the longest: its first figure, or all of them where columns share a whole.

    A hidden number has no bar.
    """
    parts = len(section.columns) if section.is_shared_out else 1
    sizes = [sum(one for one in row.figures[:parts] if isinstance(one, int) and one > 0) for row in section.rows]
    return [round(100 * one / max(1, *sizes)) for one in sizes]


def _whole(first: date) -> Span:
    return Span(first=first, last=_next(first) - timedelta(days=1))


def _next(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1)


def _national(facts: Facts, plans: Sequence[SheetFact], reviews: Sequence[SheetFact]) -> Section:
    own = [one for one in plans if one.change != "amendment"]
    changes = [_listed(one.answers.get("changes")) for one in _last(reviews)]
    figures: Mapping[str, int] = {
        "new": len(facts.newcomers),
        "applied": facts.applications,
        "info-only": facts.screenings.count("info_only"),
        "referred": len(facts.sent),
        "to-assistance": sum(one.kind == PUBLIC_ASSISTANCE for one in facts.sent),
        "plans": len(own),
        "re-plans": sum(one.change == "re_plan" for one in own),
        "decided": facts.decisions,
        "work-support": sum(bool(_services(one) & _WORK_SERVICES) for one in _last(own)),
        "work": sum(bool(_WORK_BEGUN & set(one)) for one in changes),
        "income": sum("income" in one for one in changes),
        "reviews": len(reviews),
        "meetings": facts.meetings,
        "meeting-lines": facts.meeting_lines,
    }
    rows = tuple(Row(code=code, figures=(number,)) for code, number in figures.items())
    return Section(key="national", names="text", columns=("number",), rows=rows)


def _services(plan: SheetFact) -> set[str]:
    return {*_listed(plan.answers.get("services_law")), *_listed(plan.answers.get("services_else"))}


def _people(facts: Facts) -> Section:
    counted = Counter((_band(one.age), one.sex if one.sex in SEXES else SEXES[-1]) for one in facts.newcomers)
    bands = (*(key for _, key in AGES), NO_AGE)
    rows = tuple(Row(code=band, figures=tuple(counted[band, sex] for sex in SEXES)) for band in bands)
    return Section(
        key="people", names="text", columns=tuple(f"sex-{sex}" for sex in SEXES), rows=rows, is_shared_out=True
    )


def _band(age: int | None) -> str:
    return NO_AGE if age is None else next(key for begins, key in reversed(AGES) if age >= begins)


def _destinations(sent: Sequence[Sent], recipients: Sequence[str]) -> Section:
    rows = []
    for kind in recipients:
        those = [one for one in sent if one.kind == kind]
        figures: tuple[Figure, ...] = (
            len(those),
            sum("accept" in one.events for one in those),
            sum(one.declined is not None for one in those),
            sum(one.outcome is not None for one in those),
            sum(one.hop > 0 for one in those),
            _median(one.answered_after for one in those),
            _median(one.begun_after for one in those),
        )
        rows.append(Row(code=kind, figures=figures))
    columns = ("sent", "accepted", "declined", "ended", "on", "days-answer", "days-begun")
    return Section(key="destinations", names="recipients", columns=columns, rows=tuple(rows))


def _follow_ups(facts: Facts, results: Sequence[str]) -> Section:
    due = facts.follow_ups
    done = [one for one in due if one.done_on is not None]
    figures = {
        "due": len(due),
        "done": len(done),
        "done-late": sum(one.done_on is not None and one.done_on > one.due_on for one in done),
    }
    by_result = Counter(one.result for one in done)
    rows = [Row(code=code, figures=(number,)) for code, number in figures.items()]
    rows += [Row(code=f"result:{code}", figures=(by_result[code],)) for code in results]
    return Section(key="follow-ups", names="text", columns=("number",), rows=tuple(rows))


def _simple(key: str, names: str, codes: Iterable[str], counted: Mapping[str, int] | Counter[str | None]) -> Section:
    get: Callable[[str], int | None] = counted.get
    rows = tuple(Row(code=code, figures=(get(code) or 0,)) for code in codes)
    return Section(key=key, names=names, columns=("number",), rows=rows)


def _chosen(sheets: Iterable[SheetFact], name: str) -> Counter[str]:
    return Counter(code for one in sheets for code in _listed(one.answers.get(name)))


def _listed(answer: object) -> list[str]:
    if isinstance(answer, str):
        return [answer]
    return [one for one in answer if isinstance(one, str)] if isinstance(answer, list | tuple) else []


def _last(sheets: Iterable[SheetFact]) -> list[SheetFact]:
    """Give the last sheet of each case: two assessments of one person are one person."""
    return list({one.case: one for one in sheets}.values())


def _median(days: Iterable[int | None]) -> float | None:
    known = [one for one in days if one is not None]
    return float(median(known)) if known else None


def _hide(section: Section) -> Section:
    places = range(len(section.columns))
    # parts of one whole are one group: the whole may be known from another table
    groups = [tuple(places)] if section.is_shared_out else [(place,) for place in places]
    hidden = {cell for group in groups for cell in _hidden_in(section.rows, group)}
    rows = []
    for n, row in enumerate(section.rows):
        few = isinstance(row.figures[0], int) and 0 < row.figures[0] < SMALL
        figures = (
            HIDDEN if (n, place) in hidden or (few and isinstance(one, float)) else one
            for place, one in enumerate(row.figures)
        )
        rows.append(replace(row, figures=tuple(figures)))
    return replace(section, rows=tuple(rows))


def _hidden_in(rows: Sequence[Row], places: Iterable[int]) -> frozenset[tuple[int, int]]:
    counts = {
        (n, place): one
        for place in places
        for n, row in enumerate(rows)
        if isinstance(one := row.figures[place], int) and one > 0
    }
    small = {cell for cell, one in counts.items() if one < SMALL}
    others = sorted(counts.keys() - small, key=lambda cell: (counts[cell], cell))
    if len(small) == 1 and others:
        small.add(others[0])
    return frozenset(small)
