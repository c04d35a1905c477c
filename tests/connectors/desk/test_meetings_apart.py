# SPDX-License-Identifier: Apache-2.0
"""支援会議 (art. 9) and 支援調整会議 are never confused: other pages, colour and words, other purpose, other end."""

from __future__ import annotations

from connectors.casebook import meeting_papers, receive, tables
from connectors.casebook.deeds import refused
from connectors.sdk import answers
from tests.connectors.desk.meeting import HEALTH, MINUTES, PLAN, Table, table

__all__ = ["table"]

WORD = "かなりあ架空の見守りの話"


def at_hub(table: Table) -> answers.MeetingDetail:
    (met,) = table.network.hub.meetings.values()
    return met


def conference(table: Table) -> str:
    """Convene a conference that both members have accepted; give our id."""
    meeting = table.convene("conferences")
    table.round()
    for browser in (table.theirs, table.town):
        done = browser.post(f"/conferences/{at_hub(table).id}/accept", {"secrecy": "yes"})
        assert "会議への参加を承諾しました。" in done.words
    table.round()
    return meeting


def test_each_kind_has_its_own_list_and_says_what_it_is_on_every_page(table: Table) -> None:
    coordination, other = table.convene(), table.convene("conferences")
    for where, own, foreign in (("meetings", coordination, other), ("conferences", other, coordination)):
        for path in (f"/{where}", f"/{where}/new", f"/{where}/{own}"):
            mark = table.ours.get(path).html.select_one(f".mk--{where}")
            assert mark is not None, path
            name = (
                "支援調整会議 本人の同意にもとづく会議"
                if where == "meetings"
                else "支援会議 本人の同意によらない会議・守秘義務"
            )
            assert " ".join(mark.get_text(" ").split()) == name
        assert own in str(table.ours.get(f"/{where}").html.main)
        assert foreign not in str(table.ours.get(f"/{where}").html.main)
        assert table.ours.get(f"/{where}/{foreign}").status == 404


def test_a_conference_has_an_end_of_its_own_and_its_secrecy_is_accepted_first(table: Table) -> None:
    meeting = table.convene("conferences")
    assert at_hub(table).kind == "shien_kaigi"
    assert at_hub(table).until.isoformat() == "2026-10-31T15:00:00+00:00"
    assert "10月31日" in table.ours.get(f"/conferences/{meeting}").words
    table.round()
    path = f"/conferences/{at_hub(table).id}"
    unsure = table.theirs.post(f"{path}/accept")
    assert unsure.faults == ["secrecy"]
    assert table.partner.connector.agency not in at_hub(table).accepted
    assert "罰則" in unsure.words
    done = table.theirs.post(f"{path}/accept", {"secrecy": "yes"})
    assert "守秘義務を確認済み" in done.words
    assert table.partner.connector.agency in at_hub(table).accepted


def test_only_accepted_members_share_without_consent(table: Table) -> None:
    table.convene("conferences")
    table.round()
    table.theirs.post(f"/conferences/{at_hub(table).id}/accept", {"secrecy": "yes"})
    table.round()
    line = table.line("conferences")
    page = table.ours.get(line)
    assert "支援会議の構成員ではありません" in page.words  # the municipality, which has not accepted
    assert "1機関に届けました。" in table.send(line, "agenda").words
    table.round()
    with table.partner.connector.casebook.transaction() as connection:
        (paper,) = meeting_papers.papers(connection, forms=("meeting_agenda",))
        pen = table.partner.connector.pen("s-9")
        said = b"".join(part.body for part in receive.read(connection, paper.message, paper.sender, pen)).decode()
    assert PLAN in said
    assert HEALTH in said
    (referral,) = table.network.hub.referrals.values()
    assert referral.purpose == "shien_kaigi"


