# SPDX-License-Identifier: Apache-2.0
"""Scans of papers, signed forms above all. They stay here; what the hub has of one is an HMAC (consent.md, `evidence`).

Whether a scan is still the one that was signed for can be looked at any time: the key of the HMAC is kept here.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, tables
from connectors.casebook.statements import Pen
from connectors.casebook.tables_files import scans


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A scan: which form it belongs to, its media type, pages and bytes."""

    id: str
    case: str
    form: str | None
    media: str
    pages: int
    added_at: datetime
    body: bytes = field(repr=False)


def keep_scan(
    connection: Connection, pen: Pen, *, case: str, form: str | None, media: str, pages: int, body: bytes
) -> str:
    """Keep a scan that was looked at and found clean; give its id."""
    made = pen.new_id()
    connection.execute(
        sa.insert(scans).values(
            id=made, case=case, form=form, media=media, pages=pages, body=body, added_at=pen.now, added_by=pen.staff
        )
    )
    access.record(connection, staff=pen.staff, action="scan:added", about=made, case=case, now=pen.now)
    return made


def scans_of_form(connection: Connection, form: str) -> Sequence[Scan]:
    """Give the scans of a signed form in the order in which they came. Whoever shows one logs it by `seen`."""
    rows = connection.execute(sa.select(scans).where(scans.c.form == form).order_by(scans.c.id))
    return [_scan(row) for row in rows]


def seen(connection: Connection, pen: Pen, scan: Scan) -> None:
    """Log that somebody took a scan out to look at it."""
    access.record(connection, staff=pen.staff, action="scan:viewed", about=scan.id, case=scan.case, now=pen.now)


def is_evidence(connection: Connection, scan: Scan) -> bool:
    """Say whether a scan is still what its form's records were signed for: the HMAC comes out the same.

    *Raises* `ConnectorError("form-unknown")`: it belongs to no form that is here.
    """
    row = connection.execute(sa.select(tables.forms).where(tables.forms.c.id == scan.form)).one_or_none()
    if row is None:
        raise ConnectorError("form-unknown")
    made = hmac.new(bytes.fromhex(row.evidence_key), scan.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(made, row.document["evidence"])


def _scan(row: sa.Row[tuple[object, ...]]) -> Scan:
    return Scan(
        id=row.id,
        case=row.case,
        form=row.form,
        media=row.media,
        pages=row.pages,
        added_at=row.added_at,
        body=row.body,
    )
