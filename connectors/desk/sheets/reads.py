# SPDX-License-Identifier: Apache-2.0
"""What the sheets' pages show: a case's sheets, one sheet with its definition, its answers in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from connectors.base.labels import label
from connectors.casebook import access, sheets, statements
from connectors.casebook.sheet_definitions import catalogue_of
from connectors.casebook.sheets import Sheet
from connectors.desk.cases.reads import PersonBar, person_bar
from connectors.desk.sheets import rules
from connectors.desk.staff.reads import names_of
from connectors.desk.web.visits import Visit
from connectors.sheets.definitions import Definition, Field, Section
from connectors.sheets.parts import told_of
from connectors.sheets.saying import said

Row = tuple[str, ...]
_WITH_A_PLAN: Final = "plan"
"""The kind of a consent that was signed together with a plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A sheet with whose it is and by which form it is read."""

    sheet: Sheet = field(repr=False)
    bar: PersonBar
    definition: Definition
    may: rules.Doable
    names: Mapping[str, str]
    renewed: bool
    """Whether consent was signed together with a plan since this sheet was begun."""

    @property
    def problems(self) -> list[Section]:
        """The sections that tell of problems."""
        return self._toned("problems")

    @property
    def strengths(self) -> list[Section]:
        """The sections that tell of strengths; they stand beside the problems."""
        return self._toned("strengths")

    @property
    def others(self) -> list[Section]:
        """The other sections, in the order of the paper."""
        return self._toned("")

    def _toned(self, tone: str) -> list[Section]:
        return [one for one in self.definition.sections if one.tone == tone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The sheets of one kind of a case. `can_begin`: another may be begun beside them."""

    definition: Definition
    sheets: Sequence[Sheet]
    can_begin: bool


def shelves(connection: Connection, visit: Visit, case: str) -> tuple[PersonBar, list[Shelf], Mapping[str, str]]:
    """Give the sheets of a case by kind, in the order of the steps, and who wrote them; that they were seen is logged.

    *Raises* as `person_bar`.
    """
    bar = person_bar(connection, visit, case)
    known = catalogue_of(connection)
    held = sheets.sheets_of(connection, case)
    made = []
    for code in known.codes():
        definition = known.newest(code)
        own = [one for one in held if one.code == code]
        going = any(one.state != sheets.REPLACED for one in own)
        made.append(Shelf(definition=definition, sheets=own, can_begin=definition.many or not going))
    access.record(connection, staff=visit.me.id, action="sheets:listed", about=str(len(held)), case=case, now=visit.at)
    return bar, made, names_of(connection, {one.author for one in held})


def opened(connection: Connection, visit: Visit, sheet_id: str) -> Opened:
    """Open a sheet; that somebody looked is logged.

    *Raises* `ConnectorError`: `sheet-unknown`, `sheet-definition-unknown`; as `person_bar`.
    """
    sheet = sheets.sheet(connection, sheet_id)
    bar = person_bar(connection, visit, sheet.case)
    definition = sheets.definition_of(connection, sheet)
    access.record(connection, staff=visit.me.id, action="sheet:viewed", about=sheet.id, case=sheet.case, now=visit.at)
    staff = {sheet.author, sheet.settled_by or "", sheet.signature.recorded_by if sheet.signature else ""} - {""}
    return Opened(
        sheet=sheet,
        bar=bar,
        definition=definition,
        may=rules.doable(definition, sheet),
        names=names_of(connection, staff),
        renewed=any(
            one.record.kind == _WITH_A_PLAN and one.record.signed_at >= sheet.at
            for one in statements.consents_of(connection, sheet.case)
        ),
    )


def table_of(shown: Opened, visit: Visit, head: Sequence[str]) -> list[Row]:
    """Give a sheet as rows, `head` first: the code, the section, the question, the answer, its category."""
    language, body = visit.language, shown.sheet.answers
    return [
        tuple(head),
        *(
            (
                one.code,
                section.words.said(language),
                one.words.said(language),
                said(one, body, language),
                " / ".join(told_of(one, body)),
                " / ".join(label("categories", code, language) for code in told_of(one, body)),
            )
            for section in shown.definition.sections
            for one in section.fields
        ),
    ]


def answered(fields: Sequence[Field], sheet: Sheet) -> list[Field]:
    """Give the fields of a section that have an answer or a reason why there is none."""
    return [one for one in fields if said(one, sheet.answers, "ja")]
