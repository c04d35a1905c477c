# SPDX-License-Identifier: Apache-2.0
"""Which signed documents an entry of the log speaks of, by its kind: pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.audit.rules import AuditKind

CONSENTS: Final = {
    AuditKind.CONSENT_REGISTERED: "consent",
    AuditKind.CONSENT_STATUS_RENEWED: "status",
    AuditKind.WITHDRAWAL_REGISTERED: "withdrawal",
    AuditKind.WITHDRAWAL_COUNTERSIGNED: "withdrawal",
}
EXCLUSIONS: Final = (AuditKind.EXCLUSION_REGISTERED, AuditKind.EXCLUSION_REVOKED)
RECEIPTS: Final = (AuditKind.RECEIPT_DELIVERED, AuditKind.RECEIPT_READ)
KEYS: Final = (AuditKind.KEY_PUBLISHED, AuditKind.KEY_ROTATED, AuditKind.KEY_REVOKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The things that some entries speak of, by the names under which the slices know them."""

    consents: set[tuple[str, str]] = field(default_factory=set)
    exclusions: set[tuple[str, str]] = field(default_factory=set)
    messages: set[str] = field(default_factory=set)
    receipts: set[tuple[str, str]] = field(default_factory=set)
    notices: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)


def spoken_of(entries: Iterable[Mapping[str, Any]]) -> Asked:
    """Gather what these entries (members as parsed) speak of."""
    asked = Asked()
    for made in entries:
        kind, facts, subject = made["kind"], made["facts"], made["subject"]
        if kind in CONSENTS:
            asked.consents.add((facts["owner"], subject))
        elif kind in EXCLUSIONS:
            asked.exclusions.add((facts["owner"], subject))
        elif kind == AuditKind.MESSAGE_ACCEPTED:
            asked.messages.add(subject)
        elif kind in RECEIPTS:
            asked.receipts.add((made["actor"], facts["receipt"]))
        elif kind == AuditKind.PURGE_ANSWERED:
            asked.notices.add(subject)
        elif kind in KEYS:
            asked.keys.add(made["id"])
    return asked
