# SPDX-License-Identifier: Apache-2.0
"""支援調整会議 from page to page: who comes, who leaves for an item, what each gets, and what the hub learns."""

from __future__ import annotations

from connectors.casebook import meeting_papers, receive, sheets
from connectors.sdk import answers
from tests.connectors.desk.meeting import HEALTH, HEALTH_MINUTES, MINUTES, NAME, PLAN, SHARED, Table, table
from tests.connectors.desk.office import Office
from tests.connectors.sheets.filled import PLAN as PLAN_SHEET

__all__ = ["table"]


def at_hub(table: Table) -> answers.MeetingDetail:
    (met,) = table.network.hub.meetings.values()
    return met


def said_to(table: Table, office: Office, form: str = meeting_papers.MINUTES) -> str:
    """Give all that a member's newest paper says, its parts one after the other."""
    connector = office.connector
    with connector.casebook.transaction() as connection:
        found = meeting_papers.papers(connection, forms=(form,), recipient=connector.agency)
        pen = connector.pen("s-9")
        return "\n".join(
            part.body.decode()
            for paper in found[:1]
            for part in receive.read(connection, paper.message, paper.sender, pen)
        )


def test_the_list_says_how_to_begin_and_the_municipality_is_chosen_already(table: Table) -> None:
    page = table.ours.get("/meetings")
    assert "「会議を開く」を押すと" in page.words
    form = table.ours.get("/meetings/new")
    ticked = [str(one["value"]) for one in form.html.select("input[name=members][checked]")]
    assert ticked == [table.municipality.connector.agency]


def test_a_meeting_is_convened_in_codes_and_members_accept(table: Table) -> None:
    meeting = table.convene()
    met = at_hub(table)
    assert (met.kind, met.case) == ("shien_chosei_kaigi", None)
    assert set(met.members) == {table.partner.connector.agency, table.municipality.connector.agency}
    table.round()
    asked = table.theirs.get("/meetings")
    assert "返事待ち" in asked.words
    assert asked.html.select_one("nav.side a[href='/meetings'] .count--hot") is not None
    done = table.theirs.post(f"/meetings/{met.id}/accept")
    assert "会議への参加を承諾しました。" in done.words
    assert done.html.select_one("nav.side a[href='/meetings'] .count--hot") is None
    assert table.partner.connector.agency in at_hub(table).accepted
    table.round()
    assert "1／2機関が承諾" in table.ours.get("/meetings").words
    assert "架空市役所" in table.ours.get(f"/meetings/{meeting}").words


def test_a_meeting_without_the_municipality_says_so(table: Table) -> None:
    meeting = table.convene(members=[table.partner.connector.agency])
    assert "自治体の担当者がいません" in table.ours.get("/meetings").words
    assert "自治体の担当者がいません" in table.ours.get(f"/meetings/{meeting}").words


def test_an_officer_who_did_not_come_is_missing(table: Table) -> None:
    meeting = table.convene()
    assert "自治体の担当者がいません" not in table.ours.get(f"/meetings/{meeting}").words
    town = table.municipality.connector.agency
    page = table.ours.get(f"/meetings/{meeting}")
    said = {f"person-{town}": "見本 役子", f"attended-{town}": "no"}
    done = table.ours.send(page, said, form="form[action$='/members']")
    assert "自治体の担当者がいません" in done.words


def test_a_member_without_consent_leaves_for_the_item_with_the_reason(table: Table) -> None:
    table.agrees(table.municipality)
    table.convene()
    page = table.ours.get(table.line())
    places = {
        str(one.select_one(".todo__who").get_text(" ", strip=True)): one.get_text(" ", strip=True)  # type: ignore[union-attr]
        for one in page.html.select("#h-seat ~ .todo li, section[aria-labelledby=h-seat] .todo li")
    }
    (left,) = [said for said in places.values() if "この議題では退席" in said]
    assert "この送り先への同意がありません" in left
    (stays,) = [said for said in places.values() if "同席" in said]
    assert "支援方針・経過" in stays
    assert "健康・医療" not in stays


