# SPDX-License-Identifier: Apache-2.0
"""The grammar of audit entries and their bytes: what may stand in the log, and how it is written down.

Kinds follow one grammar, `thing:happened` in the past tense, so that one search finds every use and a reader
needs no glossary. Nothing here stores, hashes or signs.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import urlsplit

Json: TypeAlias = "str | int | bool | Sequence[Json] | Mapping[str, Json] | None"

ENTRY_VERSION: Final = 1
BLIND_BYTES: Final = 16
HUB: Final = "hub"
"""The actor of what the hub does by itself: timers, handlers, the sequencer."""


class AuditKind(StrEnum):
    """Everything that leaves an entry (audit-log §2); a slice that needs another adds it here."""

    CONSENT_REGISTERED = "consent:registered"
    CONSENT_REFUSED = "consent:refused"
    CONSENT_STATUS_RENEWED = "consent:status_renewed"
    CONSENT_SUPERSEDED = "consent:superseded"
    CONSENT_LAPSED = "consent:lapsed"
    EXCLUSION_REGISTERED = "exclusion:registered"
    EXCLUSION_REVOKED = "exclusion:revoked"
    WITHDRAWAL_REGISTERED = "withdrawal:registered"
    WITHDRAWAL_COUNTERSIGNED = "withdrawal:countersigned"
    DECISION_ASKED = "decision:asked"
    MESSAGE_ACCEPTED = "message:accepted"
    MESSAGE_REFUSED = "message:refused"
    MESSAGE_HELD = "message:held"
    MESSAGE_EQUIVOCATED = "message:equivocated"
    MESSAGE_HANDED_OVER = "message:handed_over"
    MESSAGE_WITHHELD = "message:withheld"
    MESSAGE_DESTROYED = "message:destroyed"
    MESSAGE_EXPIRED = "message:expired"
    RECEIPT_DELIVERED = "receipt:delivered"
    RECEIPT_READ = "receipt:read"
    RECEIPT_OVERDUE = "receipt:overdue"
    RECEIPT_MISMATCHED = "receipt:mismatched"
    PURGE_ASKED = "purge:asked"
    PURGE_ANSWERED = "purge:answered"
    PURGE_OVERDUE = "purge:overdue"
    PURGE_REMINDED = "purge:reminded"
    OVERRIDE_USED = "override:used"
    OVERRIDE_LIMITED = "override:limited"
    OVERRIDE_REVIEWED = "override:reviewed"
    OVERRIDE_OVERDUE = "override:overdue"
    ANOMALY_FOUND = "anomaly:found"
    ANOMALY_CLOSED = "anomaly:closed"
    SAMPLE_DRAWN = "sample:drawn"
    SAMPLE_ANSWERED = "sample:answered"
    REFERRAL_REQUESTED = "referral:requested"
    REFERRAL_MOVED = "referral:moved"
    REFERRAL_OVERDUE = "referral:overdue"
    REFERRAL_CONTENT_STOPPED = "referral:content_stopped"
    REFERRAL_CONTENT_RESUMED = "referral:content_resumed"
    ACCOMPANIMENT_RECORDED = "accompaniment:recorded"
    ACCOMPANIMENT_CHANGED = "accompaniment:changed"
    FOLLOW_UP_SET = "follow_up:set"
    FOLLOW_UP_DONE = "follow_up:done"
    FOLLOW_UP_OVERDUE = "follow_up:overdue"
    CASE_OPENED = "case:opened"
    CASE_MOVED = "case:moved"
    CASE_NOTED = "case:noted"
    CASE_CLOSED = "case:closed"
    CASE_REOPENED = "case:reopened"
    MEETING_CONVENED = "meeting:convened"
    MEETING_ACCEPTED = "meeting:accepted"
    MEETING_AGENDA_SET = "meeting:agenda_set"
    MEETING_DECIDED = "meeting:decided"
    MEETING_ENDED = "meeting:ended"
    AGENCY_REGISTERED = "agency:registered"
    AGENCY_CONFIRMED = "agency:confirmed"
    AGENCY_CHANGED = "agency:changed"
    AGENCY_SUSPENDED = "agency:suspended"
    AGENCY_RESUMED = "agency:resumed"
    AGENCY_ANCHOR = "agency:anchor"
    KEY_PUBLISHED = "key:published"
    KEY_ROTATED = "key:rotated"
    KEY_REVOKED = "key:revoked"
    ROLE_GIVEN = "role:given"
    ROLE_TAKEN = "role:taken"
    STAFF_ENROLLED = "staff:enrolled"
    STAFF_INVITED = "staff:invited"
    STAFF_SIGNED_IN = "staff:signed_in"
    STAFF_PASSKEY_MADE = "staff:passkey_made"
    STAFF_PASSKEY_REMOVED = "staff:passkey_removed"
    STAFF_PASSKEY_REFUSED = "staff:passkey_refused"
    OAUTH_CLIENT_REGISTERED = "oauth:client_registered"
    OAUTH_CODE_REUSED = "oauth:code_reused"
    OAUTH_ASSERTION_REPLAYED = "oauth:assertion_replayed"
    OAUTH_TOKEN_REVOKED = "oauth:token_revoked"  # noqa: S105 - the name of an event
    TASK_DONE = "task:done"
    DELIVERY_GIVEN_UP = "delivery:given_up"
    DELIVERY_REPLAYED = "delivery:replayed"
    DPO_READ = "dpo:read"
    EXPORT_MADE = "export:made"
    CONFIG_CHANGE = "config:change"
    RESTORE_BEGUN = "restore:begun"
    RESTORE_ENDED = "restore:ended"
    LOG_ERASED = "log:erased"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened, in codes, ids and hashes: never content, never a name (audit-log §2)."""

    kind: AuditKind
    actor: str
    """Agency id, staff id or `HUB`."""
    parties: tuple[str, ...]
    """The agencies that may read the entry; officers read all."""
    case: str | None = None
    """The handle that the documents name."""
    subject: str | None = None
    """The id of the thing."""
    facts: Mapping[str, Json] = field(default_factory=dict)


