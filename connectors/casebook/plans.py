# SPDX-License-Identifier: Apache-2.0
"""A plan becomes what holds: the person signs it, the meeting and the municipality say their word, it is adopted.

Until then the plan before it holds. An amendment (変更) stays plan n; a re-plan (再プラン) is plan n + 1 and goes
through the meeting anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import scans
from connectors.casebook.sheets import (
    ADOPTED,
    AMENDMENT,
    SETTLED,
    Sheet,
    SheetFaultyError,
    definition_of,
    log,
    replace_by_next,
    sheet,
    sheets_of,
)
from connectors.casebook.statements import Pen
from connectors.casebook.tables_sheets import sheet_signatures
from connectors.casebook.tables_sheets import sheets as table
from connectors.sheets import answers

SIGNERS: Final = ("self", "legal_rep")
METHODS: Final = ("pad", "paper")


def sign(  # noqa: PLR0913 - what is known of a signature, each by name
    connection: Connection,
    pen: Pen,
    sheet_id: str,
    *,
    method: str,
    signer: str,
    signed_on: date,
    media: str,
    pages: int,
    scan: bytes,
) -> Sheet:
    """Keep that the person signed a settled sheet, with the drawn signature or the scan of the paper.

    *Raises* `ConnectorError`: `sheet-unknown`, `sheet-not-settled`, `sheet-not-to-sign`, `sheet-signed`.
    """
    known = sheet(connection, sheet_id)
    if not definition_of(connection, known).signed or method not in METHODS or signer not in SIGNERS:
        raise ConnectorError("sheet-not-to-sign")
    if known.state != SETTLED:
        raise ConnectorError("sheet-not-settled")
    if known.signature is not None:
        raise ConnectorError("sheet-signed")
    kept = scans.keep_scan(connection, pen, case=known.case, form=known.id, media=media, pages=pages, body=scan)
    connection.execute(
        sa.insert(sheet_signatures).values(
            sheet=known.id,
            method=method,
            signer=signer,
            signed_on=signed_on,
            digest=digest_of(known),
            scan=kept,
            recorded_at=pen.now,
            recorded_by=pen.staff,
        )
    )
    log(connection, pen, "sheet:signed", known)
    return sheet(connection, sheet_id)


def adopt(connection: Connection, pen: Pen, sheet_id: str, after: Mapping[str, Any]) -> Sheet:
    """Adopt a signed plan: with the meeting's date, unless it only amends one; the plan before it holds no more.

    `after`: what the meeting and the municipality said (fields that are filled in afterwards).

    *Raises* `SheetFaultyError`; `ConnectorError`: `sheet-unknown`, `sheet-not-settled`, `plan-not-signed`,
    `plan-no-meeting`, `plan-returned` (it was sent back and is written anew).
    """
    known = sheet(connection, sheet_id)
    definition = definition_of(connection, known)
    if not definition.adopted or known.state != SETTLED:
        raise ConnectorError("sheet-not-settled")
    if definition.signed and known.signature is None:
        raise ConnectorError("plan-not-signed")
    checked = answers.check_after(definition, after)
    if checked.faults:
        raise SheetFaultyError(checked.faults)
    said = checked.answers
    if known.change != AMENDMENT and "meeting_on" not in said:
        raise ConnectorError("plan-no-meeting")
    if said.get("decision") == "returned":
        raise ConnectorError("plan-returned")
    connection.execute(
        sa.update(table).where(table.c.id == known.id).values(state=ADOPTED, after=dict(said), adopted_at=pen.now)
    )
    for one in sheets_of(connection, known.case, known.code):
        if one.state == ADOPTED and one.id != known.id:
            replace_by_next(connection, pen, one.id)
    log(connection, pen, "sheet:adopted", known)
    return sheet(connection, sheet_id)


def note_after(connection: Connection, pen: Pen, sheet_id: str, after: Mapping[str, Any]) -> Sheet:
    """Note on an adopted plan what came later, the municipality's decision above all; what stands there stays.

    *Raises* `SheetFaultyError`; `ConnectorError`: `sheet-unknown`, `sheet-not-settled`.
    """
    known = sheet(connection, sheet_id)
    if known.state != ADOPTED:
        raise ConnectorError("sheet-not-settled")
    checked = answers.check_after(definition_of(connection, known), {**after, **known.after})
    if checked.faults:
        raise SheetFaultyError(checked.faults)
    connection.execute(sa.update(table).where(table.c.id == known.id).values(after=dict(checked.answers)))
    log(connection, pen, "sheet:noted", known)
    return sheet(connection, sheet_id)


def digest_of(known: Sheet) -> str:
    """Give the SHA-256 of what a settled sheet says, in hexadecimal: what a signature stands for."""
    said = json.dumps([known.code, known.version, known.n, known.body], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode("utf-8")).hexdigest()
