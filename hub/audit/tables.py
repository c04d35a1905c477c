# SPDX-License-Identifier: Apache-2.0
"""The tables of the log. Rows of `log_*` are written once by the sequencer and never changed; a trigger
says so too.
"""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from hub.base.db import UtcDateTime, metadata

audit_pending = sa.Table(
    "audit_pending",
    metadata,
    # An order of arrival, not a cursor: the writer of a later entry that waited for a lock gets a later
    # number.
    sa.Column("arrival", sa.BigInteger, sa.Identity(always=True), nullable=False, unique=True),
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("parties", ARRAY(sa.Uuid(as_uuid=False)), nullable=False),
    sa.Column("case_handle", sa.Uuid(as_uuid=False), nullable=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
"""Entries that committed with their change and wait for the sequencer."""

log_entries = sa.Table(
    "log_entries",
    metadata,
    sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Uuid(as_uuid=False), nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("parties", ARRAY(sa.Uuid(as_uuid=False)), nullable=False),
    sa.Column("case_handle", sa.Uuid(as_uuid=False), nullable=True),
    sa.Column("body", sa.LargeBinary, nullable=True),
    sa.Column("logged_at", UtcDateTime, nullable=False),
)
"""The entries in the order of the log, with the bytes that were hashed; without, once they were erased."""

log_hashes = sa.Table(
    "log_hashes",
    metadata,
    sa.Column("level", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("index", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.LargeBinary, nullable=False),
)
"""Level 0: leaf hashes. Level n: roots of full subtrees of 256^n leaves. 256 neighbours are a tile (C2SP
tlog-tiles).
"""

log_checkpoints = sa.Table(
    "log_checkpoints",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", sa.LargeBinary, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("made_at", UtcDateTime, nullable=False),
)
"""Every checkpoint ever signed; one size, one root."""

agency_anchors = sa.Table(
    "agency_anchors",
    metadata,
    sa.Column("agency", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("root", sa.Text, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("entry", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("anchored_at", UtcDateTime, nullable=False),
)
"""The roots of agencies' own access logs: one a day, never changed. `entry` is the log's entry that says so."""

log_witnesses = sa.Table(
    "log_witnesses",
    metadata,
    sa.Column("witness", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("agreed_at", UtcDateTime, nullable=True),
    sa.Column("code", sa.Text, nullable=False),
)
"""What each witness said last: the size it cosigned, when it was asked, when it last agreed, what came of it."""

log_cosignatures = sa.Table(
    "log_cosignatures",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("witness", sa.Text, primary_key=True),
    sa.Column("line", sa.Text, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
)
"""The newest cosignature of each witness on each checkpoint."""

log_quorums = sa.Table(
    "log_quorums",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("as_of", UtcDateTime, nullable=False),
)
"""The checkpoints that enough witnesses cosigned, and for which moment they stand."""

log_recovery = sa.Table(
    "log_recovery",
    metadata,
    sa.Column("place", sa.Boolean, primary_key=True),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("who", sa.Text, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("begun_at", UtcDateTime, nullable=False),
)
"""One row while the log may be behind what others saw: nothing is written and nothing signed."""

log_erasures = sa.Table(
    "log_erasures",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("ground", sa.Text, nullable=False),
    sa.Column("indexes", ARRAY(sa.BigInteger), nullable=False),
    sa.Column("ordered_by", sa.Uuid(as_uuid=False), nullable=False),
    sa.Column("ordered_at", UtcDateTime, nullable=False),
    sa.Column("confirmed_by", sa.Uuid(as_uuid=False), nullable=True),
    sa.Column("confirmed_at", UtcDateTime, nullable=True),
    sa.Column("entry", sa.Uuid(as_uuid=False), nullable=True),
    sa.Column("erased_at", UtcDateTime, nullable=True),
)
"""What two people ordered to be erased; `entry` is the tombstone in the log."""

log_checks = sa.Table(
    "log_checks",
    metadata,
    sa.Column("id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("asked_by", sa.Uuid(as_uuid=False), nullable=True),
    sa.Column("asked_at", UtcDateTime, nullable=False),
    sa.Column("begun_at", UtcDateTime, nullable=True),
    sa.Column("looked_at", UtcDateTime, nullable=True),
    sa.Column("done_at", UtcDateTime, nullable=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("looked", sa.BigInteger, nullable=False),
    sa.Column("outcome", sa.Text, nullable=True),
    sa.Column("code", sa.Text, nullable=True),
    sa.Column("place", sa.BigInteger, nullable=True),
)
"""Each check of the log as stored: who asked, how far it is, what came of it. At most one is open."""
