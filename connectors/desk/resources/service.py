# SPDX-License-Identifier: Apache-2.0
"""The register's verbs: add, change, count a source for an entry, say that nothing is missing."""

from __future__ import annotations

from sqlalchemy import Connection

from connectors.casebook import access, resources
from connectors.casebook.resources import Entry, Said, Suggestion
from connectors.desk.web.visits import Visit


def add(connection: Connection, visit: Visit, said: Said, source: Suggestion | None) -> str:
    """Write an entry down; give its id."""
    return resources.add(connection, visit.pen(), said, source=source)


def change(connection: Connection, visit: Visit, entry: Entry, said: Said, *, seen: int) -> None:
    """Write an entry anew.

    *Raises* `ConnectorError("resource-changed")`.
    """
    resources.change(connection, visit.pen(), entry, said, seen=seen)


def assign(connection: Connection, visit: Visit, source: Suggestion, resource: str | None) -> None:
    """Count a source for an entry of the register, or for none.

    *Raises* `ConnectorError("resource-unknown")`.
    """
    if resource is not None:
        resources.entry(connection, resource)
    resources.assign(connection, visit.pen(), source, resource)


def note_export(connection: Connection, visit: Visit, rows: int, kind: str) -> None:
    """Write into the access log that somebody took the register along."""
    access.record(connection, staff=visit.me.id, action="resources:exported", about=f"{rows}:{kind}", now=visit.at)
