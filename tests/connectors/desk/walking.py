# SPDX-License-Identifier: Apache-2.0
"""What tests of accompaniments do in a browser: plan one, write on its page; and a referral that the hub knows."""

from __future__ import annotations

from datetime import date
from typing import Any

from connectors.casebook import files
from connectors.sdk import threads
from tests.connectors import story
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.story import Network

CANARY = "架空の様子カナリア"


PLAN = {
    "on": "令和8年4月6日", "at": "１１：００", "place": "agency", "meet_at": "正面玄関", "counter": "3番窓口 仮名さん",
    "phone": "000-0000-0000", "role": "counsellor", "purpose": "apply", "bring": "通帳\n離職票\n", "agreed": "yes",
    "spoken_for": "yes",
}  # fmt: skip


def plan(browser: Browser, referral: str, **changes: str) -> Page:
    form = browser.get(f"/referrals/{referral}/accompany")
    return browser.send(form, PLAN | changes, form="main form[data-guard]")


def write(browser: Browser, page: Page, do: str, **said: Any) -> Page:
    return browser.send(page, {"do": do} | said, form="form[data-offline]")


def path(page: Page) -> str:
    return str(page.answer.request.path)


def known_tie(office: Office, partner: Office, network: Network) -> threads.ReferralDetail:
    """A referral that the hub knows, in which the other agency may also read the support record."""
    us, other = office.connector, partner.connector
    case = story.open_case(us, name="架空 花子")
    with us.casebook.transaction() as connection:
        files.open_file(connection, us.pen("s-1"), case=case, on=date(2026, 4, 6))
    story.consent(us, case, other.agency, categories=frozenset({"identity", "support_record"}))
    us.send(story.letter(case, other))
    us.sync()
    (found,) = network.hub.referrals.values()
    return found
