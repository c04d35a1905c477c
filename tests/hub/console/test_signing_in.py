# SPDX-License-Identifier: Apache-2.0
"""Coming in by passkey or one-time code, staying for a while, going; and everything that must not let anybody in."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from hub.base.db import Duty, now
from hub.staff import invitations, jobs, service, sessions
from hub.staff.rules import IDLE, LONGEST, TRIES, Role
from hub.web.work import EXTENSION
from tests.hub.console.conftest import SESSION
from tests.hub.console.device import Device


@pytest.fixture
def invited(database):
    def invite(role=Role.OFFICER):
        with database.transaction(None, Duty.SIGN_IN) as session:
            staff_id = service.enrol(session, role, None, now=now(session))
            return staff_id, invitations.invite(session, staff_id, now=now(session))

    return invite


@pytest.fixture
def kinds(sequence, hub_database):
    """Give the kinds of the log's entries so far."""

    def read():
        sequence()
        engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
        with engine.connect() as connection:
            return list(connection.execute(sa.text("select kind from log_entries order by index")).scalars())

    return read


def with_code(looking, code, **fields):
    return looking.send("/console/signin", {"code": code, **fields}, seen="/console/signin")


def makes_passkey(looking) -> Device:
    device = Device()
    options = looking.say("/console/passkeys/options", {}).json
    answer = looking.say("/console/passkeys", {"credential": device.made(options)})
    assert answer.status_code == 200, answer.text
    return device


def shows(visitor, device, **more):
    options = visitor.say("/console/passkey/options", {}, seen="/console/signin").json
    body = {"credential": device.shown(options), **more}
    return visitor.say("/console/passkey", body, seen="/console/signin")


def test_a_one_time_code_lets_a_person_in_once_and_a_passkey_made_then_lets_them_in_again(visitor, invited, kinds):
    _, code = invited()
    answer = with_code(visitor, code.lower().replace("-", " "))
    assert (answer.status_code, answer.location) == (303, "/console/me?said=make-passkey")
    device = makes_passkey(visitor)
    visitor.send("/console/signout")
    assert visitor.get("/console/me").location.startswith("/console/signin")
    assert with_code(visitor, code).status_code == 422
    answer = shows(visitor, device, next="/console/me")
    assert (answer.status_code, answer.json) == (200, {"to": "/console/me"})
    assert visitor.get("/console/me").status_code == 200
    assert kinds() == [
        "staff:enrolled", "role:given", "staff:invited", "staff:signed_in", "staff:passkey_made", "staff:signed_in",
    ]  # fmt: skip


def test_a_code_ends_after_a_day_and_when_another_one_is_given(visitor, invited, database):
    staff_id, first = invited()
    with database.transaction(None, Duty.SIGN_IN) as session:
        second = invitations.invite(session, staff_id, now=now(session))
    assert with_code(visitor, first).status_code == 422
    with database.transaction(None, Duty.SIGN_IN) as session:
        late = now(session) + timedelta(hours=24)
        assert invitations.redeem(session, second, source="x", now=late) is None
    assert with_code(visitor, second).status_code == 303


def test_web_15_after_ten_wrong_codes_an_address_waits_and_is_not_locked_for_ever(visitor, invited, database):
    _, code = invited()
    for _ in range(TRIES):
        assert with_code(visitor, "WRONG-CODE").status_code == 422
    answer = with_code(visitor, code)
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 601
    with database.transaction(None, Duty.SIGN_IN) as session:
        later = now(session) + timedelta(minutes=11)
        assert invitations.redeem(session, code, source="127.0.0.1", now=later) is not None


def test_web_15_after_ten_wrong_passkeys_a_person_waits(visitor, invited, database):
    _, code = invited()
    with_code(visitor, code)
    device = makes_passkey(visitor)
    visitor.send("/console/signout")
    other = Device(credential=device.credential)
    for _ in range(TRIES):
        assert shows(visitor, other).status_code == 422
    assert shows(visitor, device).status_code == 429


