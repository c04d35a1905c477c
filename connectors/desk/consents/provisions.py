# SPDX-License-Identifier: Apache-2.0
"""The records of provision to and from others, row by row, as both sides of the law ask for them (domain §4.4).

Each sealed message is one provision: what was given and received, from the signed manifests that lie here, joined with
what the hub said of its delivery.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.casebook import access, corrected, mirror, tables
from connectors.desk.consents import reads, rules
from connectors.desk.consents.rules import Duty
from connectors.desk.web.visits import Visit
from connectors.sdk.threads import Delivery
from consent import receipts, signing, wire
from consent.envelope.manifest import ByConsent, Manifest
from consent.receipts import AcceptedRecord
from consent.vocabulary.codes import CODE_LISTS

NOT_PROVIDED: Final = frozenset({"waiting", "refused"})
"""States of messages that did not leave: nothing was provided by them."""


_REACHED: Final = frozenset({"delivered", "opened"})
_UNSEEN: Final = frozenset({"draft", "requested"})
"""States of a referral that nobody at its recipient has opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Giver or receiver: id, kind, and the regime of law that the vocabulary names for the kind."""

    agency: str
    kind: str
    names: dict[str, str]

    @property
    def regime(self) -> str:
        """Give the regime's code."""
        row = CODE_LISTS["recipients"].get(self.kind)
        return row["regime"] if row else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """One provision of a case. `opened_at`: when a person there first read it; `entry`: its entry in the hub's log.

    `corrected`: its giver has said since that something of it was wrong.
    """

    message: str
    at: datetime
    giver: Side
    receiver: Side
    is_given: bool
    kind: str
    purpose: str
    categories: tuple[str, ...]
    basis: str
    consents: tuple[str, ...]
    entry: str | None
    delivered_at: datetime | None
    opened_at: datetime | None
    delivery: str
    referral: str | None
    duty: Duty
    corrected: bool = False

    @property
    def is_reached(self) -> bool:
        """Say whether it got there, as far as is known here."""
        return self.delivery in _REACHED

    @property
    def other(self) -> Side:
        """Give the side that is not ours."""
        return self.receiver if self.is_given else self.giver


def provisions_of(connection: Connection, visit: Visit, case: str) -> list[Provision]:
    """Give a case's provisions, the oldest first, and log that somebody read the record."""
    found = list_provisions(connection, visit.site.connector.agency, case)
    access.record(
        connection, staff=visit.me.id, action="provisions:read", about=str(len(found)), case=case, now=visit.at
    )
    return found


def list_provisions(connection: Connection, agency: str, case: str) -> list[Provision]:
    """Give a case's provisions for another page, which logs its look itself."""
    rows = connection.execute(
        sa.select(tables.messages)
        .where(tables.messages.c.case == case, tables.messages.c.state.not_in(NOT_PROVIDED))
        .order_by(tables.messages.c.at, tables.messages.c.id)
    ).all()
    names, kinds = reads.name_partners(connection), reads.kinds_of(connection)
    details = mirror.details_of(connection, {row.referral for row in rows if row.referral})
    reached = {one.id: one for detail in details.values() for one in detail.deliveries}
    marked = corrected.messages_corrected(connection, case, agency)

    def side(one: str) -> Side:
        return Side(agency=one, kind=kinds.get(one, ""), names=dict(names.get(one, {"ja": one, "en": one})))

    return [
        replace(
            _provision(
                row,
                side(row.sender),
                side(row.recipient),
                reached.get(row.hub_id),
                is_given=row.sender == agency,
                moved=row.referral in details and details[row.referral].state not in _UNSEEN,
            ),
            corrected=(row.id, row.sender) in marked,
        )
        for row in rows
        if agency in {row.sender, row.recipient}
    ]


def concerned(found: Iterable[Provision], partner: str, categories: Iterable[str]) -> list[Provision]:
    """Give what was given to a partner, an agency or a kind, under any of some categories."""
    wanted = set(categories)
    return [
        one
        for one in found
        if one.is_given and partner in {one.receiver.agency, one.receiver.kind} and wanted & set(one.categories)
    ]


def _provision(
    row: sa.Row[Any], giver: Side, receiver: Side, reached: Delivery | None, *, is_given: bool, moved: bool
) -> Provision:
    manifest = wire.read(Manifest, signing.peek_payload(row.manifest, typ=signing.Typ.MANIFEST))
    named = manifest.basis.consents if isinstance(manifest.basis, ByConsent) else ()
    labels = {part.category for part in manifest.parts}
    known = {giver.kind, receiver.kind} <= CODE_LISTS["recipients"].keys()
    duty = rules.duty(giver.kind, receiver.kind, manifest.basis.kind) if known else Duty.DEPENDS
    taken = _accepted(row.hub_receipt)
    return Provision(
        message=row.id,
        at=taken.accepted_at if taken else row.at,
        giver=giver,
        receiver=receiver,
        is_given=is_given,
        kind=row.kind,
        purpose=row.purpose,
        categories=tuple(one for one in CODE_LISTS["categories"] if one in labels),
        basis=manifest.basis.kind,
        consents=tuple(one.id for one in named),
        entry=taken.entry if taken else None,
        delivered_at=reached.delivered_at if reached else None,
        opened_at=(reached.opened_at if reached else None) if is_given else row.read_at,
        delivery=reached.delivery if reached else _delivery(row, is_given=is_given, moved=moved),
        referral=row.referral,
        duty=duty,
    )


def _delivery(row: sa.Row[Any], *, is_given: bool, moved: bool) -> str:
    """Say how far a message got, where the hub has not told it in full: a referral moves when its first was read."""
    if is_given:
        return "opened" if moved and row.id == row.thread else "queued"
    return "opened" if row.read_at else "delivered"


def _accepted(receipt: str | None) -> AcceptedRecord | None:
    """Read the hub's signed word; it was verified when it was kept."""
    if receipt is None:
        return None
    return wire.read(AcceptedRecord, signing.peek_payload(receipt, typ=receipts.TYPS[AcceptedRecord]))
