# SPDX-License-Identifier: Apache-2.0
"""Register and confirm agencies, take and end their keys, suspend them. Who is signed in is decided by the
caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent import keys, signing
from consent.errors import SignatureRefusedError
from consent.jwk import KeyUse, PublicKey
from consent.keys import KeyEntry, SignedEntry
from consent.registration import Registration, read_registration
from consent.signing import Typ
from hub.agencies import reads
from hub.agencies.reads import Agency, PublishedKey
from hub.agencies.rules import (
    COORDINATING_KIND,
    AgencyState,
    Approver,
    Deed,
    both_agreed,
    is_fingerprint,
    look_alike,
    may_be_shown,
)
from hub.agencies.tables import agencies, agency_approvals, agency_keys
from hub.audit import service as audit
from hub.audit.rules import HUB, AuditKind, Entry, Json
from hub.base.errors import ConflictError, InvalidError, NotFoundError
from hub.base.ids import new_id

_FIRST_KEYS = {KeyUse.SIG.value, KeyUse.ENC.value, KeyUse.CLIENT.value}


def register(
    session: Session, document: str | bytes, *, now: datetime, by: str = HUB, name_was_checked: bool = False
) -> Agency:
    """Take an agency's registration; it can do nothing until two people have confirmed it (protocol §3).

    `by` is the operator who hands it in; `name_was_checked` is that person's word that a name which looks
    like another agency's is meant (security §4, JPN-12).

    Raises DocumentRefusedError, SignatureRefusedError; InvalidError (`bad-name`, `coordinates-not-allowed`,
    `keys-missing`); ConflictError (`agency-exists`, `confusable-name`).
    """
    asked = read_registration(document)
    root = PublicKey.from_jwk(asked.root, KeyUse.ROOT)
    _check(asked)
    if reads.agency(session, asked.agency) is not None:
        raise ConflictError("agency-exists")
    looks = {"look_ja": look_alike(asked.name_ja), "look_en": look_alike(asked.name_en)}
    if not name_was_checked and reads.named_alike(session, **looks, but=asked.agency):
        raise ConflictError("confusable-name")
    session.execute(sa.insert(agencies).values(**_row(asked, root), **looks, registered_at=now))
    facts: dict[str, Json] = {"kind": asked.kind, "root": root.kid, "name_was_checked": name_was_checked}
    _log(session, AuditKind.AGENCY_REGISTERED, asked.agency, by, facts, now)
    taken = [_take(session, asked.agency, root, signed, now) for signed in asked.entries]
    if not {key.use for key in taken} >= _FIRST_KEYS:
        raise InvalidError("keys-missing", pointer="/entries")
    return _found(session, asked.agency)


def confirm(session: Session, agency_id: str, approver: Approver, fingerprint: str, *, now: datetime) -> Agency:
    """Note that a person heard or read the root key's fingerprint; operator and officer together activate
    (protocol §3).

    `fingerprint`: the words in either language, or the thumbprint in hexadecimal.

    Raises NotFoundError; ConflictError (`agency-not-pending`, `already-approved`); InvalidError
    (`fingerprint-wrong`).
    """
    agency = _locked(session, agency_id)
    if agency.state is not AgencyState.PENDING:
        raise ConflictError("agency-not-pending")
    root = PublicKey.from_jwk(agency.root, KeyUse.ROOT)
    if not (keys.same_words(root, fingerprint) or is_fingerprint(root.kid, fingerprint)):
        raise InvalidError("fingerprint-wrong")
    if _agreed(session, agency, Deed.ACTIVATE, root.kid, approver, now):
        _change(session, agency, state=AgencyState.ACTIVE.value, last_verified=now)
    return _found(session, agency_id)


def suspend(session: Session, agency_id: str, approver: Approver, *, now: datetime) -> Agency:
    """Stop an agency at its next request; one person is enough (security §2). Raises as `resume`."""
    agency = _locked(session, agency_id)
    if agency.state is not AgencyState.ACTIVE:
        raise ConflictError("agency-not-active")
    _change(session, agency, state=AgencyState.SUSPENDED.value)
    _log(session, AuditKind.AGENCY_SUSPENDED, agency_id, approver.staff, {"role": approver.role}, now)
    return _found(session, agency_id)


def resume(session: Session, agency_id: str, approver: Approver, *, now: datetime) -> Agency:
    """Let a suspended agency work again, once operator and officer both say so.

    Raises NotFoundError, ConflictError (`agency-not-suspended`, `already-approved`).
    """
    agency = _locked(session, agency_id)
    if agency.state is not AgencyState.SUSPENDED:
        raise ConflictError("agency-not-suspended")
    if _agreed(session, agency, Deed.RESUME, "", approver, now):
        _change(session, agency, state=AgencyState.ACTIVE.value)
        _log(session, AuditKind.AGENCY_RESUMED, agency_id, approver.staff, {}, now)
    return _found(session, agency_id)


def set_convening(session: Session, agency_id: str, approver: Approver, *, allowed: bool, now: datetime) -> Agency:
    """Allow or forbid an agency to call a 支援会議, once operator and officer both say so (consent.md,
    other bases).

    Raises NotFoundError, ConflictError (`already-approved`).
    """
    agency = _locked(session, agency_id)
    deed = Deed.ALLOW_CONVENING if allowed else Deed.FORBID_CONVENING
    if agency.may_convene is not allowed and _agreed(session, agency, deed, "", approver, now):
        _change(session, agency, may_convene=allowed)
        _log(session, AuditKind.AGENCY_CHANGED, agency_id, approver.staff, {"may_convene": allowed}, now)
    return _found(session, agency_id)


def set_capacity(session: Session, agency_id: str, capacity: str, *, now: datetime) -> Agency:
    """Show in the directory how much room an agency has, at its own word; needs `Duty.DIRECTORY`
    (referral-loop.md: a decline for want of capacity updates the directory).

    Raises NotFoundError.
    """
    agency = _locked(session, agency_id)
    if agency.capacity == capacity:
        return agency
    _change(session, agency, capacity=capacity)
    _log(session, AuditKind.AGENCY_CHANGED, agency_id, agency_id, {"capacity": capacity}, now)
    return _found(session, agency_id)


def publish_key(session: Session, agency_id: str, signed: SignedEntry, *, now: datetime) -> PublishedKey:
    """Take a key entry that follows in its chain: a new key, or the early end of one (protocol §3).

    Raises NotFoundError; SignatureRefusedError, DocumentRefusedError; ConflictError (`key-exists`).
    """
    agency = reads.agency(session, agency_id)
    if agency is None:
        raise NotFoundError
    return _take(session, agency_id, PublicKey.from_jwk(agency.root, KeyUse.ROOT), signed, now)


def revoke_key(session: Session, agency_id: str, kid: str, approver: Approver, *, now: datetime) -> None:
    """End a key that its agency cannot end itself, once operator and officer both say so (protocol §3:
    removal only).

    Raises NotFoundError, ConflictError (`already-approved`).
    """
    agency = _locked(session, agency_id)
    if not any(key.kid == kid and now < key.ends_at for key in reads.keys(session, agency_id)):
        raise NotFoundError
    if _agreed(session, agency, Deed.REVOKE_KEY, kid, approver, now):
        _end(session, agency_id, kid, at=now, by="staff")
        _log(session, AuditKind.KEY_REVOKED, agency_id, approver.staff, {"kid": kid, "by": "staff"}, now)


def _check(asked: Registration) -> None:
    for member, name in (("name_ja", asked.name_ja), ("name_en", asked.name_en)):
        if not may_be_shown(name):
            raise InvalidError("bad-name", pointer=f"/{member}")
    if asked.coordinates and asked.kind != COORDINATING_KIND:
        raise InvalidError("coordinates-not-allowed", pointer="/coordinates")


def _row(asked: Registration, root: PublicKey) -> dict[str, object]:
    return {
        "id": asked.agency,
        "kind": asked.kind,
        "name_ja": asked.name_ja,
        "name_en": asked.name_en,
        "services": list(asked.services),
        "area": list(asked.area),
        "hours": asked.hours,
        "answer_days": asked.answer_days,
        "capacity": asked.capacity,
        "categories": sorted(asked.categories),
        "purposes": sorted(asked.purposes),
        "coordinates": asked.coordinates,
        "may_convene": False,
        "root": root.jwk(),
        "state": AgencyState.PENDING.value,
        "version": 1,
    }


def _take(session: Session, agency_id: str, root: PublicKey, signed: SignedEntry, now: datetime) -> PublishedKey:
    """Verify one entry against what is published already, and publish it."""
    claimed = keys.peek_entry(signed)
    if claimed.agency != agency_id:
        raise SignatureRefusedError("key-not-valid", "/agency")
    # Entries of one agency come one after the other: two that both follow the same one cannot both be taken.
    session.execute(sa.select(agency_keys.c.seq).where(agency_keys.c.agency == agency_id).with_for_update())
    known = reads.keys(session, agency_id)
    chain = [key for key in known if (key.use, key.suite) == (claimed.use.value, claimed.suite)]
    ended = next((key for key in chain if key.kid == claimed.kid and not key.removal), None)
    previous = _voucher(known, chain, claimed, signed, removal=ended is not None, now=now)
    entry = keys.read_entry(signed, previous=previous, root=root if signed.by_root else None, removal=ended is not None)
    keys.check_chain([*(keys.peek_entry(key.signed) for key in chain), entry])
    if ended is None:
        _check_new(known, entry, signed, now)
    elif entry.not_after >= ended.ends_at:
        raise SignatureRefusedError("key-not-valid", "/not_after")
    return _publish(session, entry, signed, removal=ended is not None, now=now)


def _voucher(
    known: Sequence[PublishedKey],
    chain: Sequence[PublishedKey],
    claimed: KeyEntry,
    signed: SignedEntry,
    *,
    removal: bool,
    now: datetime,
) -> PublicKey | None:
    """Give the good key that may stand behind `by_previous`, or None where only the root may.

    For an enc key and for every removal that is a `sig` key; else the key before it in the chain. A first
    key of a use is the root's to vouch for (protocol §3).
    """
    if signed.by_previous is None:
        return None
    by_sig = removal or claimed.use is KeyUse.ENC
    behind = [key for key in known if key.use == KeyUse.SIG.value] if by_sig else chain
    kid = signing.peek_kid(signed.by_previous, typ=Typ.KEY)
    found = next((key for key in behind if key.kid == kid and key.is_live(now)), None)
    return None if found is None else PublicKey.from_jwk(found.jwk, KeyUse(found.use))


def _check_new(known: Sequence[PublishedKey], entry: KeyEntry, signed: SignedEntry, now: datetime) -> None:
    if any(key.kid == entry.kid for key in known):
        raise ConflictError("key-exists")
    if entry.not_after <= max(now, entry.not_before):
        raise SignatureRefusedError("key-not-valid", "/not_after")
    if entry.use is KeyUse.ENC and signed.by_previous is None:
        raise SignatureRefusedError("key-not-valid", "/by_previous")


def _publish(session: Session, entry: KeyEntry, signed: SignedEntry, *, removal: bool, now: datetime) -> PublishedKey:
    by = "root" if signed.by_root else "sig"
    came = AuditKind.KEY_PUBLISHED if entry.seq == 1 else AuditKind.KEY_ROTATED
    kind = AuditKind.KEY_REVOKED if removal else came
    # Who checks an inclusion proof finds the entry again by its hash.
    facts: dict[str, Json] = {
        "use": entry.use.value,
        "suite": entry.suite,
        "kid": entry.kid,
        "seq": entry.seq,
        "entry": keys.entry_hash(entry),
        "by": by,
    }
    log_entry = _log(session, kind, entry.agency, entry.agency, facts, now)
    session.execute(
        sa.insert(agency_keys).values(
            agency=entry.agency,
            use=entry.use.value,
            suite=entry.suite or "",
            seq=entry.seq,
            kid=entry.kid,
            removal=removal,
            jwk=entry.jwk,
            not_before=entry.not_before,
            not_after=entry.not_after,
            ends_at=entry.not_after,
            by_self=signed.by_self,
            by_previous=signed.by_previous,
            by_root=signed.by_root,
            published_at=now,
            log_entry=log_entry,
        )
    )
    if removal:
        _end(session, entry.agency, entry.kid, at=entry.not_after, by=by)
    return next(key for key in reads.keys(session, entry.agency) if key.log_entry == log_entry)


def _end(session: Session, agency_id: str, kid: str, *, at: datetime, by: str) -> None:
    session.execute(
        sa.update(agency_keys)
        .where(
            agency_keys.c.agency == agency_id,
            agency_keys.c.kid == kid,
            agency_keys.c.removal.is_(False),
            agency_keys.c.ends_at > at,
        )
        .values(ends_at=at, ended_by=by)
    )


def _locked(session: Session, agency_id: str) -> Agency:
    session.execute(sa.select(agencies.c.id).where(agencies.c.id == agency_id).with_for_update())
    return _found(session, agency_id)


def _found(session: Session, agency_id: str) -> Agency:
    agency = reads.agency(session, agency_id)
    if agency is None:
        raise NotFoundError
    return agency


def _change(session: Session, agency: Agency, **values: object) -> None:
    session.execute(sa.update(agencies).where(agencies.c.id == agency.id).values(version=agency.version + 1, **values))


def _agreed(session: Session, agency: Agency, deed: Deed, subject: str, approver: Approver, now: datetime) -> bool:
    """Note one person's word and say whether both roles have now spoken; one person cannot speak twice."""
    words = reads.approvals(session, agency.id, deed, subject)
    done = both_agreed([*words, approver.word(now)], now)
    if not done and any(word.staff == approver.staff and word.is_fresh(now) for word in words):
        raise ConflictError("already-approved")
    session.execute(
        sa.insert(agency_approvals).values(
            id=new_id(now),
            agency=agency.id,
            deed=deed.value,
            subject=subject,
            staff=approver.staff,
            role=approver.role,
            at=now,
        )
    )
    facts: dict[str, Json] = {"deed": deed.value, "subject": subject, "role": approver.role, "done": done}
    _log(session, AuditKind.AGENCY_CONFIRMED, agency.id, approver.staff, facts, now)
    if done:
        session.execute(
            sa.update(agency_approvals)
            .where(
                agency_approvals.c.agency == agency.id,
                agency_approvals.c.deed == deed.value,
                agency_approvals.c.subject == subject,
                agency_approvals.c.done_at.is_(None),
            )
            .values(done_at=now)
        )
    return done


def _log(session: Session, kind: AuditKind, agency_id: str, actor: str, facts: dict[str, Json], now: datetime) -> str:
    entry = Entry(kind=kind, actor=actor, parties=(agency_id,), subject=agency_id, facts=facts)
    return audit.append(session, entry, now=now)