def test_only_what_all_who_stay_may_see_is_on_the_table(table: Table) -> None:
    table.agrees(table.partner, *SHARED, "health")
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    shown = table.ours.get(line).html.select_one("section[aria-labelledby=h-tab]")
    assert shown is not None
    assert PLAN in shown.get_text()
    assert HEALTH not in shown.get_text()
    # once the officer is known not to come, what only the council may see may be shown
    town, meeting = table.municipality.connector.agency, table.meeting()
    table.ours.post(f"/meetings/{meeting}/members", {f"attended-{town}": "no"})
    again = table.ours.get(line).html.select_one("section[aria-labelledby=h-tab]")
    assert again is not None
    assert HEALTH in again.get_text()


def test_each_member_gets_minutes_of_its_own(table: Table) -> None:
    table.agrees(table.partner, *SHARED, "health")
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    assert "この議題の内容を保存しました。" in table.settle(line).words
    assert "2機関に届けました。" in table.send(line).words
    table.round()
    council, town = said_to(table, table.partner), said_to(table, table.municipality)
    for said in (council, town):
        assert MINUTES in said
        assert NAME in said
        assert "プランを採用" in said
    assert HEALTH_MINUTES in council
    assert HEALTH_MINUTES not in town


def test_whoever_leaves_gets_nothing_of_the_item(table: Table) -> None:
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    table.settle(line)
    assert "1機関に届けました。" in table.send(line).words
    table.round()
    assert MINUTES in said_to(table, table.municipality)
    assert said_to(table, table.partner) == ""
    # nor by a form that was made by hand
    forged = table.ours.post(f"{line}/send", {"what": "minutes", "to": [table.partner.connector.agency]})
    assert forged.status == 422
    table.round()
    assert said_to(table, table.partner) == ""


def test_the_hub_learns_of_the_case_only_where_every_member_may_know(table: Table) -> None:
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    table.settle(line)
    met = at_hub(table)
    assert [(one.code, one.case) for one in met.agenda] == [("case", None)]
    assert [(one.code, one.case) for one in met.decisions] == [("adopted", None)]
    table.agrees(table.partner)
    table.settle(line, decision="adopted_with_changes")
    assert [one.case for one in at_hub(table).decisions] == [None, table.case]


def test_nothing_of_the_person_is_at_the_hub(table: Table) -> None:
    table.agrees(table.partner)
    table.agrees(table.municipality)
    table.convene(purpose="架空の目的")
    line = table.line()
    table.send(line, "agenda")
    table.settle(line, missing="かなりあ架空の居場所")
    table.send(line)
    table.round()
    hub = table.network.hub
    everything = repr([hub.meetings, hub.referrals, hub.cases, hub.tasks, hub.events, hub.log.entries])
    for canary in (NAME, PLAN, MINUTES, "かなりあ", "架空の目的", "第二会議室"):
        assert canary not in everything


def test_the_same_is_not_sent_twice_and_a_change_goes_into_the_same_thread(table: Table) -> None:
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    table.send(line, "agenda")
    table.settle(line)
    table.send(line)
    assert "同じ内容はすでに送ってあります。" in table.send(line).words
    table.settle(line, **{"minutes-support_record": "書き直した架空の議事"})
    assert "1機関に届けました。" in table.send(line).words
    assert len(table.network.hub.referrals) == 1
    table.round()
    assert "書き直した架空の議事" in said_to(table, table.municipality)


def test_a_hub_that_is_away_loses_nothing(table: Table) -> None:
    table.agrees(table.municipality)
    table.network.hub.away = True
    table.convene()
    line = table.line()
    assert "1機関あては、ハブへの送信を待っています。" in table.send(line, "agenda").words
    table.settle(line)
    table.send(line)
    table.ours.post(f"/meetings/{table.meeting()}/end")
    table.network.hub.away = False
    table.round()
    table.round()
    met = at_hub(table)
    assert met.ended_at is not None
    assert [one.code for one in met.agenda] == ["case"]
    assert [one.code for one in met.decisions] == ["adopted"]
    assert len(table.network.hub.referrals) == 1
    assert PLAN in said_to(table, table.municipality, meeting_papers.AGENDA)
    assert MINUTES in said_to(table, table.municipality)


