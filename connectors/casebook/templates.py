# SPDX-License-Identifier: Apache-2.0
"""Scope templates: what the paper 個人情報に関する管理・取扱規程 of a municipality says, as data (consent.md).

One comes with the vocabulary; those that a municipality approved are kept here, each version for itself, because a
consent names the version that was explained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import access
from connectors.casebook.statements import Pen
from connectors.casebook.tables_files import scope_templates
from consent.forms import Template, read_template
from consent.vocabulary.codes import scope_template

GENERIC: Final = "generic"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTemplate:
    """A template and what people call it."""

    template: Template
    ja: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A template with its file, and who brought it when; none of these for the one that comes with the program."""

    named: NamedTemplate
    document: Mapping[str, Any]
    added_at: datetime | None = None
    added_by: str | None = None


def keep_template(connection: Connection, pen: Pen, data: Mapping[str, Any]) -> Template:
    """Keep a template that the municipality approved; the same version again replaces nothing but its names.

    *Raises* as `read_template`; `ConnectorError("template-changed")`: this version is here with other content.
    """
    template = read_template(data)
    known = next((one.template for one in templates(connection) if one.template.name == template.name), None)
    if known is not None and known != template:
        raise ConnectorError("template-changed")
    values = {"document": dict(data), "added_at": pen.now, "added_by": pen.staff}
    statement = insert(scope_templates).values(name=template.name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
    access.record(connection, staff=pen.staff, action="template:kept", about=template.name, now=pen.now)
    return template


def templates(connection: Connection) -> Sequence[NamedTemplate]:
    """Give every template, the municipality's newest first and the general one last."""
    rows = connection.execute(sa.select(scope_templates.c.document).order_by(scope_templates.c.added_at.desc()))
    return [_named(row.document) for row in rows] + [_named(scope_template(GENERIC))]


def versions(connection: Connection) -> Sequence[Version]:
    """Give every template with its file, in the order in which intake offers them."""
    rows = connection.execute(sa.select(scope_templates).order_by(scope_templates.c.added_at.desc()))
    kept = [
        Version(named=_named(row.document), document=row.document, added_at=row.added_at, added_by=row.added_by)
        for row in rows
    ]
    general = scope_template(GENERIC)
    return [*kept, Version(named=_named(general), document=general)]


def _named(data: Mapping[str, Any]) -> NamedTemplate:
    return NamedTemplate(template=read_template(data), ja=data["ja"], en=data["en"])
