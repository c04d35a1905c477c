# SPDX-License-Identifier: Apache-2.0
"""The casebook's tables. Names and content are stored byte for byte; only `search_key` is folded (protocol §2)."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator
from typing_extensions import override


class UtcText(TypeDecorator[datetime]):
    """A moment as sortable UTC text with microseconds; SQLite has no type of its own for it."""

    impl = sa.String(32)
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write a timezone-aware moment as UTC text."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    @override
    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read it back, timezone-aware."""
        return None if value is None else datetime.fromisoformat(value)


metadata = sa.MetaData()

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)

persons = sa.Table(
    "persons",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("kana", sa.String, nullable=False),
    sa.Column("search_key", sa.String, nullable=False, index=True),
    sa.Column("created_at", UtcText, nullable=False),
)

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("handle", sa.String, primary_key=True, comment="random; the only name the hub knows"),
    sa.Column("person", sa.ForeignKey("persons.id"), comment="none while only a partner's handle is known"),
    sa.Column("owner", sa.String, nullable=False, comment="the agency that keeps the case"),
    sa.Column("closed_at", UtcText),
    sa.Column("created_at", UtcText, nullable=False),
)

sa.Index("cases_person", cases.c.person)

answers = sa.Table(
    "answers",
    metadata,
    sa.Column("case", sa.ForeignKey("cases.handle"), primary_key=True),
    sa.Column("category", sa.String, primary_key=True, comment="code of the vocabulary"),
    sa.Column("body", sa.JSON, nullable=False, comment="what is known, field by field"),
    sa.Column("updated_at", UtcText, nullable=False),
    sa.Column("updated_by", sa.String, nullable=False),
)

forms = sa.Table(
    "forms",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.ForeignKey("cases.handle"), nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("evidence_key", sa.String, comment="key of the HMAC over the scan; stays here"),
    sa.Column("signed_at", UtcText, nullable=False),
    sa.Column("recorded_by", sa.String, nullable=False),
)

