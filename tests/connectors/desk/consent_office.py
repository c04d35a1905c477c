# SPDX-License-Identifier: Apache-2.0
"""People with consents at an office: signed, sent, opened by the partner; what the tests of the slice begin with."""

from __future__ import annotations

from datetime import date
from typing import Any

from connectors.casebook import files
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
    return message
