# SPDX-License-Identifier: Apache-2.0
"""No small number can be read from the figures, nor worked out from what is shown beside it."""

from collections.abc import Iterator
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.oversight.suppression import SMALL, Shown, shown_alone, shown_list, shown_table

Grid = list[list[int]]
COUNTS = st.sampled_from([0, 0, 1, 1, 2, 3, 4, 5, 6, 9])
TABLES = st.tuples(st.integers(1, 2), st.integers(1, 3)).flatmap(
    lambda size: st.lists(st.lists(COUNTS, min_size=size[1], max_size=size[1]), min_size=size[0], max_size=size[0])
)


def shown(grid: Grid) -> Shown:
    rows, columns = [f"r{n}" for n in range(len(grid))], [f"c{n}" for n in range(len(grid[0]))]
    counts = {(r, c): grid[i][j] for (i, r), (j, c) in product(enumerate(rows), enumerate(columns))}
    return shown_table(rows, columns, counts)


def with_totals(grid: Grid) -> Grid:
    rows = [[*line, sum(line)] for line in grid]
    return [*rows, [sum(column) for column in zip(*rows, strict=True)]]


def seen(table: Shown) -> list[list[int | None]]:
    rows = [[*line, total] for line, total in zip(table.cells, table.row_totals, strict=True)]
    return [*rows, [*table.column_totals, table.total]]


def possible(table: Shown, most: int) -> Iterator[Grid]:
    """Try every table up to a size and give those that would look the same: the reader's own way, by brute force."""
    height, width = len(table.rows), len(table.columns)
    for values in product(range(most + 1), repeat=height * width):
        full = with_totals([list(values[i * width : (i + 1) * width]) for i in range(height)])
        looks = zip(seen(table), full, strict=True)
        if all(
            (b > 0 if a is None else a == b) for line, true in looks for a, b in zip(line, true, strict=True)
        ):  # fmt: skip
            yield full


@given(TABLES)
@settings(max_examples=15, deadline=None)
def test_whoever_tries_all_tables_that_look_the_same_learns_no_small_number(grid: Grid) -> None:
    table, full = shown(grid), with_totals(grid)
    small = [(i, j) for i, line in enumerate(full) for j, count in enumerate(line) if 0 < count < SMALL]
    if not small:
        return
    # one more than the truth is enough to see a second value
    worlds = list(possible(table, max(max(line) for line in grid) + 1))
    assert full in worlds
    for i, j in small:
        assert len({world[i][j] for world in worlds}) > 1


@given(
    st.lists(st.lists(COUNTS, min_size=5, max_size=5), min_size=4, max_size=4),
)
def test_what_is_shown_is_true_and_nought_and_no_small_number_is_shown(grid: Grid) -> None:
    for line, true in zip(seen(shown(grid)), with_totals(grid), strict=True):
        for said, count in zip(line, true, strict=True):
            assert said in {None, count}
            assert said is None or said == 0 or said >= SMALL
            assert count > 0 or said == 0


def test_a_table_without_small_numbers_hides_nothing() -> None:
    assert None not in [count for line in seen(shown([[5, 0], [9, 7]])) for count in line]


def test_the_second_number_of_a_row_goes_with_the_first() -> None:
    table = shown([[3, 9], [7, 8]])
    assert table.cells == ((None, None), (None, None))
    assert (table.row_totals, table.column_totals, table.total) == ((12, 15), (10, 17), 27)


def test_a_lonely_small_number_takes_its_totals_with_it() -> None:
    table = shown([[3, 0], [0, 0]])
    assert (table.cells[0][0], table.row_totals[0], table.column_totals[0], table.total) == (None, None, None, None)


def test_a_list_hides_a_second_number_or_its_total() -> None:
    assert shown_list(["a", "b", "c"], {"a": 2, "b": 6, "c": 50})[0].count(None) == 2
    assert shown_list(["a", "b"], {"a": 2}) == ((None, 0), None)
    assert shown_list([], {}) == ((), 0)


def test_a_number_in_no_sum_is_hidden_when_it_is_small() -> None:
    assert [shown_alone(count) for count in (0, 1, 4, 5)] == [0, None, None, 5]
