# SPDX-License-Identifier: Apache-2.0
"""The code on a printed copy leads to the copy's page at the hub, and a scanner at the desk still finds its case."""

from connectors.desk.consents import reads, showing
from tests.connectors.desk.consent_office import admit
from tests.connectors.desk.office import Browser, Office


def code_of(office: Office, case: str, made: str) -> str:
    with office.connector.casebook.transaction() as connection:
        found = reads._registers(connection, [case], office.connector.now())[case]
        return next(one.code for one in found if one.id == made)


def test_the_picture_is_the_address_of_the_copys_page_at_the_hub(
    office: Office, partner: Office, browser: Browser
) -> None:
    case, made = admit(office, partner.connector)
    hub, code = office.connector.settings.hub, code_of(office, case, made)
    address = showing.copy_address(hub, made, code)
    assert address == f"{hub}/c/{made}/{code}".upper()
    assert showing.qr_code(address) in browser.get(f"/consents/{made}/copy").answer.get_data(as_text=True)


def test_what_a_scanner_reads_from_a_copy_finds_its_case(office: Office, partner: Office, browser: Browser) -> None:
    case, made = admit(office, partner.connector)
    address = showing.copy_address(office.connector.settings.hub, made, code_of(office, case, made))
    for said in (address, address.lower(), f" {address} "):
        page = browser.post("/consents/code", {"code": said}, follow=False)
        assert (page.status, page.to) == (303, f"/cases/{case}/consents"), said