def test_a_member_tells_the_others_something_and_nobody_outside(table: Table) -> None:
    conference(table)
    met = at_hub(table).id
    table.send(table.line("conferences"), "agenda")
    table.round()
    page = table.theirs.get(f"/conferences/{met}/words/new")
    said = {"to": [table.office.connector.agency], "case": table.case, "category": "health", "said": WORD}
    done = table.theirs.send(page, said, form="main form[data-guard]")
    assert "1機関に届けました。" in done.words
    assert len(table.network.hub.referrals) == 2  # it went into the thread that the agenda's paper had begun
    table.round()
    ours = table.ours.get(f"/conferences/{table.meeting('conferences')}")
    assert "構成員から届いた情報" in ours.words
    link = ours.html.select_one("section[aria-labelledby=h-wor] a")
    assert link is not None
    opened = table.ours.send(table.ours.get(str(link["href"])), form="form[action$='/open']")
    assert WORD in opened.words
    assert WORD not in table.town.get(f"/conferences/{met}").words


def test_what_may_not_be_told_in_a_conference_is_refused(table: Table) -> None:
    meeting = table.convene("conferences")
    table.round()
    met = at_hub(table).id
    assert table.theirs.get(f"/conferences/{met}/words/new").status == 409  # its secrecy was not accepted
    table.theirs.post(f"/conferences/{met}/accept", {"secrecy": "yes"})
    table.round()
    page = table.theirs.get(f"/conferences/{met}/words/new")
    whole = {"to": [table.office.connector.agency], "number": "令8-0001", "category": "health", "said": WORD}
    for field, value, blamed in (
        ("to", [], "to"),
        ("to", [table.municipality.connector.agency], "to"),  # has not accepted
        ("category", "shoe_size", "category"),
        ("said", "", "said"),
        ("number", "令8-9999", "number"),
        ("number", "", "number"),
    ):
        refused = table.theirs.send(page, whole | {field: value}, form="main form[data-guard]")
        assert refused.status == 422, field
        assert blamed in refused.faults
    table.ours.post(f"/conferences/{meeting}/end")
    table.round()
    assert table.theirs.get(f"/conferences/{met}/words/new").status == 409
    coordination = table.convene()
    assert table.ours.get(f"/conferences/{coordination}/words/new").status == 404
    assert table.network.hub.referrals == {}


def test_what_a_conference_carries_does_not_open_the_other_meeting(table: Table) -> None:
    conference(table)
    table.convene()
    page = table.ours.get(table.line())
    seats = page.html.select("section[aria-labelledby=h-seat] .todo li")
    assert [("退席" in one.get_text(), "同席" in one.get_text()) for one in seats] == [(True, False), (True, False)]


def test_consent_for_the_other_meeting_does_not_open_a_conference(table: Table) -> None:
    table.agrees(table.partner)
    table.agrees(table.municipality)
    table.convene("conferences")
    table.round()
    page = table.ours.get(table.line("conferences"))
    assert "支援会議の構成員ではありません" in page.words
    assert not any("同席" in one.get_text() for one in page.html.select("section[aria-labelledby=h-seat] .todo li"))


def test_after_its_end_a_conference_carries_nothing(table: Table) -> None:
    meeting = conference(table)
    line = table.line("conferences")
    table.settle(line)
    table.ours.post(f"/conferences/{meeting}/end")
    late = table.ours.post(f"{line}/send", {"what": "minutes", "to": [table.partner.connector.agency]})
    assert late.status == 409
    assert table.network.hub.referrals == {}
    assert MINUTES not in repr(table.network.hub.messages)


def test_a_hub_that_does_not_let_us_convene_says_why(table: Table) -> None:
    meeting = table.convene("conferences")
    with table.office.connector.casebook.transaction() as connection:
        connection.execute(
            tables.outgoing.update()
            .where(tables.outgoing.c.what == "meeting")
            .values(state="refused", code="may-not-convene")
        )
        assert [one.about for one in refused(connection)] == [meeting]
    assert "支援会議を開く機関としてハブに登録されていません" in table.ours.get(f"/conferences/{meeting}").words