def entry_bytes(entry: Entry, *, entry_id: str, at: datetime, blind: bytes) -> bytes:
    """Write *entry* down as canonical compact JSON: the bytes whose hash is the leaf (audit-log §2).

    The blind keeps a reader of leaf hashes from guessing an entry whose members have few possible values.

    Raises:
        ValueError: the blind is not 16 bytes, or the time carries no zone.
    """
    if len(blind) != BLIND_BYTES:
        raise ValueError("blind-length")
    if at.tzinfo is None:
        raise ValueError("time-without-zone")
    members: dict[str, Json] = {
        "v": ENTRY_VERSION,
        "id": entry_id,
        "kind": entry.kind.value,
        "at": timestamp(at),
        "actor": entry.actor,
        "parties": sorted(set(entry.parties)),
        "case": entry.case,
        "subject": entry.subject,
        "facts": entry.facts,
        "blind": blind.hex(),
    }
    text = json.dumps(members, ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.encode("ascii")


def timestamp(at: datetime) -> str:
    """Write a time as RFC 3339 in UTC with microseconds, so that equal times are equal bytes."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def origin(issuer: str) -> str:
    """Name the log by where it is read: the hub's host and the path, without a scheme (C2SP tlog-checkpoint).

    The path is part of the name so that a second log can follow this one (audit-log §6).
    """
    return f"{urlsplit(issuer).netloc}/v1/audit"


def erased_by(body: bytes) -> frozenset[int]:
    """Tell which entries a tombstone (`log:erased`) says were erased; an entry of another kind names none."""
    members = json.loads(body)
    if members["kind"] != AuditKind.LOG_ERASED:
        return frozenset()
    return frozenset(members["facts"]["indexes"])
