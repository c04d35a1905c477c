# SPDX-License-Identifier: Apache-2.0
"""The documents say what the code does: every route, setting, problem, entry of the log and command, and no other."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from hub.audit.rules import AuditKind
from hub.web import openapi, problems
from tests.house import reference
from tests.house.tree import ROOT, short, tracked

DOCS = ROOT / "docs"
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
KIND = re.compile(r"[a-z_]+:[a-z_]+")


@cache
def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def lines_with(name: str, start: str, end: str) -> str:
    """Give the part of a document between two headings."""
    return text(name).partition(start)[2].partition(end)[0]


def test_what_only_an_answer_could_refuse_is_told_of_no_route() -> None:
    told = {f"{one.method.upper()} {one.path}": reference.problems_of(one) for one in openapi.routes(reference.app())}
    assert "bad-date" in told["POST /v1/meetings"]  # it reads until when
    assert "bad-date" not in told["POST /v1/meetings/{meeting}/accept"]  # it reads nothing and answers with it
    assert "bad-date" not in told["POST /v1/webhooks"]


@pytest.mark.parametrize(("document", "table"), list(reference.TABLES), ids=" ".join)
def test_a_made_table_is_the_one_that_the_code_makes_now(document: str, table: str) -> None:
    found = reference.frame(table).search(text(document))
    assert found, f"{document} has no place for {table}"
    made = found[0].removeprefix(found[1]).removesuffix(found[2]).strip()
    assert made == reference.TABLES[document, table](), "run: python -m tests.house.reference"


def test_every_route_is_in_the_api_page() -> None:
    routes = [f"{route.method.upper()} {route.path}" for route in openapi.routes(reference.app())]
    routes += [" ".join(route) for route in reference.plain_routes()]
    assert [route for route in routes if f"`{route}`" not in text("api.md")] == []


def test_the_api_page_names_no_route_that_is_not_there() -> None:
    named = re.findall(r"`(?:GET|POST|PATCH|PUT|DELETE) (/[^`? ]*)", text("api.md"))
    known = {route.path for route in openapi.routes(reference.app())} | {path for _, path in reference.plain_routes()}
    assert [path for path in named if path not in known] == []


def test_every_setting_is_in_a_handbook() -> None:
    for house, page in (("hub", "operating.md"), ("connectors", "agency.md")):
        names = reference.settings(house)
        assert names
        assert [name for name in names if f"`{name}`" not in text(f"handbook/{page}")] == []


def test_the_handbook_names_no_setting_that_is_not_read() -> None:
    named = set(re.findall(r"`((?:TSUNAGI|DATABASE|REDIS)_[A-Z_]+)`", text("handbook/operating.md")))
    assert named <= reference.settings("hub")


def test_every_problem_is_explained() -> None:
    assert [code for code in problems.catalogue() if f"| `{code}` |" not in text("handbook/problems.md")] == []


def test_every_kind_of_entry_is_explained_and_no_other() -> None:
    page = lines_with("handbook/events.md", "## Entries of the audit log", "## The event feed")
    named = [word for word in CODE.findall(page) if KIND.fullmatch(word)]
    assert sorted(named) == sorted(kind.value for kind in AuditKind)


def test_the_reserved_kinds_are_those_that_nothing_writes() -> None:
    reserved = set(KIND.findall(lines_with("handbook/events.md", "**Reserved**", "## The event feed")))
    sources = [path for path in tracked(".py") if short(path).startswith("hub/") and path.name != "rules.py"]
    written = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    unused = {kind.value for kind in AuditKind if not re.search(rf"\bAuditKind\.{kind.name}\b", written)}
    assert reserved == {value for value in unused if f'"{value}"' not in written}


def test_every_command_that_the_documents_name_is_there() -> None:
    for program in ("tsunagi", "tsunagi-hub"):
        known = {tuple(name.split()[1:]) for name, _ in reference.commands(program)}
        heads = {path[:length] for path in known for length in range(1, len(path) + 1)}
        for page in sorted(DOCS.rglob("*.md")):
            for said in re.findall(rf"`(?:[A-Z_]+=\S+ )?{program} ([^`\n]+)`", page.read_text(encoding="utf-8")):
                words = tuple(re.match(r"(?:[a-z][a-z-]*(?: |$))+|", said)[0].split())[:2]  # type: ignore[index]
                assert not words or words in heads or words[:1] in known, f"{page.name}: {program} {said}"


def test_the_pages_name_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE))
    named = {said for page in DOCS.rglob("*.md") for said in re.findall(r"`make ([a-z-]+)", page.read_text("utf-8"))}
    assert named <= targets


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    bare = {re.split(r"[\[<>=]", one)[0] for one in named} - {project["name"]}
    page = text("decisions/dependencies.md")
    assert [name for name in sorted(bare) if name not in page] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=short)
def test_links_lead_to_files(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text("utf-8")) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=short)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = re.findall(r"`((?:hub|consent|connectors|deploy|tests|bench|docs)/[\w./-]+)`", page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []
