# SPDX-License-Identifier: Apache-2.0
"""What has been seen before: idempotency keys with their answers, and single-use values (jti, DPoP proofs, codes).

Both live in the database, because process memory forgets at a restart and two processes do not share it (libraries
§3 g).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from hub.base.db import UtcDateTime, metadata
from hub.base.errors import ConflictError

KEPT: Final = timedelta(hours=48)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("agency", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    # SHA-256 of what was asked; never the request itself
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    # the answer; empty only inside the transaction that makes it
    sa.Column("status", sa.SmallInteger),
    sa.Column("headers", JSONB),
    sa.Column("body", sa.LargeBinary),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)

single_uses = sa.Table(
    "single_uses",
    metadata,
    sa.Column("space", sa.Text, primary_key=True),
    # SHA-256 of the value: of any length, and nothing to steal
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("expires_at", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answer given when the key was first used; `kept` is remembered in place of a body that is told once."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    kept: bytes | None = None


def claim(session: Session, *, agency: str, key: str, fingerprint: bytes, now: datetime) -> Answered | None:
    """Take an idempotency key for this transaction, or give the answer it had (api: manners).

    While another transaction holds the same key this one waits for its end: two equal requests have one effect.

    *Raises* ConflictError: idempotency-mismatch, the key was used for something else.
    """
    table = idempotency_keys
    row = {"agency": agency, "key": key, "fingerprint": fingerprint, "expires_at": now + KEPT}
    if session.execute(insert(table).values(row).on_conflict_do_nothing().returning(table.c.key)).first():
        return None
    found = session.execute(sa.select(table).where(table.c.agency == agency, table.c.key == key)).one()
    if found.fingerprint != fingerprint or found.status is None:
        raise ConflictError("idempotency-mismatch")
    return Answered(status=found.status, headers=found.headers, body=found.body)


def remember(session: Session, *, agency: str, key: str, answer: Answered) -> None:
    """Keep the answer of the key this transaction has claimed."""
    table = idempotency_keys
    session.execute(
        sa.update(table)
        .where(table.c.agency == agency, table.c.key == key)
        .values(
            status=answer.status,
            headers=dict(answer.headers),
            body=answer.body if answer.kept is None else answer.kept,
        )
    )


def seen_before(session: Session, space: str, key: str, expires: datetime) -> bool:
    """Tell whether `key` was used in `space` before, and mark it used until `expires` at least."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    row = {"space": space, "digest": digest, "expires_at": expires}
    # no RETURNING: the request role may put marks in and may not read them
    result = session.connection().execute(
        insert(single_uses).values(row).on_conflict_do_nothing(), execution_options={"preserve_rowcount": True}
    )
    return result.rowcount == 0


def forget_expired(session: Session, now: datetime) -> int:
    """Drop what has expired, as the worker (tsn_job); give the number of rows."""
    dropped = 0
    for table in (idempotency_keys, single_uses):
        dropped += session.connection().execute(sa.delete(table).where(table.c.expires_at < now)).rowcount
    return dropped
