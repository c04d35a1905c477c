# SPDX-License-Identifier: Apache-2.0
"""What a decision is asked, what it rests on, and what it answers: shapes only, decided in `decisions`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from consent.scopes import Conference, Exclusion, Party, Registered, Withdrawal


class Reason(StrEnum):
    """Why a part is refused: the vocabulary's `decision_reasons`."""

    NO_CONSENT = "NO_CONSENT"
    SIGNATURE_NOT_VALID = "SIGNATURE_NOT_VALID"
    EXCLUDED_BY_SUBJECT = "EXCLUDED_BY_SUBJECT"
    PARTY_NOT_COVERED = "PARTY_NOT_COVERED"
    PURPOSE_NOT_COVERED = "PURPOSE_NOT_COVERED"
    CATEGORY_NOT_COVERED = "CATEGORY_NOT_COVERED"
    SENSITIVE_NOT_EXPLICIT = "SENSITIVE_NOT_EXPLICIT"
    NOT_YET_VALID = "NOT_YET_VALID"
    EXPIRED = "EXPIRED"
    WITHDRAWN = "WITHDRAWN"
    SUPERSEDED = "SUPERSEDED"
    CASE_CLOSED = "CASE_CLOSED"
    LEGAL_BASIS_INCOMPLETE = "LEGAL_BASIS_INCOMPLETE"
    BASIS_CATEGORY_NOT_PERMITTED = "BASIS_CATEGORY_NOT_PERMITTED"
    NOT_CONFERENCE_MEMBER = "NOT_CONFERENCE_MEMBER"


class Remedy(StrEnum):
    """What would remedy a refusal: the vocabulary's `remedy`."""

    ASK_CONSENT = "ask_consent"
    GET_SIGNATURE = "get_signature"
    RESPECT_EXCLUSION = "respect_exclusion"
    ADD_PARTNER = "add_partner"
    ADD_PURPOSE = "add_purpose"
    ADD_CATEGORY = "add_category"
    TICK_SENSITIVE = "tick_sensitive"
    WAIT_FOR_START = "wait_for_start"
    RENEW_CONSENT = "renew_consent"
    RESPECT_WITHDRAWAL = "respect_withdrawal"
    PREPARE_AGAIN = "prepare_again"
    APPLY_AGAIN = "apply_again"
    COMPLETE_BASIS = "complete_basis"
    REMOVE_PART = "remove_part"
    APPROVE_AGAIN = "approve_again"
    JOIN_CONFERENCE = "join_conference"
    CORRECT_PURPOSE = "correct_purpose"
    CONVENE_AGAIN = "convene_again"
    CORRECT_RECIPIENT = "correct_recipient"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentBasis:
    """The person's consent: any live scope of the case may carry the part."""

    kind: ClassVar[str] = "consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyBasis:
    """Life, body or property at stake and consent hard to obtain; None or "" is missing."""

    kind: ClassVar[str] = "emergency"
    threat: str | None = None
    difficulty: str | None = None
    requester: str | None = None
    approver: str | None = None
    approver_role: str | None = None
    approved_at: datetime | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceBasis:
    """Sharing inside a 支援会議 (law art. 9) known by its id."""

    kind: ClassVar[str] = "shien_kaigi"
    conference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatuteBasis:
    """A duty or power to tell by statute, named by its registered ground."""

    kind: ClassVar[str] = "statute"
    ground: str | None = None


Basis = ConsentBasis | EmergencyBasis | ConferenceBasis | StatuteBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one case.

    `intake_side`: the case owner and the hub parties of its scopes.
    """

    intake_side: frozenset[str]
    closed_at: datetime | None = None
    scopes: tuple[Registered, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    withdrawals: tuple[Withdrawal, ...] = ()
    conferences: tuple[Conference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Ask whether this category may go from sender to recipient for this purpose on this basis at this time.

    `sent_at`: the moment of sending when this is decided again later (hand-over, opening), absent on the
    first decision. An emergency that was not dated runs from there.
    """

    sender: Party
    recipient: Party
    purpose: str
    category: str
    basis: Basis
    at: datetime
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """The part may go. `scope`: the scope that carries it (consent only); `path`: the rules walked."""

    basis: str
    scope: str | None
    path: tuple[str, ...]
    against_exclusion: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The part may not go. `scope`: the one the reason is about; `path` ends with the rule that failed."""

    reason: Reason
    scope: str | None
    remedy: Remedy
    path: tuple[str, ...]
