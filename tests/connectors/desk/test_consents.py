# SPDX-License-Identifier: Apache-2.0
"""The register of consents and refusals: every state in words, refusals as they were said, what others ask of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from connectors.casebook import access, statements, tables
from connectors.casebook.statements import exclusions_of
from connectors.desk.consents import reads
from connectors.desk.consents.rules import CaseConsent
from connectors.desk.web.visits import Role
from tests.connectors.desk.consent_office import admit
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import NOW, STAFF, Network, consent, open_case

WORDS = "元夫には <b>絶対に</b> 知らせないでください canary-words"


def log_of(office: Office, case: str) -> list[str]:
    with office.connector.casebook.transaction() as connection:
        return [one.action for one in access.history(connection, case)]


def states(office: Office, case: str) -> list[str]:
    with office.connector.casebook.transaction() as connection:
        return [one.standing.value for one in reads._registers(connection, [case], office.connector.now())[case]]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_register_says_whom_what_why_and_until_when(office: Office, partner: Office, language: str) -> None:
    case, _ = admit(office, partner.connector)
    page = office.browser(office.hire(), language=language).get(f"/cases/{case}/consents")
    assert page.status == 200
    wanted = {
        "ja": ("架空の機関1", "総合支援資金", "連絡先", "7月5日まで", "有効", "同意あり"),
        "en": ("Live", "Contact"),
    }
    assert all(one in page.words for one in wanted[language]), page.words


def test_a_case_without_consent_says_what_to_do_and_shows_nothing_else(office: Office, browser: Browser) -> None:
    case = open_case(office.connector)
    page = browser.get(f"/cases/{case}/consents")
    assert "同意なし" in page.words
    assert "情報は何も伝えられません" in page.words


def test_every_state_stands_in_words(office: Office, partner: Office, browser: Browser, network: Network) -> None:
    case, old = admit(office, partner.connector)
    j1, s1 = office.connector, partner.connector.agency
    consent(j1, case, s1, supersedes=frozenset({old}))
    j1.push()
    consent(j1, case, "houterasu", signature="oral_pending", evidence="")
    consent(j1, case, "bengoshi", valid_until=NOW + timedelta(days=20))
    consent(j1, case, "hellowork", valid_from=NOW + timedelta(days=9))
    consent(j1, case, "kakei", signature="family_unverified")
    j1.push()
    consent(j1, case, "sumai")
    page = browser.get(f"/cases/{case}/consents")
    for word in ("有効", "署名待ち（あと14日）", "期限間近", "開始前", "有効な署名なし", "置き換え済み", "ハブ未登録"):
        assert word in page.words, word
    wanted = ["ending", "live", "not-yet", "pending", "superseded", "unsigned", "waiting"]
    assert sorted(states(office, case)) == wanted
    network.clock.on(days=15)
    assert states(office, case).count("unsigned") == 2
    network.clock.on(days=90)
    assert states(office, case).count("ended") == 4


def test_what_the_hub_refused_stands_there_with_its_reason(office: Office, partner: Office, browser: Browser) -> None:
    case, _ = admit(office, partner.connector, signed_at=NOW - timedelta(days=40))
    page = browser.get(f"/cases/{case}/consents")
    assert "ハブに断られた" in page.words
    assert "もう一人の確認が要ります" in page.words
    with office.connector.casebook.transaction() as connection:
        connection.execute(sa.update(tables.consents).values(refused="a-code-of-tomorrow"))
    assert "管理者に知らせてください" in browser.get(f"/cases/{case}/consents").words


def test_the_age_of_the_word_that_it_is_live_is_shown(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, _ = admit(office, partner.connector)
    assert "有効の確認 " in browser.get(f"/cases/{case}/consents").words
    network.clock.on(hours=25)
    browser = office.browser(office.hire("仮名 翌"))
    assert "有効の確認が古くなっています" in browser.get(f"/cases/{case}/consents").words


def test_a_refusal_is_written_down_binds_at_once_and_its_words_stay_here(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, _ = admit(office, partner.connector)
    form = browser.get(f"/cases/{case}/exclusions/new")
    page = browser.send(
        form, {"to": [partner.connector.agency], "categories": ["contact"], "words": WORDS}, form="main form"
    )
    assert "ハブにも届きました" in page.words
    assert WORDS.replace("<b>", "<b>") in page.words
    assert "&lt;b&gt;" in page.answer.get_data(as_text=True)
    shown = network.hub.exclusions[case][0]
    assert (shown.to, shown.categories) == ((partner.connector.agency,), ("contact",))
    assert "canary" not in repr(network.hub.exclusions) + repr(network.hub.log.entries)
    assert "words:read" in log_of(office, case)


def test_everybody_and_everything_can_be_refused(office: Office, browser: Browser, partner: Office) -> None:
    case, _ = admit(office, partner.connector)
    form = browser.get(f"/cases/{case}/exclusions/new")
    browser.send(form, {"to": ["*", "shakyo"], "categories": ["*", "health"]})
    with office.connector.casebook.transaction() as connection:
        (made,) = exclusions_of(connection, case)
    assert (made.to, made.categories) == ({"*"}, {"*"})


@pytest.mark.parametrize(
    ("data", "blamed"),
    [
        ({"categories": ["health"]}, ["to"]),
        ({"to": ["*"]}, ["categories"]),
        ({"to": ["somebody-canary"], "categories": ["health"]}, ["to"]),
        ({"to": ["*"], "categories": ["canary"]}, ["categories"]),
        ({"to": ["*"], "categories": ["health"], "words": "x" * 2001}, ["words"]),
        ({"to": ["*"], "categories": ["health"], "words": "\x00"}, ["words"]),
    ],
)
def test_a_refusal_that_names_nobody_or_nothing_is_not_taken(
    office: Office, browser: Browser, data: dict[str, object], blamed: list[str]
) -> None:
    case = open_case(office.connector)
    page = browser.post(f"/cases/{case}/exclusions/new", data)
    assert (page.status, page.faults) == (422, blamed)
    assert "canary" not in page.words
    with office.connector.casebook.transaction() as connection:
        assert exclusions_of(connection, case) == []


def test_only_the_persons_word_ends_a_refusal_and_twice_is_once(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, _ = admit(office, partner.connector)
    browser.post(f"/cases/{case}/exclusions/new", {"to": ["shakyo"], "categories": ["contact"], "words": WORDS})
    (wish,) = network.hub.exclusions[case]
    path = f"/cases/{case}/exclusions/{wish.id}/revoke"
    asked = browser.get(path)
    assert "本人がはっきり言ったときだけ" in asked.words
    assert network.hub.exclusions[case][0].revoked_at is None
    assert "取り消しました。ハブにも届きました" in browser.send(asked).words
    assert network.hub.exclusions[case][0].revoked_at == NOW
    assert "すでに取り消されています" in browser.post(path).words
    assert browser.get(f"/cases/{case}/exclusions/{case}/revoke").status == 404


def test_with_the_line_down_a_refusal_waits_and_binds_here(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    case, _ = admit(office, partner.connector)
    network.hub.away = True
    page = browser.post(f"/cases/{case}/exclusions/new", {"to": ["shakyo"], "categories": ["contact"], "words": ""})
    assert "つながり次第届けます" in page.words
    network.hub.away = False
    office.connector.push()
    assert len(network.hub.exclusions[case]) == 1


def test_another_agencys_case_cannot_be_changed_here(office: Office, partner: Office) -> None:
    case, _ = admit(office, partner.connector)
    partner.connector.sync()
    browser = partner.browser(partner.hire())
    page = browser.get(f"/cases/{case}/consents")
    assert "受付をした機関が預かっています" in page.words
    assert browser.post(f"/cases/{case}/exclusions/new", {"to": ["*"], "categories": ["*"]}).status == 404
    assert "預かっています" in browser.get(f"/cases/{case}/withdraw").words


def test_a_case_is_found_by_the_number_on_its_copy(office: Office, partner: Office, browser: Browser) -> None:
    case, made = admit(office, partner.connector)
    with office.connector.casebook.transaction() as connection:
        code = next(one.code for one in reads._registers(connection, [case], NOW)[case])
    for said in (code, code.upper(), f" {code[:4]} {code[4:]} ", f"TSUNAGI/{made}/{code}".upper(), made):
        page = browser.post("/consents/code", {"code": said}, follow=False)
        assert (page.status, page.to) == (303, f"/cases/{case}/consents"), said
    page = browser.post("/consents/code", {"code": "canary"})
    assert (page.status, page.faults) == (422, ["code"])


def test_an_unknown_case_and_an_administrator_get_no_page(office: Office, partner: Office, browser: Browser) -> None:
    case, made = admit(office, partner.connector)
    other = "0190a0a0-0000-7000-8000-000000000000"
    for path in (
        f"/cases/{other}/consents", f"/consents/{other}/copy", f"/cases/{other}/person", f"/notices/{other}",
        f"/cases/{other}/withdraw", f"/withdrawals/{other}", f"/cases/{other}/provisions",
        f"/cases/{other}/provisions.csv",
    ):  # fmt: skip
        assert browser.get(path).status == 404, path
    clerk = office.browser(office.hire("仮名 事務", roles=frozenset({Role.ADMINISTRATOR})))
    for path in (f"/cases/{case}/consents", f"/consents/{made}/copy", f"/cases/{case}/person", "/notices"):
        assert clerk.get(path).status == 403, path


# ── what other slices ask ──


def test_one_word_says_how_a_case_stands(office: Office, partner: Office, network: Network) -> None:
    j1 = office.connector
    none = open_case(j1)
    live, _ = admit(office, partner.connector)
    ending, _ = admit(office, partner.connector, valid_until=NOW + timedelta(days=9))
    pending, _ = admit(office, partner.connector, signature="oral_pending", evidence="")
    back, made = admit(office, partner.connector)
    with j1.casebook.transaction() as connection:
        from consent.receipts import WithdrawalRecord

        word = WithdrawalRecord(
            id=j1.new_id(), agency=j1.agency, case=back, scopes=frozenset({made}), to=frozenset(),
            categories=frozenset(), at=NOW,
        )  # fmt: skip
        statements.withdraw(connection, word, j1.pen(STAFF))
        found = reads.states_of_cases(connection, [none, live, ending, pending, back], NOW)
        assert reads.state_of_case(connection, live, NOW) is CaseConsent.LIVE
        later = reads.state_of_case(connection, ending, NOW + timedelta(days=9))
    assert [one.value for one in found.values()] == ["none", "live", "ending", "pending", "withdrawn"]
    assert later is CaseConsent.ENDED


def test_what_ends_soon_is_found_in_order_and_what_was_renewed_is_not(office: Office, partner: Office) -> None:
    j1, until = office.connector, NOW + timedelta(days=30)
    first, one = admit(office, partner.connector, valid_until=NOW + timedelta(days=5))
    second, two = admit(office, partner.connector, signature="oral_pending", evidence="")
    renewed, _ = admit(office, partner.connector, valid_until=NOW + timedelta(days=7))
    consent(j1, renewed, partner.connector.agency)
    admit(office, partner.connector)
    j1.push()
    with j1.casebook.transaction() as connection:
        found = reads.ending_soon(connection, until, now=NOW)
        assert [(row.case, row.consent) for row in found] == [(first, one), (second, two)]
        assert found[1].until == NOW + timedelta(days=14)
        assert reads.ending_soon(connection, until, now=NOW, limit=1) == found[:1]
        assert reads.ending_soon(connection, NOW + timedelta(days=4), now=NOW) == []


def test_more_than_a_page_may_end_at_the_same_midnight(
    office: Office, partner: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "_MOST_AT_ONCE", 2)
    cases = {admit(office, partner.connector, valid_until=NOW + timedelta(days=5))[0] for _ in range(5)}
    with office.connector.casebook.transaction() as connection:
        assert {row.case for row in reads.ending_soon(connection, NOW + timedelta(days=6), now=NOW)} == cases
