# SPDX-License-Identifier: Apache-2.0
"""Passkeys of staff (WebAuthn): made on the own page, then enough by themselves, because the device asks who it is.

`webauthn` writes the options and checks what the browser answers; here stands whose a passkey is, that each challenge
counts once and that a device's counter only rises. Nothing is asked about the device's make (no attestation).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import webauthn
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from connectors.casebook import access
from connectors.desk.staff import rules, tables
from connectors.desk.web.visits import Member

MOST_OF_ONE: Final = 10
LONGEST_NAME: Final = 60
LONGEST_ANSWER: Final = 20_000
"""Bytes of what a browser answers; real ones have about two thousand."""
_MALFORMED: Final = (WebAuthnException, ValueError, TypeError, KeyError, AttributeError, OverflowError)
"""What the library raises for an answer that is not what it asked for; parts of it are decoded without a guard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a passkey is asked for: the host it is bound to, the address of the desk, whose desk it is."""

    host: str
    origin: str
    agency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passkey:
    """A passkey as its owner's page shows it."""

    id: str
    name: str
    made_at: datetime
    used_at: datetime | None


def passkeys_of(connection: Connection, member: str) -> list[Passkey]:
    """Give the passkeys of somebody, oldest first."""
    rows = connection.execute(
        sa.select(tables.passkeys).where(tables.passkeys.c.member == member).order_by(tables.passkeys.c.made_at)
    )
    return [Passkey(id=row.id, name=row.name, made_at=row.made_at, used_at=row.used_at) for row in rows]


def making_options(connection: Connection, place: Place, member: Member, login: str, challenge: bytes) -> str:
    """Write what the browser needs to make a passkey, as JSON; those that are there already are named."""
    known = [
        PublicKeyCredentialDescriptor(id=webauthn.base64url_to_bytes(one.id))
        for one in passkeys_of(connection, member.id)
    ]
    options = webauthn.generate_registration_options(
        rp_id=place.host,
        rp_name=place.agency,
        user_id=member.id.encode(),
        user_name=login,
        user_display_name=member.name,
        challenge=challenge,
        exclude_credentials=known,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    return webauthn.options_to_json(options)


def asking_options(place: Place, challenge: bytes) -> str:
    """Write what the browser needs to ask for any passkey of this desk, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=place.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
    )
    return webauthn.options_to_json(options)


def take(
    connection: Connection,
    place: Place,
    member: str,
    answer: Mapping[str, Any],
    *,
    challenge: bytes,
    name: str,
    now: datetime,
) -> bool:
    """Take a new passkey of somebody; say whether the browser's answer was right."""
    if len(passkeys_of(connection, member)) >= MOST_OF_ONE or not _spend(connection, challenge, now):
        return False
    try:
        made = webauthn.verify_registration_response(
            credential=_whole(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            require_user_verification=True,
        )
    except _MALFORMED:
        return False
    added = connection.execute(
        insert(tables.passkeys)
        .values(
            id=bytes_to_base64url(made.credential_id),
            member=member,
            public_key=made.credential_public_key,
            counter=made.sign_count,
            name=name,
            made_at=now,
        )
        .on_conflict_do_nothing()
    )
    if added.rowcount != 1:
        return False
    access.record(connection, staff=member, action="passkey:made", about=member, now=now)
    return True


def owner(
    connection: Connection, place: Place, answer: Mapping[str, Any], *, challenge: bytes, now: datetime
) -> str | None:
    """Give who has shown a passkey, of those who work here; none where anything about it is wrong."""
    if not _spend(connection, challenge, now):
        return None
    row = connection.execute(
        sa.select(tables.passkeys)
        .join(tables.members, tables.members.c.id == tables.passkeys.c.member)
        .where(tables.passkeys.c.id == str(answer.get("id")), tables.members.c.is_active)
    ).one_or_none()
    if row is None:
        return None
    try:
        shown = webauthn.verify_authentication_response(
            credential=_whole(answer),
            expected_challenge=challenge,
            expected_rp_id=place.host,
            expected_origin=place.origin,
            credential_public_key=row.public_key,
            credential_current_sign_count=row.counter,
            require_user_verification=True,
        )
    except _MALFORMED:
        access.record(connection, staff=row.member, action="passkey:refused", about=row.member, now=now)
        return None
    connection.execute(
        sa.update(tables.passkeys)
        .where(tables.passkeys.c.id == row.id)
        .values(counter=shown.new_sign_count, used_at=now)
    )
    return str(row.member)


def remove(connection: Connection, member: str, passkey: str, *, now: datetime) -> bool:
    """Remove one passkey of somebody; say whether there was one."""
    gone = connection.execute(
        sa.delete(tables.passkeys).where(tables.passkeys.c.id == passkey, tables.passkeys.c.member == member)
    )
    if gone.rowcount:
        access.record(connection, staff=member, action="passkey:removed", about=member, now=now)
    return gone.rowcount == 1


def rename(connection: Connection, member: str, passkey: str, name: str, *, now: datetime) -> bool:
    """Call one passkey of somebody something else; say whether there was one."""
    renamed = connection.execute(
        sa.update(tables.passkeys)
        .where(tables.passkeys.c.id == passkey, tables.passkeys.c.member == member)
        .values(name=name)
    )
    if renamed.rowcount:
        access.record(connection, staff=member, action="passkey:renamed", about=member, now=now)
    return renamed.rowcount == 1


def _spend(connection: Connection, challenge: bytes, now: datetime) -> bool:
    """Use a challenge up; say no if it was used before. The browser's cookie alone could be sent again."""
    spent = tables.spent_challenges
    connection.execute(sa.delete(spent).where(spent.c.spent_at < now - 2 * rules.CHALLENGED_FOR))
    added = connection.execute(
        insert(spent).values(challenge=hashlib.sha256(challenge).hexdigest(), spent_at=now).on_conflict_do_nothing()
    )
    return added.rowcount == 1


def _whole(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Give the answer as the library reads it.

    *Raises* ValueError: it is far too long.
    """
    whole = dict(answer)
    if len(json.dumps(whole)) > LONGEST_ANSWER:
        raise ValueError
    return whole
