# SPDX-License-Identifier: Apache-2.0
"""Every row of bad input (`tests/security/bad_input.json`) names tests that exist, or says why it does not apply."""

from __future__ import annotations

import ast
import json
from functools import cache
from typing import Any

import pytest

from tests.house.tree import ROOT

TABLE: dict[str, dict[str, Any]] = json.loads(
    (ROOT / "tests" / "security" / "bad_input.json").read_text(encoding="utf-8")
)["rows"]
SIZES = {
    "OAU": 17,
    "JOS": 21,
    "HTT": 14,
    "CON": 18,
    "REF": 11,
    "TEN": 12,
    "SSR": 5,
    "FIL": 7,
    "JPN": 10,
    "WEB": 10,
    "LOG": 13,
}
"""How many rows each group of the list has: one that falls out of the table is missed here."""


@cache
def functions_of(name: str) -> frozenset[str]:
    tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_every_row_of_every_group_is_listed() -> None:
    assert {group: sum(row.startswith(group) for row in TABLE) for group in SIZES} == SIZES
    assert {row[:3] for row in TABLE} == SIZES.keys()


@pytest.mark.parametrize("row", TABLE)
def test_a_row_names_tests_that_exist_or_says_why_not(row: str) -> None:
    said = TABLE[row]
    assert said.keys() <= {"tests", "not_applicable"}
    assert said.get("tests") or len(said["not_applicable"]) > 20
    for named in said.get("tests", ()):
        file, _, test = named.partition("::")
        assert test.startswith("test_"), named
        assert (ROOT / file).is_file(), named
        assert test in functions_of(file), named
