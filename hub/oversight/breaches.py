# SPDX-License-Identifier: Apache-2.0
"""What a leak at one agency, or of one of its keys, could have reached, and by when it must be reported.

People are counted by case handle: the hub cannot know whether two handles of two agencies are one person.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from consent.calendar import Calendar
from consent.envelope import manifest
from consent.jwk import KeyUse
from consent.signing import Typ, peek_payload
from consent.vocabulary.codes import CODE_LISTS, SENSITIVE
from hub.agencies import reads as agencies
from hub.agencies.reads import PublishedKey
from hub.base.errors import InvalidError
from hub.messages import overseen as messages
from hub.messages.reads import Labelled
from hub.oversight.deadlines import Deadlines, deadlines, many


class Seal(StrEnum):
    """How far a parcel had got: still sealed at the hub, opened by the receiver's connector, read by a worker, or
    destroyed unopened.
    """

    SEALED = "sealed"
    OPENED = "opened"
    READ = "read"
    DESTROYED = "destroyed"


class Reason(StrEnum):
    """Why a leak may have to be reported (rules 7 and 43)."""

    SENSITIVE = "sensitive"
    PROPERTY = "property"
    MANY = "many"


PROPERTY_CATEGORIES = frozenset({"income_assets", "debt_arrears"})
"""Categories by whose leak somebody could lose money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked: which agency, which of its keys (none: all it held), from when until before when."""

    agency: str
    kid: str | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One message within reach of the leak; `outgoing`: the agency sent it and kept a copy that its key opens."""

    message: str
    at: datetime
    case: str
    other: str
    outgoing: bool
    categories: tuple[str, ...]
    seal: Seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What could have leaked. `keys_exposed`: a key that opens parcels is gone: being sealed excuses nothing."""

    asked: Asked
    parcels: tuple[Parcel, ...]
    persons: int
    persons_by_category: Mapping[str, int]
    by_seal: Mapping[Seal, int]
    keys_exposed: bool
    reasons: tuple[Reason, ...]
    deadlines: Deadlines


def reach(session: Session, asked: Asked, *, known_on: date, calendar: Calendar) -> Reach:
    """Work out what a leak reaches; needs a role that sees every row.

    Raises InvalidError (`unknown-agency`, `unknown-key`, `bad-period`).
    """
    agency = agencies.agency(session, asked.agency)
    if agency is None:
        raise InvalidError("unknown-agency", pointer="/agency")
    if asked.until <= asked.since:
        raise InvalidError("bad-period", pointer="/until")
    key = _key(session, asked)
    found = messages.accepted(session, since=asked.since, until=asked.until, agency=asked.agency)
    parcels = tuple(_parcel(one, asked.agency) for one in found if key is None or _opens(key, one))
    by_category = _persons_by_category(parcels)
    persons = len({one.case for one in parcels})
    regime = CODE_LISTS["recipients"][agency.kind]["regime"]
    return Reach(
        asked=asked,
        parcels=parcels,
        persons=persons,
        persons_by_category=by_category,
        by_seal=Counter(one.seal for one in parcels),
        keys_exposed=key is not None and key.use == KeyUse.ENC.value,
        reasons=_reasons(by_category, persons, regime),
        deadlines=deadlines(known_on, calendar),
    )


def _key(session: Session, asked: Asked) -> PublishedKey | None:
    if asked.kid is None:
        return None
    for key in agencies.keys(session, asked.agency):
        if key.kid == asked.kid and not key.removal:
            return key
    raise InvalidError("unknown-key", pointer="/key")


def _opens(key: PublishedKey, one: Labelled) -> bool:
    """Say whether a stolen key touches a message: an enc key opens what was sealed to it, and the copies its owner kept
    of what it sent meanwhile; a sig key can have signed what bears its name; no other key touches a message.
    """
    message = one.message
    if key.use == KeyUse.SIG.value:
        kid, _ = manifest.peek(message.manifest)
        return message.sender == key.agency and kid == key.kid
    if key.use != KeyUse.ENC.value:
        return False
    if message.sender == key.agency:
        return key.not_before <= message.accepted_at < key.ends_at
    said = json.loads(peek_payload(message.manifest, typ=Typ.MANIFEST))
    return bool(said["to_kid"] == key.kid)


def _parcel(one: Labelled, agency: str) -> Parcel:
    message = one.message
    outgoing = message.sender == agency
    return Parcel(
        message=message.id,
        at=message.accepted_at,
        case=message.case_handle,
        other=message.recipient if outgoing else message.sender,
        outgoing=outgoing,
        categories=tuple(dict.fromkeys(label.category for label in one.labels)),
        seal=_seal(one),
    )


def _seal(one: Labelled) -> Seal:
    message = one.message
    if message.opened_at is not None:
        return Seal.READ
    if message.delivered_at is not None:
        return Seal.OPENED
    return Seal.DESTROYED if message.emptied_at is not None else Seal.SEALED


def _persons_by_category(parcels: Sequence[Parcel]) -> Mapping[str, int]:
    cases: dict[str, set[str]] = {}
    for one in parcels:
        for category in one.categories:
            cases.setdefault(category, set()).add(one.case)
    return {category: len(named) for category, named in sorted(cases.items())}


def _reasons(by_category: Mapping[str, int], persons: int, regime: str) -> tuple[Reason, ...]:
    found = {
        Reason.SENSITIVE: not SENSITIVE.isdisjoint(by_category),
        Reason.PROPERTY: not PROPERTY_CATEGORIES.isdisjoint(by_category),
        Reason.MANY: persons > many(regime),
    }
    return tuple(reason for reason, holds in found.items() if holds)
