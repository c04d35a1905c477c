# SPDX-License-Identifier: Apache-2.0
"""Going through the wizard of a new referral as a person does, for the tests of its pages."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from connectors.casebook import people
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.story import PURPOSE, STAFF, consent, open_case

WORDS = "借入はなく、来月から働く予定です。架空の話"
MY_NUMBER = "123456789018"
"""Twelve digits with a check digit that fits; nobody's number."""


def tell(office: Office, case: str, category: str, **said: str) -> None:
    with office.connector.casebook.transaction() as connection:
        people.write_answers(connection, case, category, said, staff=STAFF, now=office.connector.now())


def agreed(office: Office, partner: Office) -> str:
    """A person who agreed that the council learns of identity, contact and money, for one loan."""
    made = open_case(office.connector)
    consent(office.connector, made, partner.connector.agency)
    tell(office, made, "contact", telephone="000-0000-0000", safe_contact="昼のみ")
    tell(office, made, "income_assets", income="なし", savings="約8千円")
    office.connector.sync()
    return made


def at_recipient(browser: Browser, case: str, **said: Any) -> Page:
    return browser.send(browser.get(f"/referrals/new?case={case}"), {"purpose": PURPOSE, **said})


def at_content(browser: Browser, case: str) -> Page:
    return browser.send(browser.send(at_recipient(browser, case)))


def at_check(browser: Browser, case: str, **said: Any) -> Page:
    return browser.send(at_recipient(browser, case, **said), {"go": "check"})


def path(page: Page) -> str:
    return page.answer.request.path


def goto(browser: Browser, page: Page, step: str) -> Page:
    return browser.get(path(page).rsplit("/", 1)[0] + f"/{step}")


def picture(text: str = "JPEG") -> io.BytesIO:
    made = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "架空カメラ canary"
    Image.new("RGB", (40, 30), "white").save(made, text, exif=exif)
    made.seek(0)
    return made
