# SPDX-License-Identifier: Apache-2.0
"""Make a correction known to everybody who received that category of that person from us, and see who knows of it.

It is composed once and sealed for each of the earlier threads, under the category of what it corrects; consent is
decided as on any message, here (`earlier.reach`), at the hub and at the receiver. Who cannot be told is kept with the
reason, to be told in another way or when it may be.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import EXIT_REFUSED_BY_CONSENT, ConnectorError
from connectors.casebook import access, compose, mirror, tables
from connectors.casebook.compose import Letter
from connectors.casebook.earlier import Addressee, categories_of, reach
from connectors.casebook.statements import Pen
from connectors.casebook.tables_corrections import correction_addressees, corrections
from connectors.sdk.threads import Delivery
from consent.envelope.corrections import MEDIA, CorrectedPart, Correction, write_correction
from consent.envelope.manifest import ByConsent, MessageKind
from consent.envelope.sealing import PlainPart
from consent.errors import SealRefusedError
from consent.jwk import PublicKey
from consent.questions import Reason

MY_NUMBER: Final = "my-number"


class NobodyToTellError(ConnectorError):
    """Consent lets nobody be told who was chosen: nothing was sealed and nothing kept."""

    exit_code = EXIT_REFUSED_BY_CONSENT

    def __init__(self) -> None:
        """Take nothing: who cannot be told and why is what `reach` says."""
        super().__init__("nobody-to-tell")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A correction as it was written: `id` names it everywhere; `message` of ours in which the mistake was found."""

    id: str
    case: str
    message: str
    category: str
    text: str = field(repr=False)
    acknowledged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How it stands with one addressee: `state` of the notice (waiting, accepted, refused), or none was sealed.

    `arrived_at` and `confirmed_at` are what their signed receipts say; `told_how` that it was told in another way.
    """

    agency: str
    referral: str
    parts: tuple[CorrectedPart, ...]
    message: str | None
    state: str | None
    why: str | None
    arrived_at: datetime | None
    confirmed_at: datetime | None
    told_how: str | None
    told_at: datetime | None
    told_by: str | None

    @property
    def is_open(self) -> bool:
        """Say whether nobody there knows of it yet, as far as we know."""
        return self.confirmed_at is None and self.told_at is None

    @property
    def is_refused_by_consent(self) -> bool:
        """Say whether consent lets nothing be told there, in no way."""
        return self.why in frozenset(Reason)

    @property
    def is_sealed(self) -> bool:
        """Say whether a notice went, or waits to go."""
        return self.message is not None and self.state != "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A correction that was made known here."""

    id: str
    case: str
    message: str
    category: str
    made_at: datetime
    made_by: str
    told: tuple[Told, ...]
    text: str = field(repr=False)

    @property
    def open(self) -> int:
        """Count who has not confirmed."""
        return sum(one.is_open for one in self.told)


# ── telling ──


def make_known(
    connection: Connection, pen: Pen, wording: Wording, chosen: Collection[str], *, own: PublicKey
) -> tuple[str, ...]:
    """Seal a correction for each of the chosen threads that may be told, queue all, keep who cannot be told and why.

    Gives the notices; the same wording again changes nothing and gives none.

    *Raises* `ConnectorError`: `message-unknown`; `category-not-told`, the message had no such part; `my-number`, unless
    somebody has looked at it. `NobodyToTellError`; `DocumentRefusedError` for a text that its receiver would refuse.
    Nothing is kept then.
    """
    if made(connection, wording.id, pen.agency) is not None:
        return ()
    case, told = categories_of(connection, wording.message, pen.agency)
    if case != wording.case:
        raise ConnectorError("message-unknown")
    if wording.category not in told:
        raise ConnectorError("category-not-told")
    addressees = [one for one in reach(connection, pen, case=case, category=wording.category) if one.referral in chosen]
    if not any(one.is_reachable for one in addressees):
        raise NobodyToTellError
    connection.execute(
        sa.insert(corrections).values(
            id=wording.id,
            case=case,
            message=wording.message,
            category=wording.category,
            text=wording.text,
            made_at=pen.now,
            made_by=pen.staff,
        )
    )
    access.record(connection, staff=pen.staff, action="correction:made", about=wording.id, case=case, now=pen.now)
    for one in addressees:
        sent = _seal(connection, pen, wording, one, own) if one.is_reachable else None
        connection.execute(
            sa.insert(correction_addressees).values(
                correction=wording.id,
                referral=one.referral,
                case=case,
                agency=one.agency,
                parts=[[part.message, part.n] for part in one.parts],
                message=sent,
                why=one.why,
            )
        )
    return _notices(connection, wording.id)


