# SPDX-License-Identifier: Apache-2.0
"""Taking back: choose, see what follows, confirm; effective here at once, queued for the hub, receipt to print."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest

from connectors.casebook import access, statements
from connectors.desk.consents import reads
from connectors.desk.consents.withdrawals import states_of, takings_of
from tests.connectors.desk.consent_office import admit, provide
from tests.connectors.desk.office import Browser, Office, Page
from tests.connectors.story import NAME, NOW, Network, consent, letter, waiting


def choose(browser: Browser, case: str, **said: object) -> Page:
    return browser.send(browser.get(f"/cases/{case}/withdraw"), said)


def standings(office: Office, case: str) -> dict[str, str]:
    with office.connector.casebook.transaction() as connection:
        found = reads._registers(connection, [case], office.connector.now())[case]
        return {one.id: one.standing.value for one in found}


def test_taking_all_back_is_two_steps_and_stops_everything_at_once(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, made = admit(office, partner.connector)
    provide(office, partner, case)
    confirm = choose(browser, case, what="all", channel="here")
    assert confirm.status == 200
    for said in (
        "止まること",
        "架空の機関1",
        "これまでに1件を伝えました",
        "相手が開きました",
        "進行中の依頼 1件",
        "「同意撤回」で終わります",
        "3営業日以内",
    ):
        assert said in confirm.words, said
    assert standings(office, case) == {made: "live"}
    page = browser.send(confirm)
    assert "ハブにも届きました" in page.words
    assert standings(office, case) == {made: "withdrawn"}
    (taken,) = network.hub.withdrawals[case]
    assert (taken.scopes, taken.to, taken.categories) == (frozenset(), frozenset(), frozenset())
    assert network.hub.consents[made].shown.withdrawn
    with pytest.raises(Exception, match="consent"):
        office.connector.send(letter(case, partner.connector))
    assert "取り消しの控え" in page.html.title.get_text()  # type: ignore[union-attr]
    assert NAME in page.words
    assert NAME not in repr(network.hub.withdrawals) + repr(network.hub.log.entries)
    register = browser.get(f"/cases/{case}/consents")
    assert "撤回" in register.words
    assert register.words.count("ここで本人から") == 1
    assert "ハブで取り消し" not in register.words


def test_no_reason_is_asked_and_the_address_names_nobody(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector)
    form = browser.get(f"/cases/{case}/withdraw")
    assert form.html.select("textarea") == []
    confirm = choose(browser, case, what="all", channel="telephone")
    path = str(confirm.answer.request.full_path)
    assert {name for name, _ in parse_qsl(urlsplit(path).query)} == {"what", "channel"}
    yes, no = confirm.html.select(".equal .btn")
    assert yes["class"] == no["class"]


def test_only_one_agency_can_be_taken_out_and_the_others_learn_nothing(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, first = admit(office, partner.connector)
    second = consent(office.connector, case, "houterasu")
    office.connector.push()
    confirm = choose(browser, case, what="agencies", to=[partner.connector.agency], channel="paper")
    assert "架空の機関1" in confirm.words
    assert "法テラス" not in confirm.words
    browser.send(confirm)
    assert standings(office, case) == {first: "withdrawn", second: "live"}
    (taken,) = network.hub.withdrawals[case]
    assert (taken.scopes, taken.to) == ({first}, frozenset())


def test_one_agency_of_a_kind_can_be_taken_out_of_a_record_for_the_kind(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, made = admit(office, "shakyo")
    provide(office, partner, case)
    confirm = choose(browser, case, what="agencies", to=[partner.connector.agency], channel="here")
    browser.send(confirm)
    (taken,) = network.hub.withdrawals[case]
    assert (taken.scopes, taken.to) == ({made}, {partner.connector.agency})
    assert standings(office, case) == {made: "live"}
    assert "架空の機関1だけ取り消し" in browser.get(f"/cases/{case}/consents").words


def test_only_a_category_can_be_taken_back(office: Office, partner: Office, browser: Browser) -> None:
    case, made = admit(office, partner.connector)
    browser.send(choose(browser, case, what="categories", categories=["contact"], channel="here"))
    assert standings(office, case) == {made: "live"}
    assert "取り消し: 連絡先" in browser.get(f"/cases/{case}/consents").words
    form = browser.get(f"/cases/{case}/withdraw")
    assert "contact" not in [one["value"] for one in form.html.select("input[name=categories]")]


def test_a_record_that_waits_for_the_hub_gets_a_word_of_its_own(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, first = admit(office, partner.connector)
    # the hub will refuse this one, for it was signed too long ago; the word about the first must hold all the same
    second = consent(office.connector, case, partner.connector.agency, signed_at=NOW - timedelta(days=40))
    network.hub.away = True
    confirm = choose(browser, case, what="agencies", to=[partner.connector.agency], channel="here")
    browser.send(confirm)
    network.hub.away = False
    office.connector.push()
    assert network.hub.consents[first].shown.withdrawn
    assert second not in network.hub.consents


def test_with_the_line_down_it_holds_here_and_the_receipt_says_that_it_waits(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, made = admit(office, partner.connector)
    network.hub.away = True
    page = browser.send(choose(browser, case, what="all", channel="telephone"))
    assert "つながり次第届けます" in page.words
    assert "ハブへの送信待ち" in page.words
    assert standings(office, case) == {made: "withdrawn"}
    assert [what for what, _ in waiting(office.connector)][-1:] == ["withdrawal"]
    network.hub.away = False
    office.connector.push()
    assert "ハブに届きました" in browser.get(str(page.answer.request.path)).words


def test_a_second_click_takes_nothing_back_twice(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, _ = admit(office, partner.connector)
    confirm = choose(browser, case, what="agencies", to=[partner.connector.agency], channel="here")
    first = browser.send(confirm, follow=False)
    second = browser.send(confirm, follow=False)
    assert (first.status, second.status, first.to) == (303, 303, second.to)
    assert len(network.hub.withdrawals[case]) == 1
    with office.connector.casebook.transaction() as connection:
        (taken,) = takings_of(connection, case)
        assert states_of(connection, taken.words) == ["sent"]
        assert "withdrawal:here" in [one.action for one in access.history(connection, case)]


@pytest.mark.parametrize(
    ("said", "blamed"),
    [
        ({"what": "all"}, ["channel"]),
        ({"channel": "here"}, ["what"]),
        ({"what": "agencies", "channel": "here"}, ["to"]),
        ({"what": "categories", "channel": "here"}, ["categories"]),
        ({"what": "agencies", "to": "somebody-canary", "channel": "here"}, ["to"]),
        ({"what": "categories", "categories": "canary", "channel": "here"}, ["categories"]),
        ({"what": "canary", "channel": "here"}, ["what"]),
        ({"what": "all", "channel": "canary"}, ["channel"]),
    ],
)
def test_a_choice_that_is_none_changes_nothing(
    office: Office, partner: Office, browser: Browser, said: dict[str, str], blamed: list[str]
) -> None:
    case, made = admit(office, partner.connector)
    page = choose(browser, case, **said)
    assert (page.status, page.faults) == (422, blamed)
    assert "canary" not in page.words
    posted = browser.post(f"/cases/{case}/withdraw", said | {"form": office.connector.new_id()})
    assert (posted.status, posted.faults) == (422, blamed)
    assert standings(office, case) == {made: "live"}


def test_a_form_without_its_number_or_of_another_case_is_not_taken(
    office: Office, partner: Office, browser: Browser
) -> None:
    case, made = admit(office, partner.connector)
    other, _ = admit(office, partner.connector)
    said = {"what": "all", "channel": "here"}
    assert browser.post(f"/cases/{case}/withdraw", said | {"form": "canary"}).faults == ["what"]
    form = office.connector.new_id()
    browser.post(f"/cases/{other}/withdraw", said | {"form": form})
    assert browser.post(f"/cases/{case}/withdraw", said | {"form": form}).status == 404
    assert standings(office, case) == {made: "live"}
    again = browser.post(f"/cases/{other}/withdraw", said | {"form": office.connector.new_id()})
    assert again.status == 409


def test_what_was_taken_back_elsewhere_stands_in_the_register(
    office: Office, partner: Office, browser: Browser
) -> None:
    case, made = admit(office, partner.connector)
    office.connector.hub.withdraw(made, categories=["contact"])  # on the person's page
    office.connector.refresh_case(case)
    assert "本人のページまたはハブで取り消し" in browser.get(f"/cases/{case}/consents").words


def test_no_status_is_given_any_more_for_what_was_taken_back_as_all(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, _ = admit(office, partner.connector)
    browser.send(choose(browser, case, what="all", channel="here"))
    network.clock.on(hours=13)
    assert office.connector.renew_statuses() == 0
    with office.connector.casebook.transaction() as connection:
        assert len(statements.withdrawals_of(connection, case)) >= 1


def test_the_receipt_reads_in_the_persons_language(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector)
    page = browser.send(choose(browser, case, what="all", channel="here"))
    path = str(page.answer.request.path)
    assert "Đã rút lại sự đồng ý" in browser.get(f"{path}?words=vi").words
    assert "やめました" in browser.get(f"{path}?words=klingon").words
