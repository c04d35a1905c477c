# SPDX-License-Identifier: Apache-2.0
"""The person's own words and other free text: kept here, while the hub gets SHA-256(salt ‖ text) alone (consent.md).

The salt keeps a short sentence from being guessed from its digest; kept beside the text, it lets the agency show later
which words the digest stands for.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access, tables

SALT_BYTES: Final = 32


def keep_words(connection: Connection, *, case: str, about: str, text: bytes, staff: str, now: datetime) -> str:
    """Keep a text that belongs to the thing `about` and give its digest for the hub: 64 hexadecimal digits."""
    salt = secrets.token_bytes(SALT_BYTES)
    connection.execute(
        sa.insert(tables.words).values(about=about, case=case, salt=salt, text=text, written_at=now, written_by=staff)
    )
    access.record(connection, staff=staff, action="words:written", about=about, case=case, now=now)
    return _digest(salt, text)


def words_about(connection: Connection, about: str, *, staff: str, now: datetime) -> tuple[bytes, str] | None:
    """Give the text kept for a thing and the digest it stands behind, and log that somebody read it."""
    row = connection.execute(sa.select(tables.words).where(tables.words.c.about == about)).one_or_none()
    if row is None:
        return None
    access.record(connection, staff=staff, action="words:read", about=about, case=row.case, now=now)
    return row.text, _digest(row.salt, row.text)


def _digest(salt: bytes, text: bytes) -> str:
    return hashlib.sha256(salt + text).hexdigest()
