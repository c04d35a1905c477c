# SPDX-License-Identifier: Apache-2.0
"""What a person allowed and refused, as data, and the algebra of it.

A scope is parties × direction × purposes × categories × period (consent.md, "What is stored"). Here: the
shapes, who and what they match, narrowing, and what may be registered. Whether one part may go is decided in
`decisions`.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from consent.calendar import add_months
from consent.errors import DocumentRefusedError, ScopeRefusedError
from consent.vocabulary.codes import CATEGORIES, CODE_LISTS, RECIPIENTS, SENSITIVE, require_known

ANY = "*"
PERSON = "person"
VALID_SIGNATURES = frozenset({"self", "self_dictated", "legal_rep"})
ORAL = "oral_pending"
ORAL_TERM = timedelta(days=14)
LONGEST_MONTHS = 12
FRESH_SIGNATURE = timedelta(days=30)

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_WITHOUT_PAPER = frozenset({ORAL, "none"})


class Direction(StrEnum):
    """Which way information may flow, seen from the hub party (consent.md, "What is stored")."""

    BOTH = "both"
    OUT = "out"
    IN = "in"


# tuples, because comparing two strings is quicker than hashing an enum member
_OUTWARD = ("both", "out")
_INWARD = ("both", "in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One agency: its id and its kind (a recipient code of the vocabulary)."""

    agency: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One signed record for one partner, split from a form that the person signed.

    `partners` holds agency ids or kinds. `written_by` and `witness` are a writer code of the vocabulary or
    `<staff role>:<the agency's opaque staff id>`, never a name. `evidence`: 64 hex digits, empty where there
    is no paper.
    """

    id: str
    case: str
    form: str
    kind: str
    hub_parties: frozenset[str]
    partners: frozenset[str]
    purposes: frozenset[str]
    categories: frozenset[str]
    direction: Direction = Direction.BOTH
    valid_from: datetime
    valid_until: datetime
    signature: str
    signed_at: datetime
    written_by: str
    proxy_reason: str | None = None
    read_aloud: bool = False
    witness: str | None = None
    form_version: str
    template: str
    evidence: str
    supersedes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A scope and the moment the hub registered it: what the hub knows of a record.

    `superseded_at`: from when on a newer record has taken its place, where that record itself need not be known here:
    a partner sees none that does not name it.
    """

    scope: Scope
    registered_at: datetime
    superseded_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """The person's refusal: these categories never to these agencies or kinds, until it is revoked.

    `to` holds agency ids, kinds or "*" (all but the intake side); `categories` holds codes or "*" (the
    sensitive ones too).
    """

    id: str
    case: str
    to: frozenset[str]
    categories: frozenset[str]
    from_time: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A consent taken back from a moment on.

    An empty set means all: every scope signed until then, every agency, every category.
    """

    id: str
    scopes: frozenset[str] = frozenset()
    to: frozenset[str] = frozenset()
    categories: frozenset[str] = frozenset()
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Conference:
    """A 支援会議: the agencies that accepted membership, and its end (exclusive)."""

    id: str
    members: frozenset[str]
    until: datetime


# ── who and what is matched ──


def matches(named: Collection[str], party: Party) -> bool:
    """Tell whether a list of agency ids and kinds names this party."""
    return party.agency in named or party.kind in named


def names(to: Collection[str], party: Party, intake_side: Collection[str]) -> bool:
    """Tell whether a refusal names this party; "*" is all but the intake side (consent.md, "Exclusions")."""
    return matches(to, party) or (ANY in to and party.agency not in intake_side)


def joins(scope: Scope, sender: Party, recipient: Party) -> bool:
    """Tell whether the scope joins the two in this direction: hub party and partner, never two of a side."""
    hub = scope.hub_parties
    if sender.agency in hub:
        return recipient.agency not in hub and matches(scope.partners, recipient) and scope.direction in _OUTWARD
    return recipient.agency in hub and matches(scope.partners, sender) and scope.direction in _INWARD


def covers(categories: Collection[str], category: str) -> bool:
    """Tell whether the categories carry this one; "*" never carries a sensitive one."""
    return category in categories or (ANY in categories and category not in SENSITIVE)


def expand(categories: Collection[str]) -> frozenset[str]:
    """Return every category that these carry, with "*" written out."""
    return frozenset(category for category in CATEGORIES if covers(categories, category))


def signature_valid(scope: Scope, at: datetime) -> bool:
    """Tell whether the signature counts at this moment; an oral one counts in [signed_at, + 14 days)."""
    if scope.signature in VALID_SIGNATURES:
        return True
    return scope.signature == ORAL and scope.signed_at <= at < scope.signed_at + ORAL_TERM


# ── narrowing ──


def is_within(inner: Scope, outer: Scope) -> bool:
    """Tell whether `inner` allows nothing that `outer` does not allow."""
    return (
        inner.hub_parties <= outer.hub_parties
        and inner.partners <= outer.partners
        and inner.purposes <= outer.purposes
        and expand(inner.categories) <= expand(outer.categories)
        and outer.direction in {inner.direction, Direction.BOTH}
        and outer.valid_from <= inner.valid_from
        and inner.valid_until <= outer.valid_until
    )


def meet(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """Return the categories that both carry, keeping "*" where both say it."""
    both = expand(one) & expand(other)
    return both & SENSITIVE | {ANY} if ANY in one and ANY in other else both


def narrow(
    scope: Scope,
    *,
    partners: frozenset[str] | None = None,
    purposes: frozenset[str] | None = None,
    categories: frozenset[str] | None = None,
    direction: Direction = Direction.BOTH,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Scope:
    """Return the scope cut down to what is named; what is not in it already is never added.

    Raises:
        ScopeRefusedError: `bad-scope`, nothing would be left.
    """
    smaller = replace(
        scope,
        partners=scope.partners if partners is None else scope.partners & partners,
        purposes=scope.purposes if purposes is None else scope.purposes & purposes,
        categories=scope.categories if categories is None else meet(scope.categories, categories),
        direction=scope.direction if direction is Direction.BOTH else direction,
        valid_from=max(scope.valid_from, valid_from or scope.valid_from),
        valid_until=min(scope.valid_until, valid_until or scope.valid_until),
    )
    pointer = next(_nothing_left(smaller), "")
    if scope.direction not in {Direction.BOTH, smaller.direction}:
        pointer = "/direction"
    if pointer:
        raise ScopeRefusedError("bad-scope", pointer)
    return smaller


def _nothing_left(scope: Scope) -> Iterator[str]:
    for member in ("hub_parties", "partners", "purposes", "categories"):
        if not getattr(scope, member):
            yield f"/{member}"
    if scope.valid_from >= scope.valid_until:
        yield "/valid_until"


# ── what may be registered ──


def check_scope(scope: Scope, registered_at: datetime) -> None:
    """Check that a scope may be registered at this moment (consent.md, "What is stored").

    Raises:
        DocumentRefusedError: `unknown-code`, something is not in the vocabulary.
        ScopeRefusedError: `bad-scope`, `proxy-reason-required` or `needs-second-signer`.
    """
    _check_codes(scope)
    pointer = next(_faults(scope, registered_at), None)
    if pointer is not None:
        raise ScopeRefusedError("bad-scope", pointer)
    if scope.proxy_reason is None and (scope.written_by != PERSON or scope.signature == "legal_rep"):
        raise ScopeRefusedError("proxy-reason-required", "/proxy_reason")
    late = registered_at - scope.signed_at > FRESH_SIGNATURE
    if late and scope.witness in {None, scope.written_by}:
        raise ScopeRefusedError("needs-second-signer", "/witness")


def check_exclusion(exclusion: Exclusion) -> None:
    """Check that an exclusion names agencies and categories that can exist.

    Raises:
        DocumentRefusedError: `unknown-code`.
        ScopeRefusedError: `bad-scope`, it names nobody or nothing.
    """
    _check_named(exclusion.to - {ANY}, "/to")
    _check_all("categories", exclusion.categories - {ANY}, "/categories")
    for pointer, named in (("/to", exclusion.to), ("/categories", exclusion.categories)):
        if not named:
            raise ScopeRefusedError("bad-scope", pointer)


def check_withdrawal(withdrawal: Withdrawal) -> None:
    """Check that a withdrawal names agencies and categories that can exist; empty means all.

    Raises:
        DocumentRefusedError: `unknown-code`.
    """
    _check_named(withdrawal.to - {ANY}, "/to")
    _check_all("categories", withdrawal.categories - {ANY}, "/categories")


def _check_all(code_list: str, codes: Collection[str], pointer: str) -> None:
    for code in codes:
        require_known(code_list, code, pointer)


def _check_named(named: Collection[str], pointer: str) -> None:
    for name in named:
        if not _UUID.fullmatch(name) and name not in RECIPIENTS:
            raise DocumentRefusedError("unknown-code", pointer)


def _check_codes(scope: Scope) -> None:
    require_known("consent_kind", scope.kind, "/kind")
    require_known("direction", scope.direction, "/direction")
    require_known("signature", scope.signature, "/signature")
    _check_all("purposes", scope.purposes, "/purposes")
    _check_all("categories", scope.categories - {ANY}, "/categories")
    _check_named(scope.partners, "/partners")
    if scope.proxy_reason is not None:
        require_known("proxy_reason", scope.proxy_reason, "/proxy_reason")
    _check_writer(scope.written_by, "/written_by")
    if scope.witness is not None:
        _check_writer(scope.witness, "/witness")


def _check_writer(writer: str, pointer: str) -> None:
    # a closed shape, so that no name of a person can come to stand here
    role, colon, staff = writer.partition(":")
    known = role in CODE_LISTS["staff_role"] and _TOKEN.fullmatch(staff) if colon else writer in CODE_LISTS["writer"]
    if not known:
        raise DocumentRefusedError("unknown-code", pointer)


def _faults(scope: Scope, registered_at: datetime) -> Iterator[str]:
    yield from _nothing_left(scope)
    if scope.valid_until > add_months(scope.valid_from, LONGEST_MONTHS):
        yield "/valid_until"
    if scope.signed_at > registered_at:
        yield "/signed_at"
    for member in ("id", "case"):
        if not _UUID.fullmatch(getattr(scope, member)):
            yield f"/{member}"
    if not all(map(_UUID.fullmatch, scope.hub_parties)) or scope.hub_parties & scope.partners:
        yield "/hub_parties"
    if not all(map(_UUID.fullmatch, scope.supersedes - {scope.id})) or scope.id in scope.supersedes:
        yield "/supersedes"
    for member in ("form", "form_version", "template"):
        if not _TOKEN.fullmatch(getattr(scope, member)):
            yield f"/{member}"
    if not (_DIGEST.fullmatch(scope.evidence) or (not scope.evidence and scope.signature in _WITHOUT_PAPER)):
        yield "/evidence"
