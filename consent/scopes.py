# SPDX-License-Identifier: Apache-2.0
"""What a person allowed and refused, as data: scopes, exclusions, withdrawals, and the algebra of parties and categories.

A scope is parties × direction × purposes × categories × period (consent.md, "What is stored"). Whether something may be
shared is decided in `decisions`; whether a scope may be registered is checked in `registration`.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Direction(StrEnum):
    """Which way information may flow, seen from the hub party (consent.md, "What is stored")."""

    BOTH = "both"
    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One agency: its id and its kind (a recipient code of the vocabulary)."""

    agency: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One signed record for one partner, split from a form that the person signed."""

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
    """A scope and the moment the hub registered it: what the hub knows of a record."""

    scope: Scope
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclusion:
    """The person's refusal: these categories never to these agencies or kinds, from a moment until it is revoked.

    `to` holds agency ids, kinds or "*" (all but the intake side); `categories` holds codes or "*" (the sensitive ones too).
    """

    id: str
    case: str
    to: frozenset[str]
    categories: frozenset[str]
    from_time: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """A consent taken back from a moment on. An empty set means all: every scope signed until then, every agency, every category."""

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
