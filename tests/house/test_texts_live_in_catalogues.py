# SPDX-License-Identifier: Apache-2.0
"""What a person reads is data in Japanese and English; code holds codes."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import ROOT, ours, short, tracked

JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def strings_outside_docstrings(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented: set[int] = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            documented |= {
                id(statement.value)
                for statement in body
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
            yield node.value


@pytest.mark.parametrize("path", ours(), ids=short)
def test_code_holds_no_japanese_text(path: Path) -> None:
    if "migrations" in path.parts:
        pytest.skip("comments on columns are written where the column is made")
    assert [text for text in strings_outside_docstrings(path) if JAPANESE.search(text)] == []


def labels(node: Any, where: str) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        if "ja" in node or "en" in node:
            yield where, node
        for name, value in node.items():
            yield from labels(value, f"{where}/{name}")
    elif isinstance(node, list):
        for position, value in enumerate(node):
            yield from labels(value, f"{where}/{position}")


CATALOGUES = [path for path in tracked(".json") if path.relative_to(ROOT).parts[0] in {"consent", "hub", "connectors"}]


@pytest.mark.parametrize("path", CATALOGUES, ids=short)
def test_every_label_is_there_in_japanese_and_in_english(path: Path) -> None:
    found = list(labels(json.loads(path.read_text(encoding="utf-8")), ""))
    lacking = [where for where, node in found if not (node.get("ja") and node.get("en"))]
    assert lacking == []
