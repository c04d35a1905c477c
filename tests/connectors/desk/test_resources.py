# SPDX-License-Identifier: Apache-2.0
"""The register of missing resources: fed by declines and by meetings, kept with its history, counted, given out."""

from __future__ import annotations

import csv
import io
from datetime import date

from openpyxl import load_workbook

from connectors.casebook import resources, tables
from connectors.casebook.resources import Said
from connectors.desk.resources import rules
from consent.vocabulary.codes import CODE_LISTS
from tests.connectors.desk.meeting import Table, table
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.referring import Referred, referred
from tests.connectors.story import refused

__all__ = ["referred", "table"]

WHOLE = {
    "what": "保証人なしで入れる住まいが無い", "kind": "housing", "area": "架空市全域", "state": "in_hand",
    "owner": "架空市居住支援協議会", "next_step": "家主への説明会", "next_on": "2026-05-01",
}  # fmt: skip


FORM = "main form[data-guard]"


def entries(office: Office) -> list[resources.Entry]:
    with office.connector.casebook.transaction() as connection:
        return list(resources.entries(connection))


def test_an_empty_register_says_what_to_do(browser: Browser) -> None:
    assert "足りない支援に気づいたら" in browser.get("/resources").words


def test_an_entry_is_written_changed_and_keeps_how_it_stood(browser: Browser, office: Office) -> None:
    made = browser.send(browser.get("/resources/new"), WHOLE, form=FORM)
    assert "台帳に書きました。" in made.words
    done = browser.send(
        made, {"state": "made", "outcome": "説明会のあと三戸が見つかった"}, form="main form[data-guard]"
    )
    assert "書き直しました。" in done.words
    assert [one.get_text() for one in done.html.select("ol .written")].count(WHOLE["what"]) == 2
    (entry,) = entries(office)
    assert (entry.said.state, entry.version, entry.said.next_on) == ("made", 2, date(2026, 5, 1))


def test_a_referral_that_came_back_for_want_of_room_is_offered_and_counted(referred: Referred) -> None:
    referred.open()
    referred.decline(reason="no_capacity")
    page = referred.ours.get("/resources")
    assert "定員・体制のため受けられず" in page.words
    link = page.html.select_one("a[href*='about=']")
    assert link is not None
    made = referred.ours.send(
        referred.ours.get(str(link["href"])), {"what": "貸付の枠が足りない"}, form="main form[data-guard]"
    )
    assert "受けられず 1件" in made.words
    (entry,) = entries(referred.office)
    assert (entry.said.kind, entry.declines, entry.lines) == ("money", 1, 0)
    assert "確かめるもの" not in referred.ours.get("/resources").words


def test_another_reason_is_not_offered_and_one_may_be_no_lack(referred: Referred) -> None:
    referred.open()
    referred.decline(reason="out_of_area")
    assert "確かめるもの" not in referred.ours.get("/resources").words


def test_what_a_meeting_found_missing_is_offered(table: Table) -> None:
    table.convene()
    table.settle(table.line(), missing="居場所が足りない")
    page = table.ours.get("/resources")
    assert "居場所が足りない" in page.words
    link = page.html.select_one("a[href*='about=']")
    assert link is not None
    form = table.ours.get(str(link["href"]))
    assert form.html.select_one("#f-what").get_text(strip=True) == "居場所が足りない"  # type: ignore[union-attr]
    table.ours.send(form, {"kind": "place_to_be"}, form=FORM)
    (entry,) = entries(table.office)
    assert (entry.declines, entry.lines) == (0, 1)
    # a second finding is counted for the entry that is there, a third is none
    table.convene()
    table.settle(table.line(), missing="居場所がやはり足りない")
    page = table.ours.get("/resources")
    done = table.ours.send(page, {"resource": entry.id}, form="main form[action='/resources/sources']")
    assert "件数に入れました。" in done.words
    assert entries(table.office)[0].lines == 2
    again = table.ours.post("/resources/sources", {"about": "none", "resource": entry.id})
    assert "すでに確かめています" in again.words


