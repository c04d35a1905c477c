# SPDX-License-Identifier: Apache-2.0
"""What the register's pages show, and its rows for a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from connectors.base.labels import label
from connectors.casebook import directory, resources
from connectors.casebook.resources import Change, Entry, Suggestion
from connectors.desk.resources import rules
from connectors.desk.staff import reads as staff
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Visit
from consent.vocabulary.codes import Language

COLUMNS = (
    "id", "kind", "kind-label", "state", "state-label", "area", "what", "owner", "next-step", "next-on", "outcome",
    "declines", "lines", "made-on", "changed-on",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """The register as its list shows it."""

    entries: Sequence[Entry]
    counts: Sequence[rules.Count]
    suggested: Sequence[tuple[Suggestion, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One entry with its history and who wrote it."""

    entry: Entry
    changes: Sequence[Change]
    names: Mapping[str, str]


def register(connection: Connection, visit: Visit, *, kind: str | None, state: str | None) -> Register:
    """Give the register, narrowed as wished, with what should be looked at."""
    everything = resources.entries(connection)
    found = [one for one in everything if kind in {None, one.said.kind} and state in {None, one.said.state}]
    known = {one.id: one for one in directory.agencies(connection)}
    suggested = []
    for one in resources.suggestions(connection, visit.site.connector.agency):
        agency = known.get(one.agency)
        name = (agency.name_ja if visit.language == "ja" else agency.name_en) if agency else ""
        suggested.append((one, name))
    return Register(entries=found, counts=rules.counts(everything, visit.today), suggested=suggested)


def kept(connection: Connection, resource: str) -> Kept:
    """Give one entry.

    *Raises* `ConnectorError("resource-unknown")`.
    """
    entry = resources.entry(connection, resource)
    changes = resources.history(connection, resource)
    return Kept(entry=entry, changes=changes, names=staff.names_of(connection, {one.staff for one in changes}))


def suggestion(connection: Connection, visit: Visit, about: str) -> Suggestion | None:
    """Give what should be looked at by what it is about; none where nothing is, or somebody has looked."""
    return resources.suggestion(connection, visit.site.connector.agency, about) if about else None


def rows_of(entries: Iterable[Entry], language: Language) -> list[list[str]]:
    """Write the register as rows, a header first: codes beside their labels, days by ISO 8601."""
    head = [text(f"resources.column-{one}", language) for one in COLUMNS]
    return [head, *(_row(one, language) for one in entries)]


def _row(one: Entry, language: Language) -> list[str]:
    said = one.said
    return [
        one.id,
        said.kind,
        label("resource_kind", said.kind, language),
        said.state,
        label("resource_state", said.state, language),
        said.area,
        said.what,
        said.owner,
        said.next_step,
        said.next_on.isoformat() if said.next_on else "",
        said.outcome,
        str(one.declines),
        str(one.lines),
        one.made_at.date().isoformat(),
        one.changed_at.date().isoformat(),
    ]
