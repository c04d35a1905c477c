# SPDX-License-Identifier: Apache-2.0
"""A referral exists for its sender, its receiver and its coordinator, and for nobody else (TEN rows)."""

import pytest
import sqlalchemy as sa

from hub.referrals import tables
from hub.web.paging import encode_cursor
from tests.hub.builders import active_agency
from tests.hub.referrals.play import Play

ALL = (tables.referrals, tables.moves, tables.accompaniments, tables.follow_ups)
TABLES = tuple(table.name for table in ALL)
NOTHING = "00000000-0000-7000-8000-000000000000"


def full(play: Play) -> str:
    referral = play.brought("closed")
    body = {
        "state": "agreed",
        "on": "2026-04-08",
        "role": "counsellor",
        "destination": play.s1.id,
        "purpose": "apply",
    }
    assert play.call(play.j1, f"/v1/referrals/{referral}/accompaniments", body).status_code == 201
    return referral


def counts(play: Play, agency: str | None) -> dict[str, int]:
    with play.story.database.transaction(agency) as session:
        counted = {t.name: sa.select(sa.func.count()).select_from(t) for t in ALL}
        return {name: session.execute(statement).scalar_one() for name, statement in counted.items()}


def test_both_sides_see_all_of_it_and_others_no_row(play: Play) -> None:
    full(play)
    assert counts(play, play.j1.id) == counts(play, play.s1.id) == dict(zip(TABLES, (1, 4, 1, 1), strict=True))
    assert set(counts(play, play.f1.id).values()) == {0}


def test_without_an_agency_there_is_no_row(play: Play) -> None:
    """TEN-07."""
    full(play)
    assert set(counts(play, None).values()) == {0}


def test_a_coordinator_that_is_neither_side_sees_it(play: Play) -> None:
    referral = play.sent()
    centre = active_agency(play.story.database, "jiritsu", coordinates=True)
    assert play.client.by(centre.id).get(f"/v1/referrals/{referral}").status_code == 404
    play.story.consent(hub_parties=frozenset({play.j1.id, centre.id}), partners=frozenset({play.f1.id}))
    own = play.send(sender=centre, recipient=play.f1)["id"]
    assert play.get(centre, own)["coordinator"] == centre.id


@pytest.mark.parametrize("table", TABLES)
def test_every_table_forces_its_policies(play: Play, table) -> None:
    found = play.rows("select relrowsecurity, relforcerowsecurity from pg_class where relname = :t", t=table)
    assert found == [(True, True)]


@pytest.mark.parametrize("column", ["sender", "recipient", "coordinator", "root", "thread", "case_handle", "id"])
def test_a_referral_never_moves_to_another_agency(play: Play, column) -> None:
    """TEN-09."""
    referral = play.sent()
    for agency in (play.j1, play.s1):
        moved = sa.update(tables.referrals).where(tables.referrals.c.id == referral).values({column: agency.id})
        with (
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            play.story.database.transaction(agency.id) as session,
        ):
            session.execute(moved)


def test_nobody_deletes_or_rewrites_what_happened(play: Play) -> None:
    full(play)
    statements = [*map(sa.delete, ALL), sa.update(tables.moves).values(event="accept")]
    for statement in statements:
        with (
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            play.story.database.transaction(play.j1.id) as session,
        ):
            session.execute(statement)


def test_nobody_writes_a_move_or_a_follow_up_in_anothers_name(play: Play) -> None:
    referral = play.sent()
    move = {"referral": referral, "version": 9, "event": "accept", "frm": "requested", "to": "accepted", "role": "R"}
    move |= {"agency": play.s1.id, "at": play.story.time(), "body_digest": "", "facts": {}, "entry": NOTHING}
    follow_up = {"referral": referral, "n": 9, "agency": play.s1.id, "due_on": play.story.time().date()}
    follow_up |= {"set_at": play.story.time(), "body_digest": ""}
    for forged in (sa.insert(tables.moves).values(move), sa.insert(tables.follow_ups).values(follow_up)):
        with (
            pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
            play.story.database.transaction(play.j1.id) as session,
        ):
            session.execute(forged)


def test_two_balls_cannot_be_stored(play: Play) -> None:
    referral = play.brought("closed")
    c = tables.referrals.c
    two = sa.update(tables.referrals).where(c.id == referral).values(ball=c.sender)
    with (
        pytest.raises(sa.exc.IntegrityError, match="one_ball"),
        play.story.database.transaction(play.j1.id) as session,
    ):
        session.execute(two)


