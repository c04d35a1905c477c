# SPDX-License-Identifier: Apache-2.0
"""Tables of the staff slice, private to it."""

from __future__ import annotations

import sqlalchemy as sa

from connectors.casebook.tables import UtcText, metadata

members = sa.Table(
    "staff_members",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="opaque; stands in logs and signed records"),
    sa.Column("login", sa.String, nullable=False, unique=True, comment="folded; what is typed at sign-in"),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("team", sa.String, nullable=False, default=""),
    sa.Column("roles", sa.JSON, nullable=False),
    sa.Column("is_active", sa.Boolean, nullable=False, default=True),
    sa.Column("password", sa.String, comment="Argon2id in PHC form; none until it is set"),
    sa.Column("totp", sa.String, comment="secret of the one-time codes; none until a code was shown right"),
    sa.Column("totp_used", sa.Integer, nullable=False, default=0, comment="the last time step taken: no code twice"),
    sa.Column("invitation", sa.String, comment="SHA-256 of the set-up code with which the password is set"),
    sa.Column("invited_until", UtcText),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("barred_until", UtcText),
    sa.Column("last_seen_at", UtcText),
    sa.Column("created_at", UtcText, nullable=False),
)

sessions = sa.Table(
    "staff_sessions",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="SHA-256 of the cookie's value"),
    sa.Column("member", sa.ForeignKey("staff_members.id"), nullable=False, index=True),
    sa.Column("begun_at", UtcText, nullable=False),
    sa.Column("active_at", UtcText, nullable=False),
    sa.Column("locked", sa.Boolean, nullable=False, default=False),
    sa.Column("kept", sa.JSON, comment="the form that was sent while locked: path and fields"),
)

passkeys = sa.Table(
    "staff_passkeys",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="the credential's id, base64url"),
    sa.Column("member", sa.ForeignKey("staff_members.id"), nullable=False, index=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False, comment="COSE"),
    sa.Column("counter", sa.Integer, nullable=False, comment="uses as the device counts them; must only rise"),
    sa.Column("name", sa.String, nullable=False, comment="as its owner calls the device"),
    sa.Column("made_at", UtcText, nullable=False),
    sa.Column("used_at", UtcText),
)

spent_challenges = sa.Table(
    "staff_spent_challenges",
    metadata,
    sa.Column("challenge", sa.String, primary_key=True, comment="SHA-256; a cookie that is sent again opens nothing"),
    sa.Column("spent_at", UtcText, nullable=False, index=True),
)

recovery_codes = sa.Table(
    "staff_recovery_codes",
    metadata,
    sa.Column("code", sa.String, primary_key=True, comment="SHA-256; 98 random bits need no slow hash"),
    sa.Column("member", sa.ForeignKey("staff_members.id"), nullable=False, index=True),
    sa.Column("made_at", UtcText, nullable=False),
    sa.Column("used_at", UtcText, comment="each opens once"),
)
