# SPDX-License-Identifier: Apache-2.0
"""What pages of meetings do not take: each refusal says why, keeps what was typed, and changes nothing."""

from __future__ import annotations

import pytest

from connectors.casebook import agenda, meetings
from connectors.desk.web.visits import Role
from tests.connectors.desk.meeting import MINUTES, PLAN, Table, table

__all__ = ["table"]

NEW = {"day": "2026-04-20", "time": "14:00", "place": "架空市役所", "purpose": "架空の目的", "last": "2026-10-31"}


LACKING: dict[str, list[tuple[str, object]]] = {
    "meetings": [("day", ""), ("day", "2026-04-01"), ("time", "25:00"), ("place", ""), ("members", []),
                 ("members", ["nobody"])],
    "conferences": [("purpose", ""), ("last", ""), ("last", "2027-04-07"), ("last", "2026-04-19"), ("secrecy", "")],
}  # fmt: skip


@pytest.mark.parametrize("where", LACKING)
def test_a_new_meeting_that_lacks_something_is_not_made(table: Table, where: str) -> None:
    whole = NEW | {"members": [table.partner.connector.agency], "secrecy": "yes"}
    page = table.ours.get(f"/{where}/new")
    for field, value in LACKING[where]:
        done = table.ours.send(page, whole | {field: value}, form="main form")
        assert done.status == 422, (field, value)
        assert done.faults == [field], (field, value)
        kept = done.html.select_one("#f-place")
        assert kept is not None
        assert field == "place" or kept["value"] == NEW["place"]
    with table.office.connector.casebook.transaction() as connection:
        assert meetings.meetings(connection, "shien_chosei_kaigi") == meetings.meetings(connection, "shien_kaigi") == []
    assert table.network.hub.meetings == {}


def test_a_case_that_is_not_ours_open_or_new_here_is_not_put_on_the_agenda(table: Table) -> None:
    meeting = table.convene()
    path = f"/meetings/{meeting}/agenda"
    assert table.ours.post(path, {"case": "令8-9999", "categories": ["identity"]}).faults == ["case"]
    assert table.ours.post(path, {"case": "", "categories": ["identity"]}).faults == ["case"]
    assert table.ours.post(path, {"case": table.number, "categories": ["shoe_size"]}).faults == ["categories"]
    table.line()
    again = table.ours.post(path, {"case": table.number, "categories": ["identity"]})
    assert again.faults == ["case"]
    assert "すでに議題にあります" in again.words


def test_a_plan_is_adopted_only_after_the_three_checks_and_with_a_next_day(table: Table) -> None:
    table.convene()
    line = table.line()
    assert table.settle(line, **{"check-solving": ""}).faults == ["check-solving"]
    without = table.settle(line, next_on="")
    assert without.faults == ["next_on"]
    kept = without.html.select_one("#f-minutes-support_record")
    assert kept is not None
    assert kept.get_text(strip=True) == MINUTES
    assert table.settle(line, decision="by_magic").faults == ["decision"]
    assert table.settle(line, law=["no_such_service"]).faults == ["law"]
    meeting = table.meeting()
    with table.office.connector.casebook.transaction() as connection:
        assert agenda.lines(connection, meeting)[0].decided_at is None


def test_minutes_are_not_sent_before_something_was_decided(table: Table) -> None:
    table.agrees(table.municipality)
    table.convene()
    done = table.send(table.line())
    assert done.status == 422
    assert "先に、この議題の決定を選んで" in done.words
    assert table.network.hub.referrals == {}


def test_what_looks_like_a_my_number_is_looked_at_first(table: Table) -> None:
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    table.settle(line, **{"minutes-support_record": "番号は 123456789018 です"})
    done = table.send(line)
    assert done.status == 422
    assert table.network.hub.referrals == {}
    again = table.ours.send(done, {"no_my_number": "yes"}, form=f"main form[action='{line}/send']")
    assert "1機関に届けました。" in again.words


def test_consent_that_was_taken_back_makes_a_member_leave(table: Table) -> None:
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    table.settle(line)
    table.network.clock.on(days=91)
    table.browsers.clear()
    page = table.ours.get(line)
    assert "同意の期限が切れています" in page.words


def test_an_ended_meeting_takes_nothing_more(table: Table) -> None:
    table.agrees(table.municipality)
    meeting = table.convene()
    line = table.line()
    table.settle(line)
    assert "会議を終えました。" in table.ours.post(f"/meetings/{meeting}/end").words
    assert table.ours.get(line).html.select_one("main form[data-guard]") is None
    for path, form in (
        (f"/meetings/{meeting}/end", {}),
        (f"/meetings/{meeting}/agenda", {"case": table.number, "categories": ["identity"]}),
        (f"/meetings/{meeting}/members", {}),
        (line, {"decision": "continued"}),
        (f"{line}/send", {"what": "minutes", "to": [table.municipality.connector.agency]}),
    ):
        refused = table.ours.post(path, form)
        assert refused.status == 409, path
        assert "この会議は終わっています" in refused.words
    assert table.network.hub.referrals == {}


def test_only_the_convenor_does_what_is_the_convenors(table: Table) -> None:
    table.convene()
    table.round()
    met = table.hub_id()
    for path in (f"/meetings/{met}/end", f"/meetings/{met}/agenda", f"/meetings/{met}/members"):
        refused = table.theirs.post(path, {"case": "x", "categories": ["identity"]})
        assert refused.status == 409, path
        assert "呼びかけた機関だけ" in refused.words
    assert table.theirs.get(f"/meetings/{met}").status == 200


def test_a_meeting_that_ended_cannot_be_accepted(table: Table) -> None:
    meeting = table.convene()
    table.round()
    table.ours.post(f"/meetings/{meeting}/end")
    table.round()
    refused = table.theirs.post(f"/meetings/{table.hub_id()}/accept")
    assert refused.status == 409
    assert "この会議は終わっています" in refused.words


def test_what_is_not_there_is_not_found_and_a_form_without_its_guard_is_not_taken(table: Table) -> None:
    table.agrees(table.municipality)
    meeting = table.convene()
    line = table.line()
    for path in ("/meetings/none", f"/meetings/{meeting}/lines/none", f"{line}/paper?to=none"):
        assert table.ours.get(path).status == 404, path
    assert table.ours.get(f"{line}/paper?to={table.partner.connector.agency}").status == 404
    assert table.ours.post(f"/meetings/{meeting}/end", guard=False).status == 403


def test_a_colleague_who_is_not_in_charge_says_why_before_seeing_whose_case_it_is(table: Table) -> None:
    table.convene()
    line = table.line()
    colleague = table.office.browser(table.office.hire("架空 隣", roles=frozenset({Role.CASEWORKER})))
    page = colleague.get(line)
    assert page.status == 403
    assert PLAN not in page.answer.get_data(as_text=True)
    assert colleague.get(f"{line}/paper").status == 403
