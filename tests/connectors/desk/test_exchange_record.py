# SPDX-License-Identifier: Apache-2.0
"""The whole record of one person, for the person: everything that is held, and nothing of anybody else."""

from __future__ import annotations

import csv
import io
import json
import zipfile

from connectors.casebook import scans
from connectors.casebook.tables import metadata
from connectors.desk.exchange import dossier
from connectors.desk.web.visits import Role
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.tables import OTHER, ROW, as_csv, held, taken_in
from tests.connectors.desk.walking import known_tie
from tests.connectors.story import Network

WORKER = frozenset({Role.CASEWORKER})
SCAN = b"%PDF-1.4 fictional scan"


def unpacked(browser: Browser, case: str) -> dict[str, bytes]:
    page = browser.send(browser.get(f"/cases/{case}/record"), {"checked": "yes"}, form="main form")
    assert page.answer.mimetype == "application/zip", page.words
    with zipfile.ZipFile(io.BytesIO(page.answer.data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def case_of(office: Office, number: str) -> str:
    ((case,),) = held(office, f"SELECT \"case\" FROM case_files WHERE number = '{number}'")  # noqa: S608  # of this file
    return str(case)


def test_every_table_is_either_in_the_record_or_named_as_one_about_nobody(office: Office) -> None:
    wrong = [
        one.name
        for one in metadata.sorted_tables
        if dossier.is_gathered(one) == (one.name in dossier.NOT_ABOUT_ANYBODY)
    ]
    assert wrong == []


def test_what_is_held_of_a_person_is_in_it_and_nothing_of_anybody_else(office: Office, browser: Browser) -> None:
    other = ("H31-0043", "見知らぬ人CANARY", "みしらぬ", "", "", "", "", "他人の備考CANARY")
    taken_in(browser, as_csv((*ROW[:7], "本人の備考"), other))
    case = case_of(office, ROW[0])
    with office.connector.casebook.transaction() as connection:
        pen = office.connector.pen("s-1")
        scans.keep_scan(connection, pen, case=case, form=None, media="application/pdf", pages=1, body=SCAN)
    files = unpacked(browser, case)
    whole = b"".join(files.values()).decode("utf-8", "replace")
    assert "CANARY" not in whole
    assert other[0] not in whole
    record = json.loads(files["record.json"])
    assert record["persons"][0]["name"] == ROW[1]
    assert record["journal"][0]["text"] == "本人の備考"
    assert record["answers"]
    assert files["files/scans-001.pdf"] == SCAN
    assert record["scans"][0]["body"] == "files/scans-001.pdf"
    (person,) = list(csv.DictReader(io.StringIO(files["people.csv"].decode("utf-8-sig"), newline="")))
    assert (person["氏名"], person["住所"]) == (ROW[1], ROW[5])
    assert [one["action"] for one in record["access_log"]][:2] == ["person:registered", "case:opened"]


def test_what_was_sent_and_agreed_is_in_it(office: Office, partner: Office, network: Network) -> None:
    tie = known_tie(office, partner, network)
    files = unpacked(office.browser(office.hire()), tie.case)
    record = json.loads(files["record.json"])
    assert [one["category"] for one in record["parts"]] == ["identity"]
    assert record["referrals"][0]["id"] == tie.id
    assert record["consents"][0]["token"]
    for name in ("referrals.csv", "consents.csv", "provisions.csv"):
        assert "架空 花子".encode() in files[name]


def test_no_secret_and_no_key_for_searching_is_in_it(office: Office, partner: Office, network: Network) -> None:
    tie = known_tie(office, partner, network)
    record = json.loads(unpacked(office.browser(office.hire()), tie.case)["record.json"])
    assert not {name for rows in record.values() for row in rows for name in row} & dossier.LEFT_OUT


def test_it_is_not_made_before_somebody_has_checked_who_asks(office: Office, browser: Browser) -> None:
    taken_in(browser, as_csv(ROW))
    page = browser.send(browser.get(f"/cases/{case_of(office, ROW[0])}/record"), form="main form")
    assert (page.status, page.faults) == (422, ["checked"])
    assert not held(office, "SELECT 1 FROM access_log WHERE action = 'case:disclosed'")


def test_that_it_was_made_is_in_the_log_and_the_case_leads_to_it(office: Office) -> None:
    member = office.hire()
    browser = office.browser(member)
    taken_in(browser, as_csv(ROW))
    case = case_of(office, ROW[0])
    assert browser.get(f"/cases/{case}").html.select(f"a[href='/cases/{case}/record']")
    unpacked(browser, case)
    assert held(office, "SELECT staff, \"case\" FROM access_log WHERE action = 'case:disclosed'") == [(member, case)]


def test_a_case_of_another_s_asks_why_and_one_that_is_not_here_is_not_found(office: Office) -> None:
    taken_in(office.browser(office.hire("仮名 恵", roles=WORKER)), as_csv(ROW, OTHER))
    other = office.browser(office.hire("仮名 渉", roles=WORKER))
    path = f"/cases/{case_of(office, ROW[0])}/record"
    assert other.get(path).status == 403
    assert other.post(path, {"checked": "yes"}).status == 403
    assert other.get("/cases/0192f000-0000-7000-8000-000000000001/record").status == 404
    assert office.browser(office.hire("架空 管理", roles=frozenset({Role.ADMINISTRATOR}))).get(path).status == 403
