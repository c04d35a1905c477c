# SPDX-License-Identifier: Apache-2.0
"""People with consents at an office: signed, sent, opened by the partner; what the tests of the slice begin with."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import sqlalchemy as sa

from connectors.casebook import files, mirror, tables
from connectors.sdk.threads import Delivery
from connectors.sync.connector import Connector
from tests.connectors.desk.office import Office
from tests.connectors.story import NAME, STAFF, consent, letter, open_case, text


def admit(office: Office, partner: Connector | str, *, name: str = NAME, **changes: Any) -> tuple[str, str]:
    """Take somebody in with a case number and one registered consent for a partner; give case and consent."""
    connector = office.connector
    case = open_case(connector, name=name)
    with connector.casebook.transaction() as connection:
        files.open_file(connection, connector.pen(STAFF), case=case, on=date(2026, 4, 6))
    made = consent(connector, case, partner if isinstance(partner, str) else partner.agency, **changes)
    connector.push()
    return case, made


def provide(office: Office, partner: Office, case: str, *categories: str) -> str:
    """Send a referral that the partner takes in and somebody there reads; give the message's id."""
    parts = [text(one, body=f"{one} of a fictional person") for one in categories or ("identity", "contact")]
    message = office.connector.send(letter(case, partner.connector, *parts))
    office.connector.push()
    partner.connector.sync()
    partner.connector.read(message, office.connector.agency, staff=STAFF)
    partner.connector.push()
    office.connector.sync()
    _delivered(office, message)
    return message


def _delivered(office: Office, message: str) -> None:
    """Let the mirror know how far the message got, where the hub in memory does not show it yet."""
    with office.connector.casebook.transaction() as connection:
        sent = connection.execute(sa.select(tables.messages).where(tables.messages.c.id == message)).one()
        detail = mirror.detail_of(connection, sent.referral)
        assert detail is not None
        if any(one.opened_at for one in detail.deliveries):
            return
        now = office.connector.now()
        reached = Delivery(
            id=sent.hub_id, message=message, kind=sent.kind, sender=sent.sender, recipient=sent.recipient, seq=1,
            purpose=sent.purpose, delivery="opened", accepted_at=now, delivered_at=now, opened_at=now,
        )  # fmt: skip
        mirror.keep_detail(connection, replace(detail, deliveries=(reached,)), now=now)
