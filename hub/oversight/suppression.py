# SPDX-License-Identifier: Apache-2.0
"""Keep small numbers out of figures that leave the house, so that they cannot be worked out from the others either.

A count of 1 to 4 is hidden. What is hidden could be found by subtraction from a total, so more is hidden with it
(complementary suppression, the hypercube method): every hidden cell lies in a rectangle of hidden cells along which one
could be moved up by one and its neighbours down without any total or shown number changing. Whoever reads the table,
knowing that zeros are shown, cannot tell such a cell's value. Totals are cells like others and are hidden where nothing
else will do. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

SMALL: Final = 5
"""Counts below this and above nought are hidden."""

Cell = tuple[int, int]
Grid = list[list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A table as it may leave the house: None is a hidden cell; the last of each line is its total."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: tuple[tuple[int | None, ...], ...]
    row_totals: tuple[int | None, ...]
    column_totals: tuple[int | None, ...]
    total: int | None


def shown_alone(count: int) -> int | None:
    """Show a number that stands in no sum, or hide it."""
    return None if 0 < count < SMALL else count


def shown_table(rows: Sequence[str], columns: Sequence[str], counts: Mapping[tuple[str, str], int]) -> Shown:
    """Show a table of counts by row and column with its totals, with what must be hidden hidden."""
    grid = _with_totals([[counts.get((row, column), 0) for column in columns] for row in rows])
    hidden = _hidden(grid)
    out = [
        [None if (r, c) in hidden else value for c, value in enumerate(line)]
        for r, line in enumerate(grid)
    ]  # fmt: skip
    return Shown(
        rows=tuple(rows),
        columns=tuple(columns),
        cells=tuple(tuple(line[:-1]) for line in out[:-1]),
        row_totals=tuple(line[-1] for line in out[:-1]),
        column_totals=tuple(out[-1][:-1]),
        total=out[-1][-1],
    )


def shown_list(names: Sequence[str], counts: Mapping[str, int]) -> tuple[tuple[int | None, ...], int | None]:
    """Show a list of counts and its total."""
    if not names:
        return (), 0
    table = shown_table(("all",), names, {("all", name): counts.get(name, 0) for name in names})
    # one row: its columns are the list, and the totals of the columns are the same numbers
    cells = tuple(
        None if None in pair else pair[0] for pair in zip(table.cells[0], table.column_totals, strict=True)
    )  # fmt: skip
    return cells, None if None in (table.row_totals[0], table.total) else table.total


def _with_totals(inner: Grid) -> Grid:
    grid = [[*line, sum(line)] for line in inner]
    width = len(grid[0]) if grid else 1
    return [*grid, [sum(line[c] for line in grid) for c in range(width)]]


def _hidden(grid: Grid) -> set[Cell]:
    every = list(product(range(len(grid)), range(len(grid[0]))))
    small = [cell for cell in every if 0 < grid[cell[0]][cell[1]] < SMALL]
    hidden: set[Cell] = set(small)
    for cell in small:
        hidden |= _cover(grid, cell, hidden)
    return hidden


def _cover(grid: Grid, cell: Cell, hidden: set[Cell]) -> set[Cell]:
    """Find the rectangle through a cell that hides least besides what is hidden, and along which it could move."""
    (r, c) = cell
    last_row, last_column = len(grid) - 1, len(grid[0]) - 1

    def price(opposite: Cell) -> tuple[int, int, Cell]:
        """Hide few cells, and totals last of all; then few people."""
        extra = _others(cell, opposite) - hidden
        totals = sum(1 for (i, j) in extra if i == last_row or j == last_column)
        return len(extra) + 3 * totals, sum(grid[i][j] for i, j in extra), opposite

    # there is always one: the cell with its three totals can go up as far as it likes
    opposites = ((k, m) for k, m in product(range(len(grid)), range(len(grid[0]))) if k != r and m != c)
    return _others(cell, min((one for one in opposites if _moves(grid, cell, one)), key=price))


def _others(cell: Cell, opposite: Cell) -> set[Cell]:
    return {(cell[0], opposite[1]), (opposite[0], cell[1]), opposite}


def _moves(grid: Grid, cell: Cell, opposite: Cell) -> bool:
    """Say whether the cell could be one more or one less with the other three corners moving along, none to nought.

    A corner that is nought is shown as nought by rule, so hiding one would say that it is something.
    """
    (r, c), (k, m) = cell, opposite
    corners = [(r, c), (r, m), (k, c), (k, m)]
    if any(grid[i][j] == 0 for i, j in corners):
        return False
    signs = _signs(grid, cell, opposite)
    return any(
        all(grid[i][j] + way * sign >= 1 for (i, j), sign in zip(corners, signs, strict=True)) for way in (1, -1)
    )


def _signs(grid: Grid, cell: Cell, opposite: Cell) -> tuple[int, int, int, int]:
    """Give how the corners move when the first goes up: a total with its line, two inner cells against each other."""
    (r, c), (k, m) = cell, opposite
    last_row, last_column = len(grid) - 1, len(grid[0]) - 1
    along_row = 1 if last_column in (c, m) else -1
    along_column = 1 if last_row in (r, k) else -1
    return (1, along_row, along_column, along_row * along_column)