def try_again(connection: Connection, pen: Pen, correction: str, *, own: PublicKey) -> tuple[str, ...]:
    """Tell whoever could not be told and may be now, in the words that were written; give the notices that were sealed.

    *Raises* `ConnectorError("correction-unknown")`.
    """
    found = made(connection, correction, pen.agency)
    if found is None:
        raise ConnectorError("correction-unknown")
    wanted = {one.referral for one in found.told if not one.is_sealed}
    wording = Wording(
        id=found.id, case=found.case, message=found.message, category=found.category, text=found.text,
        acknowledged=True,  # a person has looked at it before it was kept
    )  # fmt: skip
    sealed = []
    for one in reach(connection, pen, case=found.case, category=found.category, referrals=wanted):
        sent = _seal(connection, pen, wording, one, own) if one.is_reachable else None
        values = {"message": sent, "why": one.why, "parts": [[part.message, part.n] for part in one.parts]}
        connection.execute(sa.update(correction_addressees).where(_is(correction, one.referral)).values(values))
        sealed += [sent] if sent else []
    return tuple(sealed)


def note_told(connection: Connection, pen: Pen, correction: str, referral: str, *, channel: str) -> None:
    """Note that an agency heard of it in another way: by telephone, by letter. The first note stays.

    *Raises* `ConnectorError`: `correction-unknown`; `told-against-consent`, where consent lets nothing be told, in no
    way: that is remedied first.
    """
    row = connection.execute(sa.select(correction_addressees).where(_is(correction, referral))).one_or_none()
    if row is None:
        raise ConnectorError("correction-unknown")
    if row.why in frozenset(Reason):
        raise ConnectorError("told-against-consent")
    if row.told_at is not None:
        return
    connection.execute(
        sa.update(correction_addressees)
        .where(_is(correction, referral))
        .values(told_how=channel, told_at=pen.now, told_by=pen.staff)
    )
    access.record(connection, staff=pen.staff, action="correction:told", about=correction, case=row.case, now=pen.now)


def _seal(connection: Connection, pen: Pen, wording: Wording, one: Addressee, own: PublicKey) -> str:
    said = Correction(id=wording.id, category=wording.category, corrects=one.parts, text=wording.text)
    part = PlainPart(category=wording.category, media=MEDIA, body=write_correction(said))
    letter = Letter(
        case=wording.case,
        recipient=one.agency,
        purpose=one.purpose,
        parts=(part,),
        basis=one.basis or ByConsent(),
        urgency=one.urgency,
        request_kind=one.request_kind,
        kind=MessageKind.NOTICE,
        referral=one.referral,
        thread=one.thread,
        acknowledged=wording.acknowledged,
    )
    try:
        return compose.send(connection, letter, pen, own=own)
    except SealRefusedError as refused:
        if refused.code != MY_NUMBER:
            raise
        raise ConnectorError(MY_NUMBER) from None


# ── how it stands ──


def made(connection: Connection, correction: str, agency: str) -> Made | None:
    """Give a correction that was made known here, and how it stands with everybody."""
    found = _made(connection, agency, corrections.c.id == correction)
    return found[0] if found else None


def of_case(connection: Connection, case: str, agency: str) -> Sequence[Made]:
    """Give the corrections of a case that were made known here, the newest first."""
    return _made(connection, agency, corrections.c.case == case)


def _made(connection: Connection, agency: str, where: sa.ColumnElement[bool]) -> list[Made]:
    rows = connection.execute(sa.select(corrections).where(where).order_by(corrections.c.made_at.desc())).all()
    told: dict[str, list[sa.Row[tuple[object, ...]]]] = {}
    own, to = tables.messages.c, correction_addressees.c
    joined = correction_addressees.outerjoin(tables.messages, sa.and_(own.id == to.message, own.sender == agency))
    wanted = [row.id for row in rows]
    query = sa.select(correction_addressees, own.state, own.hub_id).select_from(joined)
    for row in connection.execute(query.where(to.correction.in_(wanted)).order_by(to.agency, to.referral)):
        told.setdefault(row.correction, []).append(row)
    referrals = {row.referral for some in told.values() for row in some}
    reached = {one.id: one for detail in mirror.details_of(connection, referrals).values() for one in detail.deliveries}
    return [
        Made(
            id=row.id,
            case=row.case,
            message=row.message,
            category=row.category,
            made_at=row.made_at,
            made_by=row.made_by,
            text=row.text,
            told=tuple(_told(one, reached.get(one.hub_id)) for one in told.get(row.id, ())),
        )
        for row in rows
    ]


def _told(row: sa.Row[tuple[object, ...]], reached: Delivery | None) -> Told:
    return Told(
        agency=row.agency,
        referral=row.referral,
        parts=tuple(CorrectedPart(message=message, n=n) for message, n in row.parts),
        message=row.message,
        state=row.state,
        why=row.why,
        arrived_at=reached.delivered_at if reached else None,
        confirmed_at=reached.opened_at if reached else None,
        told_how=row.told_how,
        told_at=row.told_at,
        told_by=row.told_by,
    )


def _notices(connection: Connection, correction: str) -> tuple[str, ...]:
    to = correction_addressees.c
    query = sa.select(to.message).where(to.correction == correction, to.message.is_not(None))
    return tuple(connection.execute(query.order_by(to.agency, to.referral)).scalars())


def _is(correction: str, referral: str) -> sa.ColumnElement[bool]:
    to = correction_addressees.c
    return sa.and_(to.correction == correction, to.referral == referral)
