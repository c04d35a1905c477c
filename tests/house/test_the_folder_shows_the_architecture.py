# SPDX-License-Identifier: Apache-2.0
"""Import contracts, names, sizes, headers: what a reader may rely on without looking."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import ROOT, ours, short, tracked

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
TOP_LEVEL = {
    "bench", "connectors", "consent", "deploy", "docs", "hub", "tests", ".ci",
    "CHANGELOG.md", "LICENSE", "NOTICE", "Makefile", "README.ja.md", "README.md", "SECURITY.md", "pyproject.toml",
    "requirements.in", "requirements.txt", "requirements-dev.txt", ".gitignore", ".gitattributes", "CONTRIBUTING.md",
}  # fmt: skip
SLICES = (
    "agencies",
    "audit",
    "cases",
    "intakes",
    "meetings",
    "messages",
    "outbox",
    "referrals",
    "staff",
    "tasks",
    "webhooks",
)
BANNED_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|common|misc)(_|$)")


def test_the_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:]


def test_dependencies_are_those_that_are_imported() -> None:
    program = Path(sys.executable).with_name("deptry")
    run = subprocess.run([program, "."], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-4000:]


def test_nothing_stands_beside_the_agreed_top_level() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked("")}
    assert found <= TOP_LEVEL


@pytest.mark.parametrize("path", tracked("__init__.py"), ids=short)
def test_an_init_file_holds_a_docstring_and_nothing_else(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)
    assert isinstance(body[0].value, ast.Constant)
    assert isinstance(body[0].value.value, str)


def test_every_python_file_begins_with_its_licence_and_a_docstring() -> None:
    for path in tracked(".py"):
        text = path.read_text(encoding="utf-8")
        assert text.startswith("# SPDX-License-Identifier: Apache-2.0\n"), short(path)
        assert ast.get_docstring(ast.parse(text)), f"{short(path)} has no docstring"


def test_no_file_holds_more_than_one_thing() -> None:
    long = {short(path): len(path.read_text(encoding="utf-8").splitlines()) for path in tracked(".py")}
    assert {name: lines for name, lines in long.items() if lines > LONGEST_FILE} == {}


def test_a_function_fits_a_screen() -> None:
    long = {}
    for path in ours():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    long[f"{short(path)}:{node.name}"] = lines
    assert long == {}


def test_no_name_says_nothing() -> None:
    names = [short(path) for path in tracked(".py") if BANNED_NAMES.search(path.stem)]
    assert names == []


@pytest.mark.parametrize("name", SLICES)
def test_every_slice_of_the_hub_is_there(name: str) -> None:
    assert (ROOT / "hub" / name / "__init__.py").is_file()
    assert (ROOT / "hub" / name / "service.py").is_file()


def test_no_unfinished_marks_are_left() -> None:
    # written in pieces, so that this file is none of those that it looks for
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")
    marks = re.compile(rf"\b({'|'.join(words)})\b")
    found = [short(path) for path in tracked(".py") if marks.search(path.read_text("utf-8"))]
    assert found == []
