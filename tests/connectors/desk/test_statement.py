# SPDX-License-Identifier: Apache-2.0
"""The person's statement: everything the hub knows, also between others, with the name joined here; nothing half."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.casebook import access
from connectors.desk.consents.stating import gather, reached
from connectors.desk.consents.wording import Wording, languages
from connectors.sdk.answers import Disclosure, SharedPart
from tests.connectors.desk.consent_office import admit, provide
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.serving import served
from tests.connectors.desk.test_consents_copy import printed, tab
from tests.connectors.story import NAME, Network
from tests.pages.seeing import Eyes

AT = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)


def disclosure(n: int = 0, *, categories: tuple[str, ...] = ("identity",), **changes: object) -> Disclosure:
    members: dict[str, object] = {
        "message": f"m{n}",
        "at": AT + timedelta(days=n),
        "sender": "a",
        "recipient": "b",
        "purpose": "saimu_seiri",
        "kind": "referral",
        "basis": "consent",
        "shared": tuple(SharedPart(category=one) for one in categories),
        "decision": f"d{n}",
        "state": "queued",
    } | changes
    return Disclosure(**members)  # type: ignore[arg-type]  # members by name


def test_the_person_reads_who_was_told_what_and_how_far_it_got(
    office: Office, partner: Office, browser: Browser
) -> None:
    case, _ = admit(office, partner.connector)
    provide(office, partner, case, "identity", "contact")
    page = browser.get(f"/cases/{case}/statement")
    assert page.status == 200
    assert NAME in page.words
    assert partner.connector.settings.name_ja in page.words
    html = page.answer.get_data(as_text=True)
    assert "<ruby>" in html
    with office.connector.casebook.transaction() as connection:
        assert "statement:read" in [one.action for one in access.history(connection, case)]


def test_every_language_of_the_person_has_its_words(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector)
    provide(office, partner, case)
    for code in languages():
        page = browser.get(f"/cases/{case}/statement?words={code}")
        assert page.status == 200
        assert str(Wording(code).say("told-title").striptags()) in page.words or code == "ja-easy"


def test_without_the_line_there_is_no_half_statement(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, _ = admit(office, partner.connector)
    provide(office, partner, case)
    network.hub.away = True
    page = browser.get(f"/cases/{case}/statement")
    assert page.status == 200
    assert "すべての記録を集められません" in page.words
    assert partner.connector.settings.name_ja not in page.words


def test_nothing_told_yet_is_said(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector)
    assert str(Wording("ja").say("records-none")) in browser.get(f"/cases/{case}/statement?words=ja").words


def test_only_the_office_that_took_the_person_in_makes_it(office: Office, partner: Office) -> None:
    case, _ = admit(office, partner.connector)
    provide(office, partner, case)
    assert partner.browser(partner.hire()).get(f"/cases/{case}/statement").status == 404


@pytest.mark.slow
def test_it_fills_one_page_of_paper(office: Office, partner: Office, eyes: Eyes) -> None:
    case, _ = admit(office, partner.connector)
    for _ in range(3):
        provide(office, partner, case, "identity", "contact")
    with served(office) as url, tab(eyes, office, url) as page:
        for words in languages():
            assert len(printed(page, f"{url}/cases/{case}/statement?words={words}").pages) == 1, words


# ── putting together ──


def test_what_went_to_one_agency_on_one_ground_is_one_line() -> None:
    items = [
        disclosure(0, categories=("contact", "identity")),
        disclosure(3, categories=("housing",), purpose="kyoju_shien"),
        disclosure(1, recipient="c"),
        disclosure(2, basis="emergency", opened_at=AT),
    ]
    first, other, urgent = gather(items)
    assert (first.recipient, first.times, first.first, first.last) == ("b", 2, AT, AT + timedelta(days=3))
    assert first.categories == ("identity", "contact", "housing")
    assert first.purposes == ("saimu_seiri", "kyoju_shien")
    assert (first.reason, urgent.reason) == (None, "told-urgent")
    assert (other.recipient, urgent.reached) == ("c", "opened")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "queued"}, "waiting"),
        ({"state": "offered"}, "waiting"),
        ({"state": "offered", "handed_over_at": AT}, "arrived"),
        ({"state": "delivered", "delivered_at": AT}, "arrived"),
        ({"state": "opened", "delivered_at": AT, "opened_at": AT}, "opened"),
        ({"state": "destroyed"}, "stopped"),
        ({"state": "refused"}, "stopped"),
        ({"state": "undeliverable"}, "stopped"),
        # it was collected before it ended: what was collected was told
        ({"state": "undeliverable", "handed_over_at": AT}, "arrived"),
    ],
    ids=str,
)
def test_how_far_it_got_is_what_the_receipts_say(changes: dict[str, object], said: str) -> None:
    assert reached(disclosure(**changes)) == said  # type: ignore[arg-type]  # members by name


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from(["identity", "health", "debt_arrears"])
        ),
        max_size=30,
    )
)
def test_no_disclosure_and_no_category_is_lost_by_putting_together(said: list[tuple[str, str, str]]) -> None:
    items = [disclosure(n, sender=a, recipient=b, categories=(c,)) for n, (a, b, c) in enumerate(said)]
    told = gather(items)
    assert sum(one.times for one in told) == len(items)
    assert {(one.sender, one.recipient, code) for one in told for code in one.categories} == set(said)
