# SPDX-License-Identifier: Apache-2.0
"""The record of provision: both sides, joined with the name here alone; CSV, JSON; reads are logged."""

from __future__ import annotations

import csv
import io
import json

import pytest

from connectors.casebook import access
from connectors.desk.consents.ledger import COLUMNS
from tests.connectors.desk.consent_office import admit, provide
from tests.connectors.desk.office import Browser, Office
from tests.connectors.story import NAME, Network, letter


@pytest.fixture
def case(office: Office, partner: Office) -> str:
    made, _ = admit(office, partner.connector)
    provide(office, partner, made)
    return made


def rows(body: bytes, encoding: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode(encoding), newline="")))


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_giver_reads_whom_what_why_and_what_the_law_asks(office: Office, case: str, language: str) -> None:
    page = office.browser(office.hire(), language=language).get(f"/cases/{case}/provisions")
    wanted = {
        "ja": (
            NAME,
            "架空の機関1",
            "社会福祉協議会",
            "民間事業者",
            "総合支援資金",
            "本人の同意",
            "要確認",
            "開封",
            "任意",
        ),
        "en": (NAME, "Fictional agency 1", "Private body", "Consent", "To be checked", "opened"),
    }
    for said in wanted[language]:
        assert said in page.words, said
    with office.connector.casebook.transaction() as connection:
        assert "provisions:read" in [one.action for one in access.history(connection, case)]


def test_the_receiver_has_a_record_too(partner: Office, case: str) -> None:
    page = partner.browser(partner.hire()).get(f"/cases/{case}/provisions")
    assert "提供を受けた記録" in page.words
    assert "架空の機関0" in page.words


def test_what_did_not_leave_is_no_provision(
    office: Office, partner: Office, browser: Browser, network: Network
) -> None:
    made, _ = admit(office, partner.connector)
    network.hub.away = True
    office.connector.send(letter(made, partner.connector))
    assert browser.get(f"/cases/{made}/provisions").words.count("まだありません") == 2


def test_csv_is_utf8_with_its_mark_and_keeps_every_sign(browser: Browser, case: str) -> None:
    answer = browser.get(f"/cases/{case}/provisions.csv").answer
    assert answer.data.startswith(b"\xef\xbb\xbf")
    (row,) = rows(answer.data, "utf-8-sig")
    assert tuple(row) == COLUMNS
    assert row["person_name"] == NAME
    assert (row["giver_kind"], row["receiver_regime"], row["record_duty"]) == ("jiritsu", "民間事業者", "depends")
    assert row["provided_at"] == "2026-04-06T10:30:00+09:00"
    assert row["provided_on_wareki"].startswith("令和8年")
    assert row["categories"] == "identity contact"
    assert row["consents"]
    assert row["log_entry"]
    assert NAME not in answer.headers["Content-Disposition"]


def test_shift_jis_says_first_what_it_cannot_write(browser: Browser, case: str) -> None:
    page = browser.get(f"/cases/{case}/provisions.csv?encoding=cp932")
    for said in ("𠮷", "U+20BB7", "U+E0100"):
        assert said in page.words, said
    answer = browser.get(f"/cases/{case}/provisions.csv?encoding=cp932&anyway=1").answer
    (row,) = rows(answer.data, "cp932")
    assert row["person_name"] == NAME.replace("𠮷", "〓").replace("\U000e0100", "〓")


def test_shift_jis_that_can_be_written_comes_at_once(office: Office, partner: Office, browser: Browser) -> None:
    made, _ = admit(office, partner.connector, name="架空田 一郎")
    provide(office, partner, made)
    answer = browser.get(f"/cases/{made}/provisions.csv?encoding=cp932").answer
    assert rows(answer.data, "cp932")[0]["person_name"] == "架空田 一郎"


def test_an_encoding_that_nobody_offered_is_refused(browser: Browser, case: str) -> None:
    assert browser.get(f"/cases/{case}/provisions.csv?encoding=utf-7").status == 400


def test_a_name_that_is_a_formula_stays_text(office: Office, partner: Office, browser: Browser) -> None:
    made, _ = admit(office, partner.connector, name='=HYPERLINK("x")')
    provide(office, partner, made)
    (row,) = rows(browser.get(f"/cases/{made}/provisions.csv").answer.data, "utf-8-sig")
    assert row["person_name"] == '\'=HYPERLINK("x")'


def test_json_keeps_lists_as_lists_and_the_export_is_logged(office: Office, browser: Browser, case: str) -> None:
    document = json.loads(browser.get(f"/cases/{case}/provisions.json").answer.data)
    (row,) = document["provisions"]
    assert (row["person_name"], row["categories"], row["number"]) == (NAME, ["identity", "contact"], 1)
    with office.connector.casebook.transaction() as connection:
        assert "provisions:exported" in [one.action for one in access.history(connection, case)]