consents = sa.Table(
    "consents",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("signer", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("form", sa.String, nullable=False),
    sa.Column("token", sa.String, nullable=False, comment="the signed record, byte for byte"),
    sa.Column("registered_at", UtcText, comment="the hub's time; none while waiting to be sent"),
    sa.Column("status", sa.String, comment="the newest signed status"),
    sa.Column("status_as_of", UtcText),
    sa.Column("refused", sa.String, comment="why the hub did not register it; such a record permits nothing"),
)

superseded = sa.Table(
    "superseded",
    metadata,
    sa.Column("id", sa.String, primary_key=True, comment="a consent record that a newer one has taken the place of"),
    sa.Column("signer", sa.String, primary_key=True),
    sa.Column("at", UtcText, nullable=False, comment="the hub's time"),
)

exclusions = sa.Table(
    "exclusions",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("to", sa.JSON, nullable=False, comment="as far as this agency may know"),
    sa.Column("categories", sa.JSON, nullable=False),
    sa.Column("from_time", UtcText, nullable=False),
    sa.Column("revoked_at", UtcText),
    sa.Column("token", sa.String, comment="none where a partner may not have the whole text"),
)

withdrawals = sa.Table(
    "withdrawals",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("scopes", sa.JSON, nullable=False),
    sa.Column("to", sa.JSON, nullable=False),
    sa.Column("categories", sa.JSON, nullable=False),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("token", sa.String),
)

words = sa.Table(
    "words",
    metadata,
    sa.Column("about", sa.String, primary_key=True, comment="the exclusion or note that the words belong to"),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("text", sa.LargeBinary, nullable=False, comment="as it was written down, byte for byte"),
    sa.Column("written_at", UtcText, nullable=False),
    sa.Column("written_by", sa.String, nullable=False),
)

conferences = sa.Table(
    "conferences",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("members", sa.JSON, nullable=False),
    sa.Column("until", UtcText, nullable=False),
)

agencies = sa.Table(
    "agencies",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("name_ja", sa.String, nullable=False),
    sa.Column("name_en", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("root", sa.JSON, nullable=False, comment="public root key as first seen; another one is an alarm"),
    sa.Column("keys", sa.JSON, nullable=False, comment="public keys with their validity, newest first"),
    sa.Column("fetched_at", UtcText, nullable=False),
)

referrals = sa.Table(
    "referrals",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("thread", sa.String, nullable=False, index=True),
    sa.Column("sender", sa.String, nullable=False),
    sa.Column("recipient", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("ball", sa.String),
    sa.Column("awaiting", sa.String),
    sa.Column("due_at", UtcText),
    sa.Column("version", sa.Integer, nullable=False, comment="the entity tag last seen"),
    sa.Column("updated_at", UtcText, nullable=False),
)

# lists of referrals stay quick with ten thousand of them: what is due, what waits for us, what changed last
sa.Index("referrals_due", referrals.c.due_at, referrals.c.id)
sa.Index("referrals_awaiting", referrals.c.awaiting, referrals.c.due_at, referrals.c.id)
sa.Index("referrals_changed", referrals.c.updated_at, referrals.c.id)
sa.Index("referrals_ball", referrals.c.ball, referrals.c.due_at)
sa.Index("referrals_sent", referrals.c.sender, referrals.c.state, referrals.c.due_at)
sa.Index("referrals_received", referrals.c.recipient, referrals.c.state, referrals.c.due_at)

threads = sa.Table(
    "threads",
    metadata,
    sa.Column("thread", sa.String, primary_key=True),
    sa.Column("seq", sa.Integer, nullable=False, comment="my last accepted message in it"),
    sa.Column("hash", sa.String, comment="of that message's manifest"),
)

messages = sa.Table(
    "messages",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("sender", sa.String, primary_key=True),
    sa.Column("recipient", sa.String, nullable=False),
    sa.Column("thread", sa.String, nullable=False, index=True),
    sa.Column("referral", sa.String, index=True),
    sa.Column("case", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("purpose", sa.String, nullable=False),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("manifest", sa.String, nullable=False, comment="the signed manifest, byte for byte"),
    sa.Column("hub_id", sa.String),
    sa.Column("hub_receipt", sa.String, comment="the hub's signed word that it took the message"),
    sa.Column("log_entry", sa.String, comment="the disclosure's entry of the audit log, byte for byte"),
    sa.Column("log_proof", sa.String, comment="the proof that the entry is in the log (C2SP tlog-proof)"),
    sa.Column("state", sa.String, nullable=False, comment="waiting, accepted, refused, opened, undecryptable"),
    sa.Column("read_at", UtcText),
    sa.Column("read_by", sa.String),
)

sa.Index("messages_unread", messages.c.recipient, messages.c.read_at, messages.c.at)

parts = sa.Table(
    "parts",
    metadata,
    sa.Column("message", sa.String, primary_key=True),
    sa.Column("sender", sa.String, primary_key=True),
    sa.Column("n", sa.Integer, primary_key=True),
    sa.Column("category", sa.String, nullable=False),
    sa.Column("media", sa.String, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("result", sa.String, nullable=False, comment="ok, or purged since; only what was good is kept"),
)


outgoing = sa.Table(
    "outgoing",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String, nullable=False, unique=True, comment="the idempotency key"),
    sa.Column("what", sa.String, nullable=False, comment="case, consent, exclusion, withdrawal, message, receipt"),
    sa.Column("about", sa.String, nullable=False, index=True),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("body", sa.JSON, nullable=False),
    sa.Column("state", sa.String, nullable=False, comment="waiting, sent, refused"),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("code", sa.String, comment="why the hub refused it"),
    sa.Column("answer", sa.JSON, comment="what the hub said"),
    sa.Column("queued_at", UtcText, nullable=False),
    sa.Column("settled_at", UtcText),
)

access_log = sa.Table(
    "access_log",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("staff", sa.String, nullable=False, comment="opaque staff id"),
    sa.Column("action", sa.String, nullable=False, comment="thing:happened, past tense"),
    sa.Column("case", sa.String),
    sa.Column("about", sa.String, nullable=False),
)
