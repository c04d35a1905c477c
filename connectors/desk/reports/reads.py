# SPDX-License-Identifier: Apache-2.0
"""What the report's page and files show: the month's sections with labels in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from connectors.base.labels import codes, label
from connectors.casebook import access, figures
from connectors.casebook.figures import Span
from connectors.casebook.sheet_definitions import catalogue_of
from connectors.desk.reports import rules
from connectors.desk.reports.rules import HIDDEN, Figure, Lists, Section
from connectors.desk.web.texts import text
from connectors.desk.web.visits import Visit
from connectors.sheets.catalogue import Catalogue
from consent.vocabulary.codes import Language

_ROWS: Final = {"national": "reports.national-", "people": "reports.people-", "follow-ups": "reports.follow-ups-"}
"""Where the labels of rows stand that are no codes of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row as it is read: `bar` is its length in hundredths (`rules.lengths`)."""

    code: str
    label: str
    figures: tuple[str, ...]
    bar: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A section as it is read. `is_empty`: all its figures are zero or nothing."""

    key: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    is_empty: bool


def month(connection: Connection, visit: Visit, span: Span, *, shared: bool) -> Sequence[Table]:
    """Count a month of this agency; with `shared` small numbers are hidden."""
    known = catalogue_of(connection)
    facts = figures.facts(connection, visit.site.connector.agency, span)
    sections = rules.report(facts, _lists(known))
    if shared:
        sections = rules.shared(sections)
    return [_table(one, known, visit.language) for one in sections]


def rows_of(tables: Sequence[Table], span: Span, language: Language) -> list[list[str]]:
    """Write a month as rows for a file, a header first: month, table, code, label, column, figure."""
    head = [text(f"reports.file-{one}", language) for one in ("month", "table", "code", "label", "column", "figure")]
    rows, nothing = [head], text("reports.nothing", language)
    for one in tables:
        for line in one.lines:
            for column, figure in zip(one.columns, line.figures, strict=True):
                rows.append(
                    [
                        span.first.strftime("%Y-%m"),
                        one.title,
                        line.code,
                        line.label,
                        column,
                        "" if figure == nothing else figure,
                    ]
                )
    return rows


def note_taken(connection: Connection, visit: Visit, span: Span, kind: str) -> None:
    """Write into the access log that somebody took a month's figures along."""
    about = f"{span.first:%Y-%m}:{kind}"
    access.record(connection, staff=visit.me.id, action="report:exported", about=about, now=visit.at)


def _lists(known: Catalogue) -> Lists:
    return Lists(
        recipients=list(codes("recipients")),
        screening=list(codes("screening")),
        traits=_options(known, "assessment", "traits"),
        outcomes=list(codes("outcome")),
        declines=list(codes("decline_reason")),
        going=list(codes("accompaniment_state")),
        follow_up_results=list(codes("follow_up_result")),
        changes=_options(known, "review", "changes"),
        results=_options(known, "review", "result"),
        endings=list(codes("closure_reason")),
        resources=list(codes("resource_kind")),
    )


def _options(known: Catalogue, sheet: str, name: str) -> list[str]:
    """Give the codes of a field's options, a municipality's own among them; none where its form asks no such thing."""
    found = known.newest(sheet).field(name)
    return [one.code for one in found.options] if found else []


def _table(section: Section, known: Catalogue, language: Language) -> Table:
    lines = tuple(
        Line(
            code=row.code,
            label=_label(section, row.code, known, language),
            figures=tuple(_said(one, language) for one in row.figures),
            bar=length,
        )
        for row, length in zip(section.rows, rules.lengths(section), strict=True)
    )
    return Table(
        key=section.key,
        title=text(f"reports.title-{section.key}", language),
        columns=tuple(text(f"reports.column-{one}", language) for one in section.columns),
        lines=lines,
        is_empty=not any(one for row in section.rows for one in row.figures),
    )


def _label(section: Section, code: str, known: Catalogue, language: Language) -> str:
    if code.startswith("result:"):
        return label("follow_up_result", code.removeprefix("result:"), language)
    if section.names == "text":
        return text(_ROWS[section.key] + code, language)
    if section.names.startswith("field:"):
        sheet, _, name = section.names.removeprefix("field:").partition(".")
        found = known.newest(sheet).field(name)
        option = found.option(code) if found else None
        return option.words.said(language) if option else code
    return label(section.names, code, language)


def _said(figure: Figure, language: Language) -> str:
    if figure is None:
        return text("reports.nothing", language)
    if figure == HIDDEN:
        return text("reports.hidden", language)
    return f"{figure:g}"
