# SPDX-License-Identifier: Apache-2.0
"""What the code says of itself, as the tables of the handbook: routes, problems, tasks, commands, settings.

`python -m tests.house.reference` writes the tables into the documents; `test_documentation` fails when one is old.
Which problems a route may answer is read off the code: every code that stands in a function the endpoint reaches.
"""

from __future__ import annotations

import ast
import inspect
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args

import click
from flask import Flask
from pydantic import BaseModel

from connectors.cli.main import main as agency_commands
from connectors.cli.texts import help_of
from hub.app import create_app
from hub.base import hubkeys
from hub.base.config import Settings
from hub.base.db import Database, Role
from hub.cli import main as hub_commands
from hub.web import openapi, permissions, problems
from tests.house.tree import ROOT, tracked

DOCS = ROOT / "docs"
COMMON = (
    "bad-request", "malformed-json", "bad-query", "bad-cursor", "idempotency-key-required", "unauthorized",
    "invalid-token", "invalid-dpop-proof", "forbidden", "insufficient-scope", "not-found", "method-not-allowed",
    "too-slow", "length-required", "idempotency-mismatch", "stale", "precondition-required", "too-large",
    "unsupported-media-type", "misdirected", "unknown-member", "missing-member", "wrong-type", "unknown-code",
    "bad-text", "too-many", "headers-too-large", "internal", "unavailable", "busy", "refused", "invalid", "conflict",
)  # fmt: skip
"""What any route may answer; it is said once."""
MOVE = "hub.referrals.api._declare"
"""The maker of the referral's moves: one list says what they may answer."""
SIGNED = frozenset({"bad-signature", "header-not-allowed", "malformed", "key-not-valid"})
STATE = frozenset({
    "already-opened", "bad-transition", "conference-needed", "content-stopped", "never-accepted", "return-first",
    "too-late", "wrong-party",
})  # fmt: skip
MESSAGE = SIGNED | {
    "alg-not-allowed", "chain-broken", "consent-mismatch", "consent-refused", "created-in-future", "key-not-current",
    "label-mismatch", "manifest-mismatch", "message-expired", "message-id-reused", "no-parts", "override-limit",
    "part-hash-mismatch", "recipient-inactive", "recipient-mismatch", "same-agency", "sender-inactive",
    "suite-not-supported", "thread-exists", "thread-mismatch",
}  # fmt: skip
READING = frozenset({"consent-refused", "gone"})
"""What a GET may refuse besides the common problems."""
CLOSED = ("hub.web.", "hub.base.db.")
"""Where the search for problems does not go: what every request passes."""


# ── the app ──


@cache
def app() -> Flask:
    """Build the whole hub on a database that is never asked."""
    folder = Path(tempfile.mkdtemp(prefix="tsn-docs-"))
    address = "postgresql+psycopg://nobody@/none?host=/nonexistent"
    settings = Settings(
        database_url=address,
        migration_url=address,
        redis_url=None,
        issuer="https://hub.example",
        data=folder,
        environment="test",
    )
    return create_app(settings, Database(address, Role.HUB), keys=hubkeys.load(folder))


def plain_routes() -> list[tuple[str, str]]:
    """Give the routes that are no operations of the API: health, metadata, OAuth, this description. The console is
    pages for people, told of in `docs/handbook/console.md`.
    """
    known = {(route.method.upper(), route.path) for route in openapi.routes(app())}
    shown = ((method, openapi.ARGUMENT.sub(r"{\g<name>}", path)) for method, path, _ in permissions.declared(app()))
    return sorted(route for route in shown if route not in known and not route[1].startswith("/console"))


# ── which problems a function reaches ──


