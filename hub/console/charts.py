# SPDX-License-Identifier: Apache-2.0
"""Where the bars of a chart stand: pure geometry, in units of the picture. Colours and words are the template's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from hub.audit.figures import Day

WIDTH: Final = 760
HEIGHT: Final = 250
_LEFT: Final = 44
_RIGHT: Final = 752
_TOP: Final = 28
_FLOOR: Final = 210
_LABELS: Final = 6
_STEPS: Final = (1, 2, 5)
MANY_DAYS: Final = 35
"""Beyond so many days a bar stands for a week."""
WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: a stack of two from the floor up, and a mark above it for emergencies; `label` is its first day."""

    first: date
    last: date
    counts: Day
    x: float
    width: float
    disclosed_y: float
    disclosed_height: float
    refused_y: float
    refused_height: float
    mark_x: float
    mark_y: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stacks:
    """A chart of stacked bars with its lines of the scale, as (y, number)."""

    bars: tuple[Bar, ...]
    grid: tuple[tuple[float, int], ...]


def stacks(days: Mapping[date, Day], *, first: date, last: date) -> Stacks:
    """Lay out the days from `first` to `last`, each a bar, or a week each where there are many."""
    groups = _groups(first, last)
    counted = [(begin, end, _sum(days, begin, end)) for begin, end in groups]
    highest = max((one.disclosed + one.refused for _, _, one in counted), default=0)
    step = _step(highest)
    top = max(step, -(-highest // step) * step)
    scale = (_FLOOR - _TOP) / top
    slot = (_RIGHT - _LEFT) / len(counted)
    width = round(min(slot * 0.7, 40), 1)
    every = max(1, -(-len(counted) // _LABELS))
    bars = []
    for place, (begin, end, one) in enumerate(counted):
        x = round(_LEFT + slot * place + (slot - width) / 2, 1)
        disclosed, refused = round(one.disclosed * scale, 1), round(one.refused * scale, 1)
        upper = round(_FLOOR - disclosed - refused, 1)
        bars.append(
            Bar(
                first=begin,
                last=end,
                counts=one,
                x=x,
                width=width,
                disclosed_y=round(_FLOOR - disclosed, 1),
                disclosed_height=disclosed,
                refused_y=upper,
                refused_height=refused,
                mark_x=round(x + width / 2, 1),
                mark_y=round(upper - 20, 1),
                label=f"{begin.month}/{begin.day}" if place % every == 0 else "",
            )
        )
    grid = tuple((round(_FLOOR - value * scale, 1), value) for value in range(0, top + 1, step))
    return Stacks(bars=tuple(bars), grid=grid)


def lengths(counts: Sequence[int], *, longest: float) -> tuple[float, ...]:
    """Give how long lying bars are, the longest `longest`."""
    highest = max(counts, default=0)
    return tuple(round(longest * one / highest, 1) if highest else 0.0 for one in counts)


def shade(count: int, highest: int) -> str:
    """Give the class of a cell of a heat table: `heat0` for none, then quarters of the highest."""
    if count == 0:
        return "heat0"
    return f"heat{min(4, 1 + (4 * count - 1) // highest if highest else 1)}"


def _groups(first: date, last: date) -> list[tuple[date, date]]:
    size = 1 if (last - first).days < MANY_DAYS else WEEK
    begins = [first + timedelta(days=step) for step in range(0, (last - first).days + 1, size)]
    return [(begin, min(last, begin + timedelta(days=size - 1))) for begin in begins]


def _sum(days: Mapping[date, Day], first: date, last: date) -> Day:
    found = [one for at, one in days.items() if first <= at <= last]
    return Day(
        disclosed=sum(one.disclosed for one in found),
        refused=sum(one.refused for one in found),
        emergency=sum(one.emergency for one in found),
    )


def _step(highest: int) -> int:
    """Give a round step of the scale that needs five lines at most."""
    power = 1
    while True:
        for one in _STEPS:
            if one * power * 4 >= highest:
                return one * power
        power *= 10
