# SPDX-License-Identifier: Apache-2.0
"""Pure decisions of the sheets' pages: from a form's fields to a body and back, what may be done with a sheet now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from connectors.casebook.sheets import ADOPTED, AMENDMENT, DRAFT, HOLDS, RE_PLAN, SETTLED, Sheet
from connectors.sheets.answers import MOST_ROWS, OTHER_WORDS, UNASKED, is_empty
from connectors.sheets.definitions import Definition, Field, Kind

BLANK_ROWS: Final = 2
"""Empty rows that a table offers below those that are filled in."""
FEWEST_ROWS: Final = 3

Form = MultiDict[str, str]


def body_of(fields: Iterable[Field], form: Form) -> dict[str, Any]:
    """Read what a page holds, as it was written; nothing is judged here."""
    body: dict[str, Any] = {}
    for one in fields:
        if one.kind is Kind.CHOICES:
            body[one.code] = list(dict.fromkeys(form.getlist(one.code)))
        elif one.kind is Kind.TABLE:
            body[one.code] = _rows(one, form)
        else:
            body[one.code] = form.get(one.code, "").replace("\r\n", "\n")
        for end in (OTHER_WORDS, UNASKED):
            body[one.code + end] = form.get(one.code + end, "")
    return {key: said for key, said in body.items() if not is_empty(said)}


def form_of(fields: Iterable[Field], body: Mapping[str, Any]) -> Form:
    """Give the fields of the page that shows a body."""
    form: Form = MultiDict()
    for one in fields:
        said = body.get(one.code)
        if one.kind is Kind.TABLE:
            for n, row in enumerate(said if isinstance(said, list) else []):
                for column, cell in row.items():
                    form[cell_name(one.code, n, column)] = str(cell)
        elif one.kind is Kind.CHOICES:
            form.setlist(one.code, [str(code) for code in said or []])
        elif said is not None:
            form[one.code] = str(said)
        for end in (OTHER_WORDS, UNASKED):
            if one.code + end in body:
                form[one.code + end] = str(body[one.code + end])
    return form


def rows_shown(one: Field, body: Mapping[str, Any]) -> int:
    """Say how many rows of a table the page offers."""
    said = body.get(one.code)
    filled = len(said) if isinstance(said, list) else 0
    return min(max(filled + BLANK_ROWS, FEWEST_ROWS), MOST_ROWS)


def cell_name(table: str, n: int, column: str) -> str:
    """Name the field of a table's cell."""
    return f"{table}.{n}.{column}"


def _rows(one: Field, form: Form) -> list[dict[str, str]]:
    rows = []
    for n in range(MOST_ROWS + 1):
        row = {column.code: form.get(cell_name(one.code, n, column.code), "") for column in one.columns}
        if not is_empty(row):
            rows.append({code: cell for code, cell in row.items() if cell.strip()})
    return rows


# ── what may be done ──


@dataclass(frozen=True, slots=True, kw_only=True)
class Doable:
    """What can be done with a sheet now."""

    edit: bool
    renew: bool
    sign: bool
    adopt: bool
    amend: bool
    note: bool
    share: bool


def doable(definition: Definition, sheet: Sheet) -> Doable:
    """Say what can be done with a sheet now; the casebook refuses the rest by itself."""
    settled, adopted = sheet.state == SETTLED, sheet.state == ADOPTED
    return Doable(
        edit=sheet.state == DRAFT,
        renew=settled,
        sign=settled and definition.signed and sheet.signature is None,
        adopt=settled and definition.adopted and (sheet.signature is not None or not definition.signed),
        amend=adopted,
        note=adopted,
        share=sheet.state in HOLDS and not definition.kept_here,
    )


def steps_to_adoption(sheet: Sheet, *, renewed: bool) -> list[tuple[str, bool]]:
    """Name what must be there before a plan holds, each with whether it is.

    `renewed`: consent was signed together with a plan since this one was begun. It bars nothing: what the person
    agreed to before holds until its own end.
    """
    steps = [("settled", sheet.state != DRAFT), ("signed", sheet.signature is not None)]
    if sheet.change == RE_PLAN:
        steps.append(("consent", renewed))
    if sheet.change != AMENDMENT:
        steps.append(("meeting", "meeting_on" in sheet.after))
    return [*steps, ("adopted", sheet.state == ADOPTED)]