@cache
def names() -> tuple[Mapping[str, ast.AST], Mapping[str, Mapping[str, str]]]:
    """Read every function, class and constant of hub and consent: `module.name` → tree, and what a module imports."""
    found: dict[str, ast.AST] = {}
    imported: dict[str, dict[str, str]] = {}
    for path in tracked(".py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] not in {"hub", "consent"} or "migrations" in parts:
            continue
        module = ".".join(parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported[module] = dict(_imports(tree))
        for node in tree.body:
            for name in _defined(node):
                found[f"{module}.{name}"] = node
    return found, imported


def _defined(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


def _imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((name.asname or name.name, f"{node.module}.{name.name}") for name in node.names)


@cache
def answers() -> frozenset[str]:
    """Give the models that routes answer with and never read: what a member of theirs refuses, no caller can send."""
    operations = [route.operation for route in openapi.routes(app())]
    read = models([one for op in operations for one in (op.body, op.query) if one is not None])
    return models([op.out for op in operations if op.out is not None]) - read


def models(some: Iterable[type[BaseModel]]) -> frozenset[str]:
    """Give models with those that they inherit from or hold, as `module.name`."""
    seen: set[type[BaseModel]] = set()
    waiting: list[Any] = list(some)
    while waiting:
        one = waiting.pop()
        waiting += get_args(one)
        if isinstance(one, type) and issubclass(one, BaseModel) and one is not BaseModel and one not in seen:
            seen.add(one)
            waiting += [*one.__bases__, *(member.annotation for member in one.model_fields.values())]
    return frozenset(f"{one.__module__}.{one.__qualname__}" for one in seen)


@cache
def reached(start: str) -> frozenset[str]:
    """Give the codes of problems.json that stand in what `start` (module.name) reaches."""
    known, imported = names()
    seen, codes, queue = set(), set(), [start]
    while queue:
        name = queue.pop()
        if name in seen or name not in known or name.startswith(CLOSED) or name in answers():
            continue
        seen.add(name)
        module = name.rpartition(".")[0]
        for node in ast.walk(known[name]):
            if isinstance(node, ast.Constant) and node.value in problems.catalogue():
                codes.add(str(node.value))
            elif isinstance(node, ast.Name):
                queue.append(imported[module].get(node.id, f"{module}.{node.id}"))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                queue.append(f"{imported[module].get(node.value.id, node.value.id)}.{node.attr}")
    return frozenset(codes)


def problems_of(route: openapi.Route) -> frozenset[str]:
    """Give what a route may answer besides the common problems."""
    method, owner = _method(route)
    known, imported = names()
    module, codes = method.__module__, set[str]()
    functions = (node for node in ast.walk(known[owner]) if isinstance(node, ast.FunctionDef))
    for node in ast.walk(next(one for one in functions if one.name == method.__name__)):
        if isinstance(node, ast.Name):
            codes |= reached(imported[module].get(node.id, f"{module}.{node.id}"))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            codes |= reached(f"{imported[module].get(node.value.id, node.value.id)}.{node.attr}")
        elif isinstance(node, ast.Constant) and node.value in problems.catalogue():
            codes.add(str(node.value))
    codes -= set(COMMON)
    return frozenset(codes & READING if route.method == "get" else codes)


def groups() -> Mapping[str, frozenset[str]]:
    """Give the lists that several routes share, the largest first."""
    moves = reached(MOVE) - set(COMMON)
    return {"*a move*": moves, "*a sealed message*": MESSAGE, "*a signed document*": SIGNED, "*a state*": STATE}


def told(codes: frozenset[str]) -> str:
    """Write codes with the shared lists by their names."""
    left, said = set(codes), []
    for name, group in groups().items():
        if group <= codes and group & left:
            said.append(name)
            left -= group
    return " ".join([*said, *(f"`{code}`" for code in sorted(left))])


def _method(route: openapi.Route) -> tuple[Any, str]:
    for rule in app().url_map.iter_rules():
        if openapi.ARGUMENT.sub(r"{\g<name>}", rule.rule) == route.path:
            resource: Any = getattr(app().view_functions[rule.endpoint], "view_class", None)
            handler = getattr(resource, route.method, None)
            if handler is not None:
                method = inspect.unwrap(handler)
                return method, f"{method.__module__}.{method.__qualname__.split('.', maxsplit=1)[0]}"
    raise LookupError(route.path)


# ── the tables ──


def routes_table() -> str:
    """Write what each route does, who may call it, and what it may refuse."""
    lines = ["| call | what | scope, any one | may also refuse |", "|---|---|---|---|"]
    for route in openapi.routes(app()):
        op = route.operation
        scopes = " ".join(f"`{scope}`" for scope in sorted(permissions.PERMISSIONS[op.permission].scopes))
        marks = " ⟳" * op.conditional + " ⏳" * (op.waits is not None)
        what = openapi.summary(op.summary, "en")
        lines.append(
            f"| `{route.method.upper()} {route.path}`{marks} | {what} | {scopes} | {told(problems_of(route))} |"
        )
    return "\n".join(lines)


def common_list() -> str:
    """Write what any route may refuse."""
    return " ".join(f"`{code}`" for code in COMMON)


def shared_lists() -> str:
    """Write the lists of problems that several routes share."""
    rows = [f"| {name} | {' '.join(f'`{code}`' for code in sorted(group))} |" for name, group in groups().items()]
    return "\n".join(["| name | may refuse |", "|---|---|", *rows])


def problems_table() -> str:
    """Write every problem: code, status, what it says."""
    lines = ["| code | status | title | 日本語 | what to do |", "|---|---|---|---|---|"]
    for code, text in sorted(problems.catalogue().items(), key=lambda item: (item[1].status, item[0])):
        title = f"{text.title['en']} | {text.title['ja']} | {text.detail['en']}"
        lines.append(f"| `{code}` | {text.status} | {title} |")
    return "\n".join(lines)


def tasks_table() -> str:
    """Write every kind of task."""
    labels = json.loads((ROOT / "hub" / "tasks" / "labels.json").read_text(encoding="utf-8"))
    rows = [f"| `{kind}` | {text['en']} | {text['ja']} |" for kind, text in labels.items()]
    return "\n".join(["| kind | what the person reads | 日本語 |", "|---|---|---|", *rows])


def commands(program: str) -> list[tuple[str, str]]:
    """Give every command of a program (tsunagi, tsunagi-hub) with what it does."""
    top = hub_commands if program == "tsunagi-hub" else agency_commands

    def walk(group: Any, words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        asking = click.Context(group)  # some of the hub's groups are loaded when they are asked for
        for name in sorted(group.list_commands(asking)):
            command, path = group.get_command(asking, name), (*words, name)
            if isinstance(command, click.Group):
                yield from walk(command, path)
            else:
                said = command and command.help if program == "tsunagi-hub" else help_of(" ".join(path), "", "en")
                yield " ".join((program, *path)), " ".join((said or "").split())

    return list(walk(top, ()))


def commands_table(program: str) -> str:
    """Write every command of a program."""
    rows = [f"| `{name}` | {said} |" for name, said in commands(program)]
    return "\n".join(["| command | what |", "|---|---|", *rows])


def settings(house: str) -> frozenset[str]:
    """Give the names of the environment that hub or connectors read."""
    name = re.compile(r'"((?:TSUNAGI|DATABASE|REDIS)_[A-Z_]+)"')
    sources = (path for path in tracked(".py") if path.relative_to(ROOT).parts[0] == house)
    return frozenset(found for path in sources for found in name.findall(path.read_text(encoding="utf-8")))


TABLES: Mapping[tuple[str, str], Callable[[], str]] = {
    ("api.md", "routes"): routes_table,
    ("api.md", "common problems"): common_list,
    ("api.md", "shared problems"): shared_lists,
    ("handbook/problems.md", "problems"): problems_table,
    ("handbook/events.md", "tasks"): tasks_table,
    ("handbook/operating.md", "commands"): partial(commands_table, "tsunagi-hub"),
    ("handbook/agency.md", "commands"): partial(commands_table, "tsunagi"),
}
"""Every generated table, by its document and name."""


def frame(name: str) -> re.Pattern[str]:
    """Find a table in its document, between its two marks."""
    return re.compile(rf"(<!-- {name}: made by `python -m tests.house.reference` -->\n).*?(<!-- end -->)", re.DOTALL)


def write() -> None:
    """Put every table into its document."""
    for (document, name), make in TABLES.items():
        path, text = DOCS / document, make()
        old = path.read_text(encoding="utf-8")
        new = frame(name).sub(lambda found, text=text: f"{found[1]}{text}\n{found[2]}", old)
        path.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    write()