@pytest.mark.parametrize(
    "wrong",
    [{"origin": "https://elsewhere.example"}, {"host": "elsewhere.example"}, {"counter": -1}],
    ids=["origin", "relying party", "counter going back"],
)
def test_web_17_a_passkey_from_elsewhere_or_copied_is_refused_and_logged(visitor, invited, kinds, wrong):
    _, code = invited()
    with_code(visitor, code)
    device = makes_passkey(visitor)
    visitor.send("/console/signout")
    assert shows(visitor, device).status_code == 200
    visitor.send("/console/signout")
    for name, value in wrong.items():
        setattr(device, name, value)
    answer = shows(visitor, device)
    assert answer.status_code == 422
    assert SESSION not in str(answer.headers)
    assert kinds()[-1] == "staff:passkey_refused"


def test_web_17_a_challenge_counts_once_and_for_its_own_browser(visitor, invited, console):
    _, code = invited()
    with_code(visitor, code)
    device = makes_passkey(visitor)
    visitor.send("/console/signout")
    options = visitor.say("/console/passkey/options", {}, seen="/console/signin").json
    body = {"credential": device.shown(options)}
    stranger = type(visitor)(client=console.test_client())
    assert stranger.say("/console/passkey", body, seen="/console/signin").status_code == 422
    assert visitor.say("/console/passkey", body, seen="/console/signin").status_code == 200
    visitor.send("/console/signout")
    assert visitor.say("/console/passkey", body, seen="/console/signin").status_code == 422


@pytest.mark.parametrize(
    "body", [{}, {"credential": 1}, {"credential": {"id": "x"}}, {"credential": {"response": {"clientDataJSON": "%"}}}]
)
def test_half_an_answer_of_a_device_is_refused(visitor, body):
    assert visitor.say("/console/passkey", body, seen="/console/signin").status_code == 422


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"[" * 10_000, b"\xff", b'"' + b"x" * 50_000 + b'"']
)
def test_what_is_no_json_is_refused(visitor, raw):
    headers = {"X-CSRFToken": visitor.guard("/console/signin"), "Content-Type": "application/json"}
    answer = visitor.client.post("/console/passkey", data=raw, headers=headers)
    assert answer.status_code == 400
    assert answer.json["said"]


def test_web_04_a_session_is_new_after_sign_in_and_the_old_one_is_dead(visitor, invited, console):
    _, code = invited()
    with_code(visitor, code)
    old = visitor.client.get_cookie(SESSION, domain="hub.example").value
    device = makes_passkey(visitor)
    assert shows_with(visitor, device).status_code == 200
    new = visitor.client.get_cookie(SESSION, domain="hub.example").value
    assert new != old
    thief = console.test_client()
    thief.set_cookie(SESSION, old, domain="hub.example")
    assert thief.get("/console/me").status_code == 303


def shows_with(looking, device):
    """Show a passkey while signed in: the page of sign-in sends one on, but its script's door is open."""
    options = looking.say("/console/passkey/options", {}).json
    return looking.say("/console/passkey", {"credential": device.shown(options)})


def test_web_06_ten_idle_minutes_or_four_hours_end_a_session(database):
    with database.transaction(None, Duty.SIGN_IN) as session:
        begun = now(session)
        staff_id = service.enrol(session, Role.OFFICER, None, now=begun)
        token = sessions.begin(session, staff_id, now=begun)
        at = begun
        while at + IDLE - timedelta(seconds=1) < begun + LONGEST:
            at += IDLE - timedelta(seconds=1)
            assert sessions.standing(session, token, now=at) is not None
        assert sessions.standing(session, token, now=begun + LONGEST) is None
        other = sessions.begin(session, staff_id, now=begun)
        assert sessions.standing(session, other, now=begun + IDLE) is None
    assert (timedelta(minutes=10), timedelta(hours=4)) == (IDLE, LONGEST)


def test_the_worker_forgets_what_nobody_can_come_in_by(signed_in, visitor, jobs_database, hub_database):
    signed_in()
    with_code(visitor, "WRONG-CODE")
    visitor.say("/console/passkey/options", {}, seen="/console/signin")

    def left():
        engine = sa.create_engine(hub_database.admin_url, poolclass=sa.NullPool)
        tables = ("staff_sessions", "staff_challenges", "staff_sources")
        with engine.connect() as connection:
            return [connection.execute(sa.text(f"select count(*) from {name}")).scalar_one() for name in tables]  # noqa: S608

    for later, expected in ((timedelta(minutes=1), [1, 1, 1]), (timedelta(hours=9), [0, 0, 0])):
        with jobs_database.transaction(None) as session:
            jobs.tidy(session, now=now(session) + later)
        assert left() == expected


