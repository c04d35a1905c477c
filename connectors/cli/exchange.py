# SPDX-License-Identifier: Apache-2.0
"""`tsunagi import` and `tsunagi export`: persons as UTF-8 CSV, one header row, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from connectors.agencies.referral_forms import referral_form
from connectors.casebook import listing, people
from connectors.cli.desk import Desk, write_new
from connectors.cli.errors import CliError
from connectors.cli.frame import Noun, argument, option, verb
from connectors.cli.kinds import read_file
from connectors.cli.saying import Said

taking_in: Final = Noun("import")
giving_out: Final = Noun("export")
_COLUMNS: Final = ("name", "kana")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@verb(taking_in, "people", argument("file"))
def import_people(desk: Desk, *, file: str) -> Said:
    """Take in persons: columns name and kana, by code or label. All rows or none; who is here already is left out."""
    rows = list(_rows(Path(file)))
    with desk.open() as connector, connector.casebook.transaction() as connection:
        added, skipped = [], 0
        for row in rows:
            if listing.is_registered(connection, name=row["name"], kana=row["kana"]):
                skipped += 1
                continue
            pen = connector.pen(desk.staff)
            new = people.register_person(
                connection, person=pen.new_id(), name=row["name"], kana=row["kana"], staff=pen.staff, now=pen.now
            )
            added.append(new.id)
    lines = [desk.text("people-imported", added=len(added), skipped=skipped)]
    return Said(document={"added": added, "skipped": skipped}, lines=lines)


@verb(giving_out, "people", option("--to"))
def export_people(desk: Desk, *, to: str | None) -> Said:
    """Give out every person with their cases, to a file that only its owner can read, or to standard output."""
    with desk.open() as connector, connector.casebook.transaction() as connection:
        everybody = listing.everybody(connection, staff=desk.staff, now=connector.now())
        cases = listing.cases_of(connection, [one.id for one in everybody])
    rows = [{"id": one.id, "name": one.name, "kana": one.kana, "cases": " ".join(cases[one.id])} for one in everybody]
    written = _csv(rows)
    if to is None:
        return Said(document={"people": rows}, lines=written.rstrip("\n").split("\n"))
    write_new(Path(to), written)
    lines = [desk.text("people-exported", count=len(rows), file=to)]
    return Said(document={"people": len(rows), "file": to}, lines=lines)


def _rows(path: Path) -> Iterable[Mapping[str, str]]:
    """Read the rows, each with every column of ours.

    *Raises* `CliError`: `csv-not-utf8`, `csv-columns`, `csv-row` with its number.
    """
    try:
        text = read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CliError("csv-not-utf8", file=str(path)) from None
    lines = list(csv.reader(io.StringIO(text, newline="")))
    columns = [_column(cell) for cell in lines[0]] if lines else []
    if "name" not in columns or len(set(columns)) < len(columns) or not set(columns) <= set(_COLUMNS):
        raise CliError("csv-columns")
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        row = dict(zip(columns, cells, strict=False))
        if len(cells) != len(columns) or not row["name"].strip():
            raise CliError("csv-row", row=str(number))
        yield {column: _unguarded(row.get(column, "")) for column in _COLUMNS}


def _column(said: str) -> str:
    """Know a column by its code or by its label on the forms."""
    fields = referral_form("general").fields
    word = said.strip()
    return next((one.code for one in fields if word in {one.code, one.ja, one.en}), word)


def _csv(rows: list[dict[str, str]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ("id", "name", "kana", "cases"), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _guarded(cell) for name, cell in row.items()} for row in rows)
    return out.getvalue()


def _guarded(cell: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:].startswith(_FORMULA) else cell