def test_a_member_sees_the_invitation_and_its_own_papers(table: Table) -> None:
    table.tells_the_partner()
    page = table.theirs.get(f"/meetings/{table.hub_id()}")
    assert "議事録" in page.words
    assert "未開封" in page.words
    assert MINUTES not in page.words
    link = page.html.select_one("a[href*='/messages/']")
    assert link is not None
    closed = table.theirs.get(str(link["href"]))
    opened = table.theirs.send(closed, form="form[action$='/open']")
    assert MINUTES in opened.words
    assert "開封済み" in table.theirs.get(f"/meetings/{table.hub_id()}").words
    # of the item without consent the municipality has no paper
    assert "届いた書面はありません。" in table.town.get(f"/meetings/{table.hub_id()}").words


def test_a_paper_that_names_a_meeting_and_comes_from_outside_it_is_none_of_it(table: Table) -> None:
    table.tells_the_partner()
    assert table.theirs.get(f"/meetings/{table.hub_id()}").html.select("a[href*='/messages/']")
    with table.partner.connector.casebook.transaction() as connection:
        connection.exec_driver_sql("UPDATE messages SET sender = 'outside'")
        connection.exec_driver_sql("UPDATE parts SET sender = 'outside'")
    page = table.theirs.get(f"/meetings/{table.hub_id()}")
    assert "届いた書面はありません。" in page.words
    assert not page.html.select("a[href*='/messages/']")


def test_the_plan_that_was_settled_is_on_the_table_and_its_services_are_suggested(table: Table) -> None:
    connector = table.office.connector
    with connector.casebook.transaction() as connection:
        pen = connector.pen(table.we)
        made = sheets.begin(connection, pen, case=table.case, code="plan")
        sheets.keep_draft(connection, pen, made.id, PLAN_SHEET)
        sheets.settle(connection, pen, made.id)
    table.agrees(table.municipality)
    table.convene()
    page = table.ours.get(table.line())
    shown = page.html.select_one("section[aria-labelledby=h-tab]")
    assert shown is not None
    assert PLAN_SHEET["goal_now"] in shown.get_text()
    ticked = {str(one["value"]) for one in page.html.select("input[name=law][checked]")}
    assert ticked == set(PLAN_SHEET["services_law"])
    settled = table.settle(page.answer.request.path)
    assert settled.html.select_one(f"a[href='/sheets/{made.id}']") is not None


def test_a_case_shows_its_meetings_each_kind_apart_and_where_it_can_be_brought(table: Table) -> None:
    meeting = table.convene()
    page = table.ours.get(f"/cases/{table.case}/meetings")
    link = page.html.select_one(f"a[href^='/meetings/{meeting}?case=']")
    assert link is not None
    field = table.ours.get(str(link["href"])).html.select_one("#f-case")
    assert field is not None
    assert field["value"] == table.number
    line = table.line()
    table.settle(line)
    again = table.ours.get(f"/cases/{table.case}/meetings")
    assert again.html.select_one(f"#of-meetings a[href='{line}']") is not None
    assert again.html.select_one(f"#of-conferences a[href='{line}']") is None
    assert again.html.select_one(f"a[href^='/meetings/{meeting}?case=']") is None


def test_a_print_shows_what_one_member_gets(table: Table) -> None:
    table.agrees(table.partner, *SHARED, "health")
    table.agrees(table.municipality)
    table.convene()
    line = table.line()
    table.settle(line)
    town = table.ours.get(f"{line}/paper?to={table.municipality.connector.agency}").words
    own = table.ours.get(f"{line}/paper").words
    assert MINUTES in town
    assert HEALTH_MINUTES not in town
    assert HEALTH_MINUTES in own


def test_pages_speak_english_too(table: Table) -> None:
    table.agrees(table.municipality)
    meeting = table.convene()
    line = table.line()
    table.settle(line)
    english = table.office.browser(table.we, language="en")
    for path in ("/meetings", "/conferences", "/meetings/new", "/conferences/new", f"/meetings/{meeting}", line):
        assert english.get(path).status == 200
    assert "Leaves for this item" in english.get(line).words