def test_the_register_is_given_out_as_files(browser: Browser, office: Office) -> None:
    browser.send(browser.get("/resources/new"), WHOLE | {"what": "=1+1 架空"}, form=FORM)
    given = browser.get("/resources/missing-resources.csv")
    rows = list(csv.reader(io.StringIO(given.answer.get_data().decode("utf-8-sig"))))
    assert len(rows) == 2
    assert "'=1+1 架空" in rows[1]
    assert "住まい・入居支援" in rows[1]
    sheet = load_workbook(io.BytesIO(browser.get("/resources/missing-resources.xlsx").answer.get_data())).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]][6] == "=1+1 架空"
    assert browser.get("/resources/missing-resources.exe").status == 404
    with office.connector.casebook.transaction() as connection:
        actions = [row.action for row in connection.execute(tables.access_log.select())]
    assert actions.count("resources:exported") == 2


def test_an_entry_that_lacks_something_is_not_taken_and_what_was_typed_stays(browser: Browser, office: Office) -> None:
    page = browser.get("/resources/new")
    lacking = (("what", ""), ("kind", ""), ("kind", "moon"), ("owner", ""), ("next_step", ""), ("next_on", ""))
    for field, value in (*lacking, ("state", "done")):
        done = browser.send(page, WHOLE | {field: value}, form=FORM)
        assert (done.status, done.faults) == (422, [field])
        assert done.html.select_one("#f-area")["value"] == WHOLE["area"]  # type: ignore[index]
    over = browser.send(page, WHOLE | {"state": "given_up"}, form=FORM)
    assert over.faults == ["outcome"]
    assert entries(office) == []
    assert browser.get("/resources/none").status == 404
    assert browser.post("/resources/new", WHOLE, guard=False).status == 403


def test_whoever_was_slower_is_told_and_loses_nothing_typed(browser: Browser, office: Office) -> None:
    first = browser.send(browser.get("/resources/new"), WHOLE, form=FORM)
    (entry,) = entries(office)
    other = office.browser(office.hire("架空 隣"))
    other.send(other.get(f"/resources/{entry.id}"), {"area": "北部"}, form=FORM)
    late = browser.send(first, {"area": "南部"}, form=FORM)
    assert late.status == 422
    assert "ほかの人が先に" in late.words
    assert late.html.select_one("#f-area")["value"] == "南部"  # type: ignore[index]
    assert entries(office)[0].said.area == "北部"
    with refused("resource-changed"), office.connector.casebook.transaction() as connection:
        resources.change(connection, office.connector.pen("s-1"), entry, _moved(entry), seen=1)


def _moved(entry: resources.Entry) -> Said:
    said = entry.said
    return Said(
        kind=said.kind, area="西部", what=said.what, owner=said.owner, next_step=said.next_step, next_on=said.next_on,
        state=said.state, outcome=said.outcome,
    )  # fmt: skip


def test_counts_are_by_kind_of_what_is_open(browser: Browser, office: Office) -> None:
    for state, kind, day in (("in_hand", "housing", "2026-04-01"), ("in_hand", "housing", "2026-05-01")):
        browser.send(
            browser.get("/resources/new"),
            WHOLE | {"state": state, "kind": kind, "next_on": day},
            form="main form[data-guard]",
        )
    browser.send(
        browser.get("/resources/new"), WHOLE | {"state": "made", "outcome": "できた"}, form="main form[data-guard]"
    )
    (count,) = rules.counts(entries(office), date(2026, 4, 6))
    assert (count.kind, count.open, count.late) == ("housing", 2, 1)
    assert browser.get("/resources?state=made").words.count(WHOLE["what"]) == 1


def test_every_purpose_points_to_a_kind_of_resource() -> None:
    assert {rules.kind_for(purpose) for purpose in CODE_LISTS["purposes"]} <= set(CODE_LISTS["resource_kind"])
