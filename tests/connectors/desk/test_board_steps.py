# SPDX-License-Identifier: Apache-2.0
"""What the thirteen steps put on the board: urgent routes whose clock runs, dates on which a plan is looked at."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from connectors.casebook import step_files
from connectors.casebook.step_files import Urgency
from connectors.casebook.tables_sheets import sheets
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.paper import Paper, section
from tests.connectors.desk.test_sheets import adopted
from tests.connectors.story import NOW, STAFF, Network


def urgent(office: Office, case: str, **changes: Any) -> None:
    made = Urgency(
        id=changes.pop("id", "u-1"), case=case, route="food", at=NOW, due_at=NOW, staff=STAFF, text="架空", **changes
    )
    with office.connector.casebook.transaction() as connection:
        step_files.write_urgency(connection, office.connector.pen(STAFF), made)


def test_an_urgent_route_stands_on_the_board_until_what_came_of_it_is_written(
    browser: Browser, office: Office, paper: Paper
) -> None:
    case = paper.case("架空 いそぎ")
    urgent(office, case)
    page = browser.get("/?scope=office")
    assert "緊急的な支援（④）の時計が動いています" in page.words
    assert page.html.select_one(f"a.btn[href='/cases/{case}']")
    with office.connector.casebook.transaction() as connection:
        step_files.finish_urgency(connection, office.connector.pen(STAFF), "u-1", case=case, outcome="架空")
    assert "時計が動いています" not in browser.get("/?scope=office").words


def test_a_plan_is_on_the_board_from_its_date_until_somebody_has_looked(
    browser: Browser, office: Office, paper: Paper, network: Network
) -> None:
    case = paper.case("架空 みまもり")
    plan = adopted(office, browser, case)
    assert "モニタリング（⑩）の日です" not in browser.get("/?scope=office").words
    network.clock.at = NOW.replace(month=7, day=3)
    later = office.browser(office.hire())
    assert "モニタリング（⑩）の日です" in section(later, "late", "/?scope=office")
    with office.connector.casebook.transaction() as connection:
        row = connection.execute(sa.select(sheets).where(sheets.c.id == plan.id)).one()
        looked = {
            **row._mapping,
            "id": "look-1",
            "code": "monitoring",
            "state": "settled",
            "body": {"on": "2026-06-20"},
        }
        connection.execute(sa.insert(sheets).values(looked))
    assert "モニタリング（⑩）の日です" not in later.get("/?scope=office").words


def test_a_date_to_look_at_a_plan_can_be_put_off(
    browser: Browser, office: Office, paper: Paper, network: Network
) -> None:
    case = paper.case("架空 みまもり")
    adopted(office, browser, case)
    network.clock.at = NOW.replace(month=7, day=3)
    later = office.browser(office.hire())
    link = later.get("/?scope=office").html.select_one("a[href*='put-off?about=look']")
    assert link is not None
    page = later.send(later.get(str(link["href"])), {"until": "2026-07-06", "reason": "架空の都合"}, form="main form")
    assert page.status == 200, page.faults
    assert "モニタリング（⑩）の日です" not in later.get("/?scope=office").words