@pytest.mark.parametrize("path", ["", "/messages", "/accompaniments", "/follow-ups", "/follow-ups/1/done"])
def test_anothers_referral_answers_byte_for_byte_like_none(play: Play, path) -> None:
    """TEN-01."""
    referral = full(play)
    bodies = {
        "/messages": {"manifest": "a.b.c", "parts": []},
        "/accompaniments": {
            "state": "agreed",
            "on": "2026-04-08",
            "role": "counsellor",
            "destination": play.s1.id,
            "purpose": "apply",
        },
        "/follow-ups": {"preset": "1m"},
        "/follow-ups/1/done": {"channel": "letter", "asked": ["person"], "result": "connected"},
    }
    stranger = play.client.by(play.f1.id)
    answers = [
        stranger.get(f"/v1/referrals/{one}") if not path else stranger.say(f"/v1/referrals/{one}{path}", bodies[path])
        for one in (referral, NOTHING)
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].data == answers[1].data


def test_a_list_gives_the_callers_own_by_role_state_and_time(play: Play) -> None:
    referral = play.brought("accepted")

    def ids(agency, query: str) -> list[str]:
        answer = play.client.by(agency.id).get(f"/v1/referrals?{query}")
        assert answer.status_code == 200, answer.get_json()
        return [one["id"] for one in answer.get_json()["items"]]

    assert ids(play.j1, "role=sender&state=accepted") == [referral]
    assert ids(play.j1, "role=recipient") == []
    assert ids(play.s1, "role=recipient") == [referral]
    assert ids(play.s1, "state=closed") == []
    assert ids(play.f1, "") == []
    assert ids(play.j1, "updated_after=2026-04-06T00:00:00Z") == [referral]
    assert ids(play.j1, "updated_after=2026-04-07T00:00:00Z") == []
    assert ids(play.j1, f"case={play.story.case}") == [referral]


def test_a_list_is_read_page_by_page_without_gaps(play: Play) -> None:
    play.story.consent(purposes=frozenset({"koguchi_shikin", "sogo_shien_shikin", "shokuryo"}))
    sent = [play.send(purpose=purpose)["id"] for purpose in ("koguchi_shikin", "sogo_shien_shikin", "shokuryo")]
    client, seen, cursor = play.client.by(play.s1.id), [], ""
    while cursor is not None:
        got = client.get(f"/v1/referrals?limit=2{cursor and f'&cursor={cursor}'}").get_json()
        seen += [one["id"] for one in got["items"]]
        cursor = got["next_cursor"]
    assert seen == sent


@pytest.mark.parametrize(
    "query", ["role=king", "state=nowhere", "limit=0", "agency=x", "updated_after=2026-04-06", "cursor=x"]
)
def test_a_list_refuses_what_it_does_not_know(play: Play, query) -> None:
    """TEN-05."""
    assert play.client.by(play.j1.id).get(f"/v1/referrals?{query}").status_code == 400


@pytest.mark.parametrize(
    "key", [("yesterday", NOTHING), ("2026-04-06T00:00:00", NOTHING), ("2026-04-06T00:00:00Z", "x")]
)
def test_a_cursor_of_another_form_is_refused(play: Play, key) -> None:
    answer = play.client.by(play.j1.id).get(f"/v1/referrals?cursor={encode_cursor(*key)}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad-cursor")


def test_another_tenants_cursor_finds_nothing(play: Play) -> None:
    """TEN-03."""
    play.story.consent(purposes=frozenset({"koguchi_shikin", "sogo_shien_shikin"}))
    for purpose in ("koguchi_shikin", "sogo_shien_shikin"):
        play.send(purpose=purpose)
    cursor = play.client.by(play.j1.id).get("/v1/referrals?limit=1").get_json()["next_cursor"]
    assert play.client.by(play.f1.id).get(f"/v1/referrals?limit=1&cursor={cursor}").get_json()["items"] == []


def test_nothing_that_is_shown_is_content(play: Play) -> None:
    referral = full(play)
    text = play.client.by(play.s1.id).get(f"/v1/referrals/{referral}").get_data(as_text=True)
    assert "Kakuu" not in text
    assert "ciphertext" not in text


def test_a_token_without_the_scope_does_not_get_in(play: Play) -> None:
    referral = play.sent()
    reader = play.client.by(play.s1.id, "referrals:read")
    assert reader.get(f"/v1/referrals/{referral}").status_code == 200
    body = {"worker": "u-201", "worker_role": "counsellor", "next_on": "2026-04-08"}
    refused = reader.say(f"/v1/referrals/{referral}/accept", body, if_match=1)
    assert (refused.status_code, refused.get_json()["code"]) == (403, "insufficient-scope")
