# SPDX-License-Identifier: Apache-2.0
"""Everything that is held about one person, for the person who asks to see it (開示請求, APPI art. 33): a ZIP.

Gathered from every table of the casebook that knows of a case or a person, so that what a later slice keeps is in it
without a change here; a test holds that each table is either gathered or named as one about nobody.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import listing, tables_sheets
from connectors.casebook import tables as casebook
from connectors.casebook import tables_files as own
from connectors.casebook import tables_finding as finding
from connectors.casebook import tables_meetings as held_at
from connectors.casebook import tables_mirror as mirror
from connectors.desk.exchange import sheets, writing
from consent.calendar import JST

NOT_ABOUT_ANYBODY: Final = frozenset(
    {"access_anchors", "agencies", "agency_profiles", "anchor_checks", "calendar_feeds", "case_numbers", "conferences",
     "hub_meetings", "imports", "meeting_members", "meetings", "outgoing", "resource_changes", "resource_sources",
     "resources", "scope_templates", "secrecy", "settings", "sheet_definitions", "snoozes", "staff_members",
     "staff_passkeys", "staff_recovery_codes", "staff_sessions", "staff_spent_challenges", "superseded", "threads"}
)  # fmt: skip
"""Tables about staff, partners, the desk itself, or what waits sealed; none of them says anything of a person.

A meeting's own row may speak of everybody on its agenda; what was said of one person is in `meeting_lines`. The
register of missing resources names nobody.
"""
LEFT_OUT: Final = frozenset(
    {"search_key", "phone_key", "found_by", "digest", "looks_like", "evidence_key", "salt", "kept"}
)
"""Columns that only repeat others, name somebody else, or are the agency's own secrets."""
TELLER: Final = frozenset({"teller", "teller_phone"})
"""What a tip says of whoever told it: they were promised that the person does not learn of it."""
_ENDINGS: Final = {
    "application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png", "text/plain": "txt", "application/json": "json",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held: the rows of each table that has any, and the files in them by the name they get."""

    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    files: Mapping[str, bytes]


def gather(connection: Connection, case: str) -> Held:
    """Gather what is held of the person behind a case, of all their cases; of a partner's case, of that case alone.

    *Raises* `ConnectorError("case-unknown")`.
    """
    person = listing.case_of(connection, case).person
    cases = list(listing.cases_of(connection, [person])[person]) if person else [case]
    made: dict[str, list[dict[str, Any]]] = {}
    files: dict[str, bytes] = {}
    for table in casebook.metadata.sorted_tables:
        which = _which(table, cases, person)
        if which is None:
            continue
        rows = connection.execute(sa.select(table).where(which)).mappings().all()
        if rows:
            made[table.name] = [
                _plain(table.name, n, {str(name): value for name, value in row.items()}, files)
                for n, row in enumerate(rows, start=1)
            ]
    return Held(tables=made, files=files)


def pack(held: Held, readme: str, lists: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """Pack it: a page to read first, lists as people read them, every table as CSV, all of it as JSON, the files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", "\ufeff" + readme)
        for name, rows in lists.items():
            archive.writestr(f"{name}.csv", writing.table_of(rows, sheets.CSV_UTF8))
        archive.writestr("record.json", json.dumps(held.tables, ensure_ascii=False, indent=1))
        for name, rows_ in held.tables.items():
            archive.writestr(f"tables/{name}.csv", writing.table_of(_as_table(rows_), sheets.CSV_UTF8))
        for name, body in held.files.items():
            archive.writestr(f"files/{name}", body)
    return out.getvalue()


def is_gathered(table: sa.Table) -> bool:
    """Say whether rows of a table can be in it."""
    return _which(table, [""], "") is not None


def _which(table: sa.Table, cases: Sequence[str], person: str | None) -> sa.ColumnElement[bool] | None:
    """Give which rows of a table are about somebody; none where the table is about nobody."""
    special = _SPECIAL.get(table.name)
    if special is not None:
        return special(cases, person)
    return table.c.case.in_(cases) if "case" in table.c else None


def _messages(cases: Sequence[str]) -> sa.Select[Any]:
    return sa.select(casebook.messages.c.id, casebook.messages.c.sender).where(casebook.messages.c.case.in_(cases))


def _referrals(cases: Sequence[str]) -> sa.Select[Any]:
    return sa.select(casebook.referrals.c.id).where(casebook.referrals.c.case.in_(cases))


def _drafts(cases: Sequence[str]) -> sa.Select[Any]:
    return sa.select(own.drafts.c.id).where(own.drafts.c.case.in_(cases))


def _sheets(cases: Sequence[str]) -> sa.Select[Any]:
    return sa.select(tables_sheets.sheets.c.id).where(tables_sheets.sheets.c.case.in_(cases))


def _tips(cases: Sequence[str]) -> sa.Select[Any]:
    return sa.select(finding.tips.c.id).where(finding.tips.c.case.in_(cases))


def _lines(cases: Sequence[str]) -> sa.Select[Any]:
    return sa.select(held_at.meeting_lines.c.id).where(held_at.meeting_lines.c.case.in_(cases))


_Which = Callable[[Sequence[str], str | None], sa.ColumnElement[bool]]
_SPECIAL: Final[Mapping[str, _Which]] = {
    "persons": lambda _, person: casebook.persons.c.id == person,
    "cases": lambda cases, _: casebook.cases.c.handle.in_(cases),
    "person_records": lambda _, person: own.person_records.c.person == person,
    "parts": lambda cases, _: sa.tuple_(casebook.parts.c.message, casebook.parts.c.sender).in_(_messages(cases)),
    "referral_details": lambda cases, _: mirror.referral_details.c.referral.in_(_referrals(cases)),
    "referral_marks": lambda cases, _: mirror.referral_marks.c.referral.in_(_referrals(cases)),
    "draft_files": lambda cases, _: own.draft_files.c.draft.in_(_drafts(cases)),
    "sheet_signatures": lambda cases, _: tables_sheets.sheet_signatures.c.sheet.in_(_sheets(cases)),
    "meeting_papers": lambda cases, _: held_at.meeting_papers.c.line.in_(_lines(cases)),
    "outreach": lambda cases, _: finding.outreach.c.tip.in_(_tips(cases)),
    "access_log": lambda cases, person: sa.or_(
        casebook.access_log.c.case.in_(cases), casebook.access_log.c.about == (person or "")
    ),
}


def _plain(table: str, n: int, row: Mapping[str, Any], files: dict[str, bytes]) -> dict[str, Any]:
    """Write a row as JSON can; what is bytes becomes a file beside it."""
    return {name: _value(table, n, row, name, files) for name in row if name not in LEFT_OUT}


def _value(table: str, n: int, row: Mapping[str, Any], name: str, files: dict[str, bytes]) -> Any:
    match row[name]:
        case bytes() as body:
            media = row.get("media", "text/plain")
            if media.startswith("text/") or media == "application/json":
                return body.decode("utf-8", "replace")
            kept = f"{table}-{n:03d}.{_ENDINGS.get(media, 'bin')}"
            files[kept] = body
            return f"files/{kept}"
        case dict() as told if table == finding.tips.name:
            return {key: said for key, said in told.items() if key not in TELLER}
        case datetime() as at:
            return at.astimezone(JST).isoformat(timespec="seconds")
        case date() as day:
            return day.isoformat()
        case other:
            return other


def _as_table(rows: Sequence[Mapping[str, Any]]) -> Iterable[Sequence[str]]:
    yield list(rows[0])
    for row in rows:
        yield [_cell(value) for value in row.values()]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
