# SPDX-License-Identifier: Apache-2.0
"""Passkeys of the people of the hub (WebAuthn): enough by themselves, because the device asks who it is.

`webauthn` writes the options and checks what the browser answers; here stands whose a passkey is, that a challenge
counts once and for the browser it was made for, and that a device's counter only rises. Nothing is asked about the
device's make (no attestation), and nobody's name is told to it: the hub knows none.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import webauthn
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from webauthn.helpers import bytes_to_base64url, generate_challenge, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry
from hub.staff import attempts, reads
from hub.staff.reads import Member
from hub.staff.rules import CHALLENGED_FOR, Role, Tries
from hub.staff.tables import challenges, passkeys, staff

MOST_OF_ONE: Final = 10
LONGEST_ANSWER: Final = 20_000
"""Bytes of what a browser answers; real ones have about two thousand."""
_MALFORMED: Final = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What the library raises for an answer that is not what it asked for; parts of it are decoded without a guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a passkey is asked for: the host it is bound to, the hub's origin, what the device shows as its name."""

    host: str
    origin: str
    name: str


def making_options(session: Session, place: Place, member: Member, *, visitor: str, now: datetime) -> str:
    """Write what the browser needs to make a passkey, as JSON; those that are there already are named."""
    known = [
        PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(one.id))
        for one in reads.passkeys_of(session, member.id)
    ]
    title = f"{member.role.value} {member.id[:8]}"
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=place.name,
        user_id=member.id.encode(),
        user_name=title,
        user_display_name=title,
        challenge=_challenge(session, visitor, now),
        exclude_credentials=known,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return webauthn.options_to_json(options)


def asking_options(session: Session, place: Place, *, visitor: str, now: datetime) -> str:
    """Write what the browser needs to ask for any passkey of this hub, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=place.host,
        challenge=_challenge(session, visitor, now),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def take(
    session: Session, place: Place, member: Member, answer: Mapping[str, Any], *, visitor: str, now: datetime
) -> bool:
    """Take a new passkey of somebody; say whether the browser's answer was right."""
    challenge = _spend(session, answer, visitor, now)
    if challenge is None or len(reads.passkeys_of(session, member.id)) >= MOST_OF_ONE:
        return False
    try:
        made = webauthn.verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except _MALFORMED:
        return False
    added = session.execute(
        insert(passkeys)
        .values(
            id=bytes_to_base64url(made.credential_id),
            staff=member.id,
            public_key=made.credential_public_key,
            counter=made.sign_count,
            made_at=now,
        )
        .on_conflict_do_nothing()
        .returning(passkeys.c.id)
    ).one_or_none()
    if added is None:
        return False
    _log(session, AuditKind.STAFF_PASSKEY_MADE, member.id, member.role, now)
    return True


def owner(
    session: Session, place: Place, answer: Mapping[str, Any], *, visitor: str, source: str, now: datetime
) -> Member | timedelta | None:
    """Give who has shown a passkey; None where anything about it is wrong; how long to wait after too many of those.

    It counts the wrong ones, so the caller commits either way.
    """
    tries = attempts.of_source(session, source)
    wait = attempts.wait_of(tries, now)
    if wait is not None:
        return wait
    challenge = _spend(session, answer, visitor, now)
    row = None if challenge is None else _known(session, str(answer.get("id")))
    if challenge is None or row is None:
        attempts.source_failed(session, source, tries, now=now)
        return None
    own = Tries(count=row.tries, since=row.tries_since)
    wait = attempts.wait_of(own, now)
    if wait is not None:
        return wait
    try:
        shown = webauthn.verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.counter,
            require_user_verification=True,
        )
    except _MALFORMED:
        attempts.source_failed(session, source, tries, now=now)
        attempts.person_failed(session, row.staff, own, now=now)
        _log(session, AuditKind.STAFF_PASSKEY_REFUSED, row.staff, Role(row.role), now)
        return None
    session.execute(
        sa.update(passkeys).where(passkeys.c.id == row.id).values(counter=shown.new_sign_count, used_at=now)
    )
    attempts.set_person(session, row.staff, Tries(count=0, since=None))
    return Member(id=row.staff, role=Role(row.role), enrolled_at=row.enrolled_at, closed_at=None, agency=row.agency)


def remove(session: Session, member: Member, passkey: str, *, now: datetime) -> bool:
    """Remove one passkey of somebody; say whether there was one."""
    gone = session.execute(
        sa.update(passkeys)
        .where(passkeys.c.id == passkey, passkeys.c.staff == member.id, passkeys.c.removed_at.is_(None))
        .values(removed_at=now)
        .returning(passkeys.c.id)
    ).one_or_none()
    if gone is not None:
        _log(session, AuditKind.STAFF_PASSKEY_REMOVED, member.id, member.role, now)
    return gone is not None


def forget_old(session: Session, *, now: datetime) -> None:
    """Remove challenges that nobody can answer any more; for the worker's timetable."""
    session.execute(sa.delete(challenges).where(challenges.c.made_at < now - 2 * CHALLENGED_FOR))


def _known(session: Session, passkey: str) -> sa.Row[Any] | None:
    return session.execute(
        sa.select(passkeys, staff.c.role, staff.c.agency, staff.c.enrolled_at, staff.c.tries, staff.c.tries_since)
        .join(staff, staff.c.id == passkeys.c.staff)
        .where(passkeys.c.id == passkey, passkeys.c.removed_at.is_(None), staff.c.closed_at.is_(None))
        .with_for_update(of=staff)
    ).one_or_none()


def _challenge(session: Session, visitor: str, now: datetime) -> bytes:
    made = generate_challenge()
    session.execute(sa.insert(challenges).values(digest=_hash(made), visitor=_hash(visitor.encode()), made_at=now))
    return made


def _spend(session: Session, answer: Mapping[str, Any], visitor: str, now: datetime) -> bytes | None:
    """Give the challenge that this browser answers, and use it up; None if it was not asked that, or long ago, or
    answered it before.
    """
    try:
        if len(json.dumps(dict(answer))) > LONGEST_ANSWER:
            return None
        said = webauthn.base64url_to_bytes(answer["response"]["clientDataJSON"])
        challenge = parse_client_data_json(said).challenge
    except _MALFORMED:
        return None
    spent = session.execute(
        sa.update(challenges)
        .where(
            challenges.c.digest == _hash(challenge),
            challenges.c.visitor == _hash(visitor.encode()),
            challenges.c.made_at > now - CHALLENGED_FOR,
            challenges.c.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(challenges.c.digest)
    ).one_or_none()
    return None if spent is None else challenge


def _hash(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def _log(session: Session, kind: AuditKind, staff_id: str, role: Role, now: datetime) -> None:
    entry = Entry(kind=kind, actor=staff_id, parties=(), subject=staff_id, facts={"role": role.value})
    audit.append(session, entry, now=now)
