# SPDX-License-Identifier: Apache-2.0
"""The tables of the staff slice; no other slice reads them. A person's row is never deleted: who leaves is closed."""

from __future__ import annotations

import sqlalchemy as sa

from hub.base.db import UtcDateTime, metadata

staff = sa.Table(
    "staff",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("passphrase", sa.Text, comment="Argon2id in PHC form; none for who signs in by passkey alone"),
    sa.Column("agency", sa.Uuid(as_uuid=False), comment="whose officer this is; none for the network's own people"),
    sa.Column("code", sa.LargeBinary, comment="SHA-256 of the one-time code that opens the console once"),
    sa.Column("code_until", UtcDateTime, comment="when an unused one-time code ends"),
    sa.Column("enrolled_at", UtcDateTime, nullable=False),
    sa.Column("closed_at", UtcDateTime),
    sa.Column("tries", sa.Integer, nullable=False, comment="wrong passphrases and passkeys since tries_since"),
    sa.Column("tries_since", UtcDateTime),
)

passkeys = sa.Table(
    "staff_passkeys",
    metadata,
    sa.Column("id", sa.Text, primary_key=True, comment="the credential's id, base64url"),
    sa.Column("staff", sa.Uuid(as_uuid=False), nullable=False, index=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False, comment="COSE"),
    sa.Column("counter", sa.BigInteger, nullable=False, comment="uses as the device counts them; must only rise"),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
    sa.Column("removed_at", UtcDateTime),
)

sessions = sa.Table(
    "staff_sessions",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True, comment="SHA-256 of the cookie's value"),
    sa.Column("staff", sa.Uuid(as_uuid=False), nullable=False, index=True),
    sa.Column("begun_at", UtcDateTime, nullable=False),
    sa.Column("active_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime, comment="signed out, revoked or closed"),
)

challenges = sa.Table(
    "staff_challenges",
    metadata,
    sa.Column("digest", sa.LargeBinary, primary_key=True, comment="SHA-256; each is answered once"),
    sa.Column("visitor", sa.LargeBinary, nullable=False, comment="SHA-256 of the cookie of the browser that was asked"),
    sa.Column("made_at", UtcDateTime, nullable=False),
    sa.Column("used_at", UtcDateTime),
)

sources = sa.Table(
    "staff_sources",
    metadata,
    sa.Column("source", sa.LargeBinary, primary_key=True, comment="SHA-256 of an address that tries were made from"),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("tries_since", UtcDateTime, nullable=False),
)
