# SPDX-License-Identifier: Apache-2.0
"""Who sits at a line of an agenda, what is on the table, and what of a meeting reaches the hub."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connectors.casebook import agenda, meeting_papers, meetings, outgoing, seating
from connectors.casebook.agenda import Outcome
from connectors.casebook.meeting_papers import Answer, Slip
from connectors.casebook.meetings import Meeting, Member
from connectors.casebook.seating import Seat
from connectors.sync.connector import Connector
from consent.decisions import Reason, Refused, Remedy
from consent.vocabulary.codes import CATEGORIES, CODE_LISTS
from tests.connectors.story import NOW, STAFF, consent, open_case, refused

REFUSED = Refused(reason=Reason.PARTY_NOT_COVERED, scope=None, remedy=Remedy.ADD_PARTNER, path=("consent",))
SEEN = st.frozensets(st.sampled_from(sorted(CATEGORIES)))


def seat(agency: str, permitted: frozenset[str]) -> Seat:
    return Seat(agency=agency, permitted=permitted, refused=dict.fromkeys(CATEGORIES - permitted, REFUSED))


def convene(connector: Connector, other: Connector, kind: str = seating.COORDINATION) -> Meeting:
    made = Meeting(
        id=connector.new_id(), hub_id=None, kind=kind, held_at=NOW + timedelta(days=7),
        until=NOW + timedelta(days=30), place="架空の会議室", purpose="", ended_at=None, convened_at=NOW,
        members=(Member(agency=other.agency, person="", attended=None),),
    )  # fmt: skip
    with connector.casebook.transaction() as connection:
        meetings.convene(connection, connector.pen(STAFF), made)
    return made


@given(st.lists(SEEN, max_size=5), SEEN)
def test_what_is_on_the_table_is_seen_by_each_who_stays_and_by_nobody_else(
    seen: list[frozenset[str]], wanted: frozenset[str]
) -> None:
    seats = [seat(f"a{n}", one) for n, one in enumerate(seen)]
    staying = [one for one in seats if one.leaves is None]
    shown = seating.shared(seats, wanted)
    assert set(shown) <= wanted
    assert all(set(shown) <= one.permitted for one in staying)
    # nothing more could be shown
    assert all(any(left not in one.permitted for one in staying) for left in wanted - set(shown))
    assert list(shown) == [one for one in CODE_LISTS["categories"] if one in shown]


@given(SEEN)
def test_a_member_stays_just_where_it_may_know_who_it_is_and_what_is_planned(seen: frozenset[str]) -> None:
    assert (seat("a", seen).leaves is None) == ({"identity", "support_record"} <= seen)


def test_a_meeting_of_ours_waits_for_the_hub_and_then_has_its_id(j1: Connector, s1: Connector) -> None:
    made = convene(j1, s1)
    with j1.casebook.transaction() as connection:
        assert meetings.meeting(connection, made.id).hub_id is None
    j1.sync()
    with j1.casebook.transaction() as connection:
        known = meetings.meeting(connection, made.id)
        assert known.hub_id is not None
        assert meetings.meeting(connection, known.hub_id) == known
    s1.sync()
    with s1.casebook.transaction() as connection:
        (asked,) = meetings.invitations(connection, seating.COORDINATION, s1.agency)
        assert meetings.invitations(connection, seating.CONFERENCE, s1.agency) == []
        assert (asked.convenor, asked.members) == (j1.agency, (s1.agency,))


def test_what_waits_for_the_hub_about_a_meeting_is_codes(j1: Connector, s1: Connector) -> None:
    made, case = convene(j1, s1), open_case(j1)
    with j1.casebook.transaction() as connection:
        pen = j1.pen(STAFF)
        line, _ = agenda.put_on_agenda(connection, pen, made, case=case, categories=["health"])
        said = Outcome(
            decision="adopted", missing="架空の不足", minutes={"support_record": "架空の議事"}, next_on=date(2026, 6, 1)
        )
        agenda.settle(connection, pen, made, line, said)
        rows = [row for row in outgoing.waiting(connection) if row.what.startswith("meeting")]
    assert [row.body.get("item") for row in rows] == [None, {"code": "case"}, {"code": "adopted"}]
    assert "架空" not in repr([row.body for row in rows])


def test_a_line_says_its_outcome_again_as_it_was_written(j1: Connector, s1: Connector) -> None:
    made, case = convene(j1, s1), open_case(j1)
    said = Outcome(
        checks={"fit": "yes", "solving": "no", "motivation": "partly"}, missing="架空の居場所", decision="continued",
        next_on=date(2026, 6, 1), indicator="架空の目安", services={"other": "beside"}, minutes={"health": "架空 髙﨑"},
    )  # fmt: skip
    with j1.casebook.transaction() as connection:
        pen = j1.pen(STAFF)
        line, _ = agenda.put_on_agenda(connection, pen, made, case=case, categories=["health"])
        agenda.settle(connection, pen, made, line, said)
        assert agenda.line(connection, line.id).outcome == said
        assert agenda.settle(connection, pen, made, agenda.line(connection, line.id), said) is None


def test_the_case_is_named_at_the_hub_only_where_each_member_may_know(j1: Connector, s1: Connector) -> None:
    made, case = convene(j1, s1), open_case(j1)
    consent(
        j1, case, s1.agency, purposes=frozenset({"case_conference"}),
        categories=frozenset({"identity", "support_record"}),
    )  # fmt: skip
    j1.sync()
    with j1.casebook.transaction() as connection:
        held = meetings.meeting(connection, made.id)
        agenda.put_on_agenda(connection, j1.pen(STAFF), held, case=case, categories=[])
        (row,) = outgoing.waiting(connection)
    assert row.body["item"] == {"code": "case", "case": case}


def test_what_cannot_be_done_with_a_meeting_is_refused(j1: Connector, s1: Connector) -> None:
    made, case = convene(j1, s1), open_case(j1)
    pen = j1.pen(STAFF)
    with j1.casebook.transaction() as connection:
        line, _ = agenda.put_on_agenda(connection, pen, made, case=case, categories=[])
    with refused("case-twice"), j1.casebook.transaction() as connection:
        agenda.put_on_agenda(connection, pen, made, case=case, categories=[])
    with refused("case-unknown"), j1.casebook.transaction() as connection:
        agenda.put_on_agenda(connection, pen, made, case="none", categories=[])
    with j1.casebook.transaction() as connection:
        meetings.end(connection, pen, made)
        ended = meetings.meeting(connection, made.id)
    for deed in (
        lambda connection: meetings.end(connection, pen, ended),
        lambda connection: agenda.settle(connection, pen, ended, line, Outcome(decision="adopted")),
        lambda connection: meetings.note_member(connection, pen, ended, agency=s1.agency, person="", attended=True),
    ):
        with refused("meeting-ended"), j1.casebook.transaction() as connection:
            deed(connection)
    for code, look in (
        ("meeting-unknown", lambda connection: meetings.meeting(connection, "none")),
        ("meeting-unknown", lambda connection: meetings.invited(connection, "none", j1.agency)),
        ("line-unknown", lambda connection: agenda.line(connection, "none")),
    ):
        with refused(code), j1.casebook.transaction() as connection:
            look(connection)


@given(st.text(max_size=40), st.dictionaries(st.sampled_from(["other", "legal"]), st.just("beside")))
def test_a_slip_is_read_as_it_was_written(said: str, services: dict[str, str]) -> None:
    slip = Slip(form=meeting_papers.MINUTES, meeting="m", kind="shien_chosei_kaigi", line="l", services=services)
    body = meeting_papers.write(slip, [Answer(field="minutes", ja="議事", en="Minutes", value=said)])
    assert meeting_papers.slip_in(meeting_papers.MEDIA, body) == slip


@given(st.binary(max_size=60) | st.sampled_from([b"{}", b'{"form":"meeting_minutes","slip":{}}', b"[]", b"null"]))
def test_what_is_no_slip_is_none(body: bytes) -> None:
    assert meeting_papers.slip_in(meeting_papers.MEDIA, body) is None
    assert meeting_papers.slip_in("text/plain", body) is None
