# SPDX-License-Identifier: Apache-2.0
"""Decide whether one part may go from one agency to another (consent.md, "How it is decided").

The answer depends on the question and the facts alone, the time included; the same code runs at the sender
before sealing, at the hub on acceptance and again at hand-over, and at the receiver before opening. Refusing
is the default: a part is permitted only where a rule below says so.

For `consent` the first failure names the reason:

1. no scope at all → NO_CONSENT
2. the case is closed and the purpose is not `follow_up` → CASE_CLOSED
3. an exclusion in force covers recipient and category → EXCLUDED_BY_SUBJECT
4. no scope joins the two in this direction → PARTY_NOT_COVERED
5. none of those covers the purpose → PURPOSE_NOT_COVERED
6. none of those covers the category → SENSITIVE_NOT_EXPLICIT where only a "*" did, else CATEGORY_NOT_COVERED
7. any scope left is live → permitted
8. else the most telling of WITHDRAWN, SIGNATURE_NOT_VALID, SUPERSEDED, EXPIRED, NOT_YET_VALID

`emergency`, `shien_kaigi` and `statute` are narrow doors of their own; closure and exclusions do not bar
them, and a use against an exclusion is flagged. A record registered only after the time asked about counts
for nothing, so that a decision can be replayed years later with the same answer.

Example: a council (partner, both ways) reports back what its scope covers. Legal aid is joined to the intake
agency by another scope, but not to the council: PARTY_NOT_COVERED.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from consent.errors import DocumentRefusedError
from consent.questions import (
    Basis,
    ConferenceBasis,
    ConsentBasis,
    EmergencyBasis,
    Facts,
    Permitted,
    Question,
    Reason,
    Refused,
    Remedy,
    StatuteBasis,
)
from consent.scopes import ANY, Registered, Scope, Withdrawal, covers, joins, names, signature_valid
from consent.vocabulary.codes import (
    CATEGORIES,
    DIFFICULTIES,
    EMERGENCY_APPROVER_ROLES,
    EMERGENCY_MINIMUM,
    PURPOSES,
    RECIPIENTS,
    REMEDIES,
    SENSITIVE,
    STATUTE_KINDS,
    THREATS,
)

# the shapes live in `questions`; callers find everything about deciding here
__all__ = [
    "RULES",
    "Basis",
    "ConferenceBasis",
    "ConsentBasis",
    "EmergencyBasis",
    "Facts",
    "Permitted",
    "Question",
    "Reason",
    "Refused",
    "Remedy",
    "StatuteBasis",
    "decide",
    "decide_parts",
]

EMERGENCY_TERM = timedelta(hours=72)
# an approval is stamped by the agency's clock, which may run a little ahead of the hub's
CLOCK_SKEW = timedelta(minutes=5)
_AFTER_CLOSURE = "follow_up"
_IN_CONFERENCE = "shien_kaigi"

_REMEDY = MappingProxyType(
    {(basis, Reason(reason)): Remedy(remedy) for basis, rows in REMEDIES.items() for reason, remedy in rows.items()}
)

# The rules of each basis in the order they are tested: the words of `path`.
RULES = MappingProxyType(
    {
        "consent": (
            "any_scope",
            "case_open",
            "not_excluded",
            "parties_joined",
            "purpose_covered",
            "category_covered",
            "scope_live",
        ),
        "emergency": ("basis_complete", "category_in_minimum", "not_lapsed"),
        "shien_kaigi": ("both_members", "purpose_of_conference", "not_ended"),
        "statute": ("registered_ground", "kind_named_by_ground"),
    }
)


class _Failure(NamedTuple):
    rule: str
    reason: Reason
    scope: str | None = None


# ── deciding ──


def decide(question: Question, facts: Facts) -> Permitted | Refused:
    """Decide one part (consent.md, "How it is decided").

    Raises:
        DocumentRefusedError: `unknown-code`, a purpose, category, kind of party or basis does not exist.
    """
    _check_codes(question)
    basis = question.basis
    if isinstance(basis, ConsentBasis):
        return _by_consent(question, facts)
    if isinstance(basis, EmergencyBasis):
        failure = _emergency_failure(question, basis)
    elif isinstance(basis, ConferenceBasis):
        failure = _conference_failure(question, basis, facts)
    else:
        failure = _statute_failure(question, basis)
    if failure is not None:
        return _refuse(basis.kind, failure)
    return Permitted(
        basis=basis.kind,
        scope=None,
        path=(basis.kind, *RULES[basis.kind]),
        against_exclusion=_excluded(question, facts),
    )


def decide_parts(
    question: Question, facts: Facts, categories: Iterable[str]
) -> tuple[tuple[str, Permitted | Refused], ...]:
    """Decide each category of a message, in the order given, in place of the question's own.

    Raises:
        DocumentRefusedError: `unknown-code`.
    """
    return tuple((category, decide(replace(question, category=category), facts)) for category in categories)


def _check_codes(question: Question) -> None:
    if question.purpose not in PURPOSES:
        raise DocumentRefusedError("unknown-code", "/purpose")
    if question.category not in CATEGORIES:
        raise DocumentRefusedError("unknown-code", "/category")
    if question.sender.kind not in RECIPIENTS:
        raise DocumentRefusedError("unknown-code", "/sender/kind")
    if question.recipient.kind not in RECIPIENTS:
        raise DocumentRefusedError("unknown-code", "/recipient/kind")
    if question.basis.kind not in RULES:
        raise DocumentRefusedError("unknown-code", "/basis/kind")


def _refuse(basis: str, failure: _Failure) -> Refused:
    rules = RULES[basis]
    return Refused(
        reason=failure.reason,
        scope=failure.scope,
        remedy=_REMEDY[basis, failure.reason],
        path=(basis, *rules[: rules.index(failure.rule) + 1]),
    )


# ── consent ──


def _by_consent(question: Question, facts: Facts) -> Permitted | Refused:
    barred = _bar(question, facts)
    if barred is not None:
        return _refuse("consent", barred)
    covering = _covering(question, facts.scopes)
    if isinstance(covering, _Failure):
        return _refuse("consent", covering)
    found = _first_live(question, facts, covering)
    if isinstance(found, _Failure):
        return _refuse("consent", found)
    return Permitted(basis="consent", scope=found, path=("consent", *RULES["consent"]))


def _bar(question: Question, facts: Facts) -> _Failure | None:
    # 1: a scope with a missing signature is a scope all the same; what is wrong with it is said in step 8
    if not any(record.registered_at <= question.at for record in facts.scopes):
        return _Failure("any_scope", Reason.NO_CONSENT)
    # 2
    closed = facts.closed_at is not None and facts.closed_at <= question.at
    if closed and question.purpose != _AFTER_CLOSURE:
        return _Failure("case_open", Reason.CASE_CLOSED)
    # 3
    if _excluded(question, facts):
        return _Failure("not_excluded", Reason.EXCLUDED_BY_SUBJECT)
    return None


def _excluded(question: Question, facts: Facts) -> bool:
    return any(
        exclusion.from_time <= question.at
        and (exclusion.revoked_at is None or question.at < exclusion.revoked_at)
        and (question.category in exclusion.categories or ANY in exclusion.categories)
        and names(exclusion.to, question.recipient, facts.intake_side)
        for exclusion in facts.exclusions
    )


def _covering(question: Question, records: Sequence[Registered]) -> Sequence[Scope] | _Failure:
    sender, recipient, at = question.sender, question.recipient, question.at
    # 4
    joined = [r.scope for r in records if joins(r.scope, sender, recipient) and r.registered_at <= at]
    if not joined:
        return _Failure("parties_joined", Reason.PARTY_NOT_COVERED)
    # 5
    purposed = [scope for scope in joined if question.purpose in scope.purposes]
    if not purposed:
        return _Failure("purpose_covered", Reason.PURPOSE_NOT_COVERED)
    # 6
    covering = [scope for scope in purposed if covers(scope.categories, question.category)]
    if covering:
        return covering
    swept = question.category in SENSITIVE and any(ANY in scope.categories for scope in purposed)
    reason = Reason.SENSITIVE_NOT_EXPLICIT if swept else Reason.CATEGORY_NOT_COVERED
    return _Failure("category_covered", reason)


def _first_live(question: Question, facts: Facts, covering: Sequence[Scope]) -> str | _Failure:
    withdrawals = [w for w in facts.withdrawals if _concerns(w, question, facts.intake_side)]
    ended = _ended(facts.scopes, question.at)
    telling = len(_MOST_TELLING)
    about = ""
    for scope in covering:
        flaw = _flaw(scope, question.at, withdrawals, ended)
        # 7
        if flaw is None:
            return scope.id
        if flaw < telling:
            telling, about = flaw, scope.id
    # 8
    return _Failure("scope_live", _MOST_TELLING[telling], about)


def _ended(records: Sequence[Registered], at: datetime) -> frozenset[str]:
    # a record ends what it supersedes on its registration, if its signature counted then; it stays ended
    ends = [r for r in records if r.scope.supersedes and r.registered_at <= at]
    ended = {old for r in ends if signature_valid(r.scope, r.registered_at) for old in r.scope.supersedes}
    # the word of the hub about a record whose successor is not among the facts
    return frozenset(ended.union(r.scope.id for r in records if r.superseded_at and r.superseded_at <= at))


def _concerns(withdrawal: Withdrawal, question: Question, intake_side: frozenset[str]) -> bool:
    # for an agency it stops, it stops it as recipient and as sender; nothing named means all
    to, categories = withdrawal.to, withdrawal.categories
    return (
        withdrawal.at <= question.at
        and (not categories or question.category in categories or ANY in categories)
        and (not to or names(to, question.recipient, intake_side) or names(to, question.sender, intake_side))
    )


def _takes_back(withdrawal: Withdrawal, scope: Scope) -> bool:
    # the person's newest word counts: what was signed after taking back everything is a new consent
    return scope.id in withdrawal.scopes if withdrawal.scopes else scope.signed_at <= withdrawal.at


# in the order of step 8; a scope's flaw is a place in this row
_MOST_TELLING = (
    Reason.WITHDRAWN,
    Reason.SIGNATURE_NOT_VALID,
    Reason.SUPERSEDED,
    Reason.EXPIRED,
    Reason.NOT_YET_VALID,
)
_WITHDRAWN, _SIGNATURE_NOT_VALID, _SUPERSEDED, _EXPIRED, _NOT_YET_VALID = range(5)


def _flaw(scope: Scope, at: datetime, withdrawals: Sequence[Withdrawal], ended: frozenset[str]) -> int | None:
    """Return the most telling thing that is wrong with this scope; None when it is live."""
    if withdrawals and any(_takes_back(withdrawal, scope) for withdrawal in withdrawals):
        return _WITHDRAWN
    if not signature_valid(scope, at):
        return _SIGNATURE_NOT_VALID
    if scope.id in ended:
        return _SUPERSEDED
    if scope.valid_until <= at:
        return _EXPIRED
    return _NOT_YET_VALID if at < scope.valid_from else None


# ── the other bases: each row of consent.md's table, its tests in the order of the row ──


def _emergency_failure(question: Question, basis: EmergencyBasis) -> _Failure | None:
    approved_at = basis.approved_at or question.sent_at or question.at
    valid_until = basis.valid_until or approved_at + EMERGENCY_TERM
    in_order = approved_at <= question.at + CLOCK_SKEW and valid_until <= approved_at + EMERGENCY_TERM
    if not (in_order and _approved_by_another(basis)):
        return _Failure("basis_complete", Reason.LEGAL_BASIS_INCOMPLETE)
    if question.category not in EMERGENCY_MINIMUM:
        return _Failure("category_in_minimum", Reason.BASIS_CATEGORY_NOT_PERMITTED)
    if valid_until <= question.at:
        return _Failure("not_lapsed", Reason.EXPIRED)
    return None


def _approved_by_another(basis: EmergencyBasis) -> bool:
    requester, approver = ((who or "").strip().casefold() for who in (basis.requester, basis.approver))
    return (
        basis.threat in THREATS
        and basis.difficulty in DIFFICULTIES
        and basis.approver_role in EMERGENCY_APPROVER_ROLES
        and bool(requester and approver)
        and requester != approver
    )


def _conference_failure(question: Question, basis: ConferenceBasis, facts: Facts) -> _Failure | None:
    conference = next((c for c in facts.conferences if c.id == basis.conference), None)
    both = {question.sender.agency, question.recipient.agency}
    if conference is None or not both <= conference.members:
        return _Failure("both_members", Reason.NOT_CONFERENCE_MEMBER)
    if question.purpose != _IN_CONFERENCE:
        return _Failure("purpose_of_conference", Reason.PURPOSE_NOT_COVERED)
    if conference.until <= question.at:
        return _Failure("not_ended", Reason.EXPIRED)
    return None


def _statute_failure(question: Question, basis: StatuteBasis) -> _Failure | None:
    kinds = STATUTE_KINDS.get(basis.ground or "")
    if kinds is None:
        return _Failure("registered_ground", Reason.LEGAL_BASIS_INCOMPLETE)
    if question.recipient.kind not in kinds:
        return _Failure("kind_named_by_ground", Reason.PARTY_NOT_COVERED)
    return None
