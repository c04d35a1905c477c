# SPDX-License-Identifier: Apache-2.0
"""What has been seen before: idempotency keys with their answers, and single-use values (jti, DPoP proofs, codes).

Both live in the database, because process memory forgets at a restart and two processes do not share it (libraries
§3 g).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Session

from hub.base import rounds
from hub.base.db import UtcDateTime, metadata
from hub.base.errors import ConflictError
from hub.base.rounds import Asked, Told

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


_claim = insert(idempotency_keys).on_conflict_do_nothing().returning(idempotency_keys.c.key)
_CLAIM: Final = rounds.Prepared(_claim, "agency", "key", "fingerprint", "expires_at")
# asked before anybody has read the transaction's time; in a rehearsal the term is real time's
_CLAIM_AHEAD: Final = rounds.Prepared(
    _claim.values(
        {name: sa.bindparam(name) for name in ("agency", "key", "fingerprint")}
        | {"expires_at": sa.func.transaction_timestamp() + KEPT}
    )
)
_REMEMBER: Final = rounds.Prepared(
    sa.update(idempotency_keys)
    .where(idempotency_keys.c.agency == sa.bindparam("of_agency"), idempotency_keys.c.key == sa.bindparam("of_key"))
    .values({name: sa.bindparam(name) for name in ("status", "headers", "body")})
)
# no RETURNING: the request role may put marks in and may not read them
_USE_UP: Final = rounds.Prepared(insert(single_uses).on_conflict_do_nothing(), "space", "digest", "expires_at")


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
    row: dict[str, Any] = {"agency": agency, "key": key, "fingerprint": fingerprint}
    (told,) = rounds.ask(session, _CLAIM.of(**row, expires_at=now + KEPT))
    return _claimed(session, told, **row)


def claiming(*, agency: str, key: str, fingerprint: bytes) -> Asked:
    """Make the statement that takes a key, for a transaction that asks it `ahead`; then call `take`."""
    return _CLAIM_AHEAD.of(agency=agency, key=key, fingerprint=fingerprint)


def take(session: Session, *, agency: str, key: str, fingerprint: bytes) -> Answered | None:
    """Do what `claim` does with a key that was asked for `ahead`."""
    (told,) = rounds.ask(session, claiming(agency=agency, key=key, fingerprint=fingerprint))
    return _claimed(session, told, agency=agency, key=key, fingerprint=fingerprint)


def _claimed(session: Session, told: Told, *, agency: str, key: str, fingerprint: bytes) -> Answered | None:
    if told.rows:
        return None
    table = idempotency_keys
    found = session.execute(sa.select(table).where(table.c.agency == agency, table.c.key == key)).one()
    if found.fingerprint != fingerprint or found.status is None:
        raise ConflictError("idempotency-mismatch")
    return Answered(status=found.status, headers=found.headers, body=found.body)


def remember(session: Session, *, agency: str, key: str, answer: Answered) -> None:
    """Keep the answer of the key this transaction has claimed."""
    body = answer.body if answer.kept is None else answer.kept
    told = {"status": answer.status, "headers": dict(answer.headers), "body": body}
    rounds.later(session, _REMEMBER.of(of_agency=agency, of_key=key, **told))


def seen_before(session: Session, space: str, key: str, expires: datetime) -> bool:
    """Tell whether `key` was used in `space` before, and mark it used until `expires` at least."""
    (told,) = rounds.ask(session, using_up(space, key, expires))
    return was_used(told)


def using_up(space: str, key: str, expires: datetime) -> Asked:
    """Make the statement that marks `key` used, for a door (`hub.base.db`); `was_used` reads what came of it."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
    return _USE_UP.of(space=space, digest=digest, expires_at=expires)


def was_used(told: Told) -> bool:
    """Tell whether what `using_up` marked had been used before."""
    return told.count == 0


def forget_expired(session: Session, now: datetime) -> int:
    """Drop what has expired, as the worker (tsn_job); give the number of rows."""
    dropped = 0
    for table in (idempotency_keys, single_uses):
        dropped += session.connection().execute(sa.delete(table).where(table.c.expires_at < now)).rowcount
    return dropped
