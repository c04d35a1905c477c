# SPDX-License-Identifier: Apache-2.0
"""Which forms of sheets this agency knows: those of the program, later versions and own fields, brought in as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.casebook.statements import Pen
from connectors.casebook.tables_sheets import sheet_definitions
from connectors.sheets import catalogue
from connectors.sheets.catalogue import Catalogue
from connectors.sheets.definitions import Definition, read_definition


def catalogue_of(connection: Connection) -> Catalogue:
    """Give every definition: the national ones, versions that were brought since, the municipality's own fields."""
    rows = connection.execute(sa.select(sheet_definitions).order_by(sheet_definitions.c.added_at)).all()
    brought = [read_definition(row.document) for row in rows if row.kind == "definition"]
    overlays = [catalogue.read_overlay(row.document) for row in rows if row.kind == "overlay"]
    return Catalogue([*catalogue.national(), *brought], overlays)


def keep_definition(connection: Connection, pen: Pen, data: Mapping[str, Any]) -> Definition:
    """Keep a further version of a sheet; give it.

    *Raises* `DefinitionError`, also where the own fields that are in use have no place in it;
    `ConnectorError("sheet-definition-changed")`: this version is there and says otherwise.
    """
    made = read_definition(data)
    try:
        known = catalogue_of(connection).find(made.code, made.version)
    except ConnectorError:
        known = None
    if known is not None and known != made:
        raise ConnectorError("sheet-definition-changed")
    if known is None:
        own = catalogue_of(connection).newest_overlay(made.code)
        if own is not None:
            catalogue.applied(made, own)
        _keep_data(connection, pen, made.name, "definition", data)
    return made


def keep_overlay(connection: Connection, pen: Pen, data: Mapping[str, Any]) -> Definition:
    """Keep a municipality's own fields of a sheet; give the definition with them in it.

    *Raises* `DefinitionError`; `ConnectorError`: `sheet-definition-unknown`, `sheet-definition-changed`.
    """
    made = catalogue.read_overlay(data)
    known = catalogue_of(connection)
    base = known.newest(made.sheet)
    national = known.find(base.code, base.version.partition("+")[0])
    name = f"{made.sheet}+{made.name}"
    row = connection.execute(sa.select(sheet_definitions).where(sheet_definitions.c.name == name)).one_or_none()
    if row is not None and row.document != dict(data):
        raise ConnectorError("sheet-definition-changed")
    effective = catalogue.applied(national, made)
    if row is None:
        _keep_data(connection, pen, name, "overlay", data)
    return effective


def _keep_data(connection: Connection, pen: Pen, name: str, kind: str, data: Mapping[str, Any]) -> None:
    values = {"name": name, "kind": kind, "document": dict(data), "added_at": pen.now, "added_by": pen.staff}
    connection.execute(insert(sheet_definitions).values(values))
    access.record(connection, staff=pen.staff, action="sheet-definition:kept", about=name, now=pen.now)
