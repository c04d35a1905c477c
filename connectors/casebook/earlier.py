# SPDX-License-Identifier: Apache-2.0
"""Who received a category of a person from us earlier, and whether a further word about it may go there now.

Consent alone is asked first; where it refuses and the earlier word went through another door (conference, statute,
emergency), that door is tried as it was used then, and is open only while the one decision says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import compose, directory, mirror, preview, tables
from connectors.casebook.statements import Pen
from consent import signing, wire
from consent.decisions import Permitted
from consent.envelope import manifest as manifests
from consent.envelope.corrections import MEDIA, CorrectedPart
from consent.envelope.manifest import ByConsent, Manifest, ManifestBasis

INACTIVE: Final = "agency-inactive"
_ACTIVE: Final = "active"
_NEVER_ARRIVED: Final = frozenset({"refused", "destroyed", "undeliverable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """One thread in which the category went to an agency, with the parts of ours that carried it.

    `basis`: the door through which a word may go now; none where `why` says what stands in the way, a reason of the
    decision or `agency-inactive`, `agency-unknown`, `recipient-without-key`, `status-stale`. `remedy`: of a decision.
    """

    agency: str
    referral: str
    thread: str
    parts: tuple[CorrectedPart, ...]
    sent_at: datetime
    purpose: str
    urgency: str
    request_kind: str
    basis: ManifestBasis | None
    why: str | None = None
    remedy: str | None = None

    @property
    def is_reachable(self) -> bool:
        """Say whether a word may go there now."""
        return self.basis is not None


def categories_of(connection: Connection, message: str, agency: str) -> tuple[str, tuple[str, ...]]:
    """Give the case of a message of ours that the hub took, and the categories that it told.

    *Raises* `ConnectorError("message-unknown")`: it is not ours, or it never left.
    """
    row = connection.execute(
        sa.select(tables.messages.c.case, tables.messages.c.manifest).where(
            tables.messages.c.id == message,
            tables.messages.c.sender == agency,
            tables.messages.c.state == "accepted",
        )
    ).one_or_none()
    if row is None:
        raise ConnectorError("message-unknown")
    told = [part.category for part in _manifest(row.manifest).parts if part.media != MEDIA]
    return row.case, tuple(dict.fromkeys(told))


def reach(
    connection: Connection, pen: Pen, *, case: str, category: str, referrals: Collection[str] | None = None
) -> tuple[Addressee, ...]:
    """Give every thread in which a category of a person went out from us, and whether a word may go there now.

    What never arrived anywhere is not among them: what the hub refused, destroyed unread or could not deliver.
    """
    own = tables.messages.c
    rows = connection.execute(
        sa.select(tables.messages)
        .where(own.case == case, own.sender == pen.agency, own.state == "accepted", own.referral.is_not(None))
        .order_by(own.at, own.id)
    ).all()
    gone = _never_arrived(connection, {row.referral for row in rows})
    found: dict[str, Addressee] = {}
    for row in rows:
        said = _manifest(row.manifest)
        parts = tuple(
            CorrectedPart(message=row.id, n=part.n)
            for part in said.parts
            if part.category == category and part.media != MEDIA
        )
        if not parts or row.hub_id in gone or (referrals is not None and row.referral not in referrals):
            continue
        before = found.get(row.referral)
        found[row.referral] = Addressee(
            agency=row.recipient,
            referral=row.referral,
            thread=row.thread,
            parts=(*before.parts, *parts) if before else parts,
            sent_at=row.at,
            purpose=said.purpose,
            urgency=said.urgency,
            request_kind=said.request_kind,
            basis=said.basis,
        )
    return tuple(_decided(connection, pen, case, category, one) for one in found.values())


def _decided(connection: Connection, pen: Pen, case: str, category: str, one: Addressee) -> Addressee:
    """Say whether a word may go to an addressee now, and through which door; else why not."""
    hindrance = _hindrance(connection, pen, one.agency)
    if hindrance is not None:
        return replace(one, basis=None, why=hindrance)
    before = one.basis
    doors: list[ManifestBasis] = [ByConsent()]
    if before is not None and not isinstance(before, ByConsent):
        doors.append(before)
    first = None
    for door in doors:
        ((_, answer),) = preview.preview(
            connection,
            case=case,
            sender=pen.agency,
            recipient=one.agency,
            purpose=one.purpose,
            categories=[category],
            basis=manifests.basis_from(door),
            now=pen.now,
        )
        if not isinstance(answer, Permitted):
            first = first or answer
            continue
        try:
            if isinstance(door, ByConsent) and answer.scope is not None:
                compose.evidence(connection, case, frozenset({answer.scope}), pen)
        except ConnectorError as stale:
            return replace(one, basis=None, why=stale.code)
        return replace(one, basis=door)
    if first is None:  # pragma: no cover - one door at least was tried
        raise ConnectorError("unexpected", code="correction")
    return replace(one, basis=None, why=first.reason.value, remedy=first.remedy.value)


def _hindrance(connection: Connection, pen: Pen, agency: str) -> str | None:
    try:
        if directory.agency(connection, agency).state != _ACTIVE:
            return INACTIVE
        directory.sealing_key(connection, agency, now=pen.now)
    except ConnectorError as missing:
        return missing.code
    return None


def _never_arrived(connection: Connection, referrals: Iterable[str]) -> frozenset[str]:
    details = mirror.details_of(connection, referrals).values()
    return frozenset(
        one.id for detail in details for one in detail.deliveries
        if one.delivery in _NEVER_ARRIVED and one.delivered_at is None
    )  # fmt: skip


def _manifest(token: str) -> Manifest:
    """Read a manifest of ours; it was signed before it was kept."""
    return wire.read(Manifest, signing.peek_payload(token, typ=signing.Typ.MANIFEST))
