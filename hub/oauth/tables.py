# SPDX-License-Identifier: Apache-2.0
"""Further clients and the tokens given out; no other slice reads them. An agency's first client needs no
row.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from hub.base.db import UtcDateTime, metadata

oauth_clients = sa.Table(
    "oauth_clients",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("agency", sa.Uuid(as_uuid=False), nullable=False, index=True),
    sa.Column("jwk", JSONB, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("opened_at", UtcDateTime, nullable=False),
    sa.Column("closed_at", UtcDateTime),
)

oauth_tokens = sa.Table(
    "oauth_tokens",
    metadata,
    # SHA-256 of the token: who reads the table cannot call with what is there.
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    sa.Column("client", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("agency", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("client_kid", sa.Text, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("jkt", sa.Text, nullable=False),
    sa.Column("issued_at", UtcDateTime, nullable=False),
    sa.Column("expires_at", UtcDateTime, nullable=False, index=True),
    sa.Column("revoked_at", UtcDateTime),
)