def test_who_left_or_has_another_role_is_signed_out_at_once(signed_in, database):
    looking = signed_in()
    with database.transaction(None, Duty.SIGN_IN) as session:
        service.give_role(session, looking.staff_id, Role.AUDITOR, now=now(session))
    assert looking.get("/console/me").status_code == 303
    other = signed_in()
    with database.transaction(None, Duty.SIGN_IN) as session:
        service.close(session, other.staff_id, now=now(session))
    assert other.get("/console/me").status_code == 303


def test_sign_out_everywhere_ends_every_session(signed_in, database, console):
    looking = signed_in()
    with database.transaction(None, Duty.SIGN_IN) as session:
        elsewhere = sessions.begin(session, looking.staff_id, now=now(session))
    looking.send("/console/signout", {"everywhere": "1"})
    client = console.test_client()
    client.set_cookie(SESSION, elsewhere, domain="hub.example")
    assert client.get("/console/me").status_code == 303


def test_the_last_passkey_stays(signed_in):
    looking = signed_in()
    first = makes_passkey(looking)
    answer = looking.send("/console/passkeys/remove", {"passkey": first.id})
    assert answer.location == "/console/me?said=passkey-last"
    second = makes_passkey(looking)
    answer = looking.send("/console/passkeys/remove", {"passkey": first.id})
    assert answer.location == "/console/me?said=passkey-removed"
    page = looking.get("/console/me").text
    assert second.id[:12] in page
    assert first.id[:12] not in page


def test_a_passkey_of_somebody_else_is_not_removed(signed_in):
    mine, other = signed_in(), signed_in()
    makes_passkey(mine)
    makes_passkey(mine)
    theirs = makes_passkey(other)
    mine.send("/console/passkeys/remove", {"passkey": theirs.id})
    assert theirs.id[:12] in other.get("/console/me").text


def test_web_01_a_form_without_its_guard_or_with_another_ones_is_refused(signed_in):
    mine, other = signed_in(), signed_in()
    for fields in ({}, {"csrf_token": "0" * 64}, {"csrf_token": other.guard()}, {"csrf_token": "鍵"}):
        answer = mine.client.post("/console/signout", data=fields)
        assert answer.status_code == 403, fields
    answer = mine.client.post(f"/console/signout?csrf_token={mine.guard()}")
    assert answer.status_code == 403
    assert mine.get("/console/me").status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_web_01_a_form_from_another_site_is_refused_whatever_it_carries(signed_in, headers):
    looking = signed_in()
    assert looking.send("/console/signout", headers=headers).status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "null"}, {"Origin": "https://hub.example"}, {"Sec-Fetch-Site": "none"}])
def test_a_form_as_browsers_send_it_is_taken(signed_in, headers):
    assert signed_in().send("/console/signout", headers=headers).status_code == 303


def test_web_03_signing_somebody_in_from_another_site_is_refused(visitor, invited, console):
    _, code = invited()
    stranger = type(visitor)(client=console.test_client())
    answer = visitor.client.post(
        "/console/signin", data={"code": code, "csrf_token": stranger.guard("/console/signin")}
    )
    assert answer.status_code == 403
    assert SESSION not in str(answer.headers)


@pytest.mark.parametrize(
    "wish",
    [
        "//evil",
        "/\\evil",
        "https:evil",
        "https://evil",
        "/v1/docs",
        "/consolex",
        "\n/console",
        "/console/../v1",
        "http://[",
        "ｆ",
    ],
)
def test_web_10_nobody_is_led_elsewhere(signed_in, wish):
    looking = signed_in()
    answer = looking.client.get("/console/signin", query_string={"next": wish})
    assert answer.status_code == 303
    assert answer.location == "/console"


def test_a_hub_at_a_bare_number_says_that_there_are_no_passkeys(console, settings):
    hub = console.extensions[EXTENSION]
    console.extensions[EXTENSION] = replace(hub, settings=replace(settings, issuer="http://127.0.0.1:8080"))
    client = console.test_client()
    page = client.get("/console/signin", base_url="http://127.0.0.1:8080").text
    assert "data-passkey=" not in page
    assert "localhost" in page


def test_options_name_nobody(signed_in):
    looking = signed_in()
    options = json.dumps(looking.say("/console/passkeys/options", {}).json)
    assert f"officer {looking.staff_id[:8]}" in options
