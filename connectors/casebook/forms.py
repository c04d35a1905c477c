# SPDX-License-Identifier: Apache-2.0
"""Keep the forms that people signed: as data, with the key of the evidence over the scan (consent.md, What is stored).

The scan stays where the agency keeps its papers; the hub gets the scopes and the HMAC, never the form or the key.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import statements, tables
from connectors.casebook.statements import Pen
from consent.forms import Form
from consent.scopes import Scope

_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What ties a record to the paper: HMAC-SHA-256 of the scan, in hexadecimal, under a key that stays here."""

    digest: str
    key: str = field(repr=False)


def evidence_of(scan: bytes) -> Evidence:
    """Make the evidence of a scan under a new random key; of an oral word there is none but the key."""
    key = secrets.token_bytes(_KEY_BYTES)
    return Evidence(digest=hmac.new(key, scan, hashlib.sha256).hexdigest(), key=key.hex())


def record_form(connection: Connection, form: Form, scopes: Iterable[Scope], evidence: Evidence, pen: Pen) -> list[str]:
    """Keep a signed form, sign one record per scope and queue them; give the records' ids.

    *Raises* `DocumentRefusedError` as `statements.record_consents`; nothing is kept then.
    """
    connection.execute(
        sa.insert(tables.forms).values(
            id=form.id,
            case=form.case,
            document=_plain(form),
            evidence_key=evidence.key,
            signed_at=form.signed_at,
            recorded_by=pen.staff,
        )
    )
    return statements.record_consents(connection, scopes, pen)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(_plain(each) for each in value)
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if value is None or isinstance(value, bool) else str(value)
