# SPDX-License-Identifier: Apache-2.0
"""The directory: who fits a need, who could help where nobody does, and what an agency's page says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.desk.agencies import rules
from connectors.desk.agencies.rules import Wanted
from connectors.sdk.answers import Agency
from consent.vocabulary.codes import PURPOSES, RECIPIENTS
from tests.connectors.desk.office import Browser, Office

NOW = datetime(2026, 4, 6, tzinfo=UTC)


def agency(number: int = 0, **changes: object) -> Agency:
    made = Agency(
        id=f"a{number}", kind="shakyo", name={"ja": f"架空の機関{number}", "en": f"Fictional {number}"}, state="active"
    )
    return replace(made, **changes)  # type: ignore[arg-type]


AGENCIES = st.lists(
    st.builds(
        agency,
        st.integers(0, 99),
        kind=st.sampled_from(sorted(RECIPIENTS)),
        capacity=st.sampled_from(["open", "full", ""]),
        answer_days=st.none() | st.integers(0, 9),
        purposes=st.lists(st.sampled_from(sorted(PURPOSES)), max_size=3).map(tuple),
    ),
    unique_by=lambda one: one.id,
)


@given(AGENCIES, st.none() | st.sampled_from(sorted(PURPOSES)), st.none() | st.sampled_from(sorted(RECIPIENTS)))
def test_a_condition_more_never_finds_more(some: list[Agency], purpose: str | None, kind: str | None) -> None:
    folded = dict.fromkeys((one.id for one in some), "x")
    narrow = rules.fitting(some, Wanted(purpose=purpose, kind=kind), folded)
    assert {one.id for one in narrow} <= {one.id for one in rules.fitting(some, Wanted(purpose=purpose), folded)}
    assert {one.id for one in rules.fitting(some, Wanted(), folded)} == {one.id for one in some}


@given(AGENCIES)
def test_whoever_has_no_room_stands_behind_whoever_has(some: list[Agency]) -> None:
    found = rules.fitting(some, Wanted(), dict.fromkeys((one.id for one in some), ""))
    full = [one.capacity == "full" for one in found]
    assert full == sorted(full)


def test_an_agency_that_says_what_it_takes_is_believed_over_its_kind() -> None:
    assert rules.serves(agency(), "koguchi_shikin")
    assert not rules.serves(agency(purposes=("kaigo_soudan",)), "koguchi_shikin")


def test_an_entry_is_stale_after_half_a_year() -> None:
    days = [rules.is_stale(agency(last_verified=NOW - timedelta(days=n)), NOW) for n in (179, 180)]
    assert (days, rules.is_stale(agency(), NOW)) == ([False, True], True)


def test_before_the_first_round_the_page_says_when_the_directory_comes(browser: Browser) -> None:
    assert "最初の同期" in browser.get("/agencies").words


def test_agencies_are_found_by_need_and_by_word(office: Office, partner: Office) -> None:
    office.connector.sync()
    browser = office.browser(office.hire())
    names = [
        one.get_text(strip=True) for one in browser.get("/agencies?purpose=koguchi_shikin").html.select(".agencies h3")
    ]
    assert names == [partner.connector.settings.name_ja]
    assert "条件に合う機関がありません" in browser.get("/agencies?q=どこにもない").words
    assert browser.get("/agencies?purpose=nonsense&kind=').or(").status == 200


def test_an_agency_page_shows_what_is_read_on_the_telephone(office: Office, partner: Office) -> None:
    office.connector.sync()
    browser = office.browser(office.hire(), language="en")
    page = browser.get(f"/agencies/{partner.connector.agency}")
    assert len(page.html.select(".words li")) == 12
    assert browser.get("/agencies/0192f000-0000-7000-8000-000000000001").status == 404
