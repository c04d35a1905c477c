# SPDX-License-Identifier: Apache-2.0
"""The verification as people see it: asked for, going on, sound, and all red when somebody edited the log."""

import io
from datetime import timedelta

import psycopg
import pytest

from consent.evidence.verify import verify_stream
from hub.audit import checking
from hub.audit import jobs as log_jobs
from hub.audit.reads import LogDamagedError
from hub.base.db import now
from hub.console import verify
from hub.staff.rules import Role
from hub.tasks import jobs as tasks_jobs
from tests.hub.messages.story import new_story


@pytest.fixture
def owner(hub_database):
    """The hand of somebody who owns the database and switches the guard off: what no role of ours may do."""
    url = hub_database.admin_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        yield connection


@pytest.fixture
def check(sequencer_database, jobs_database, signer):
    """Do what the worker does when it is woken for a check."""

    def run() -> bool:
        try:
            return log_jobs.check(sequencer_database, jobs_database, signer)
        except LogDamagedError as damage:
            with jobs_database.transaction(None) as session:
                tasks_jobs.tell_damage(session, damage)
            return False

    return run


@pytest.fixture
def told(database, jobs_database, sequence):
    story = new_story(database, jobs_database)
    story.consent()
    story.send("identity")
    sequence()
    return story


def english(looking):
    looking.get("/console/language/en")
    return looking


def test_nothing_was_checked_yet_and_that_is_said(signed_in):
    page = english(signed_in()).get("/console/verify").text
    assert "Never checked yet" in page
    assert 'role="alert"' not in page


def test_a_check_is_asked_for_waits_and_finds_the_log_sound(signed_in, told, check):
    looking = english(signed_in())
    answer = looking.send("/console/verify/now", seen="/console/verify")
    assert (answer.status_code, answer.location) == (303, "/console/verify")
    assert "waiting for the worker" in looking.get("/console/verify").text
    assert check()
    page = looking.soup("/console/verify")
    assert "Sound" in page.get_text()
    assert "none missing" in page.get_text()
    assert page.find("form", action="/console/verify/now")


def test_asking_twice_is_one_check(signed_in, told, check, jobs_database):
    looking = signed_in()
    for _ in range(3):
        looking.client.post("/console/verify/now", data={"csrf_token": looking.guard()})
    assert check()
    with jobs_database.transaction(None) as session:
        assert checking.open_one(session) is None


def test_how_far_a_check_is_stands_on_the_page(signed_in, told, jobs_database):
    looking = english(signed_in())
    looking.send("/console/verify/now", seen="/console/verify")
    with jobs_database.transaction(None) as session:
        taken = checking.take(session, now=now(session))
        assert taken is not None
        assert checking.take(session, now=now(session)) is None
    with jobs_database.transaction(None) as session:
        checking.advance(session, taken.id, looked=5000, size=12_000, now=now(session))
    page = looking.soup("/console/verify")
    assert "5,000 of 12,000 entries so far." in page.get_text()
    assert page.progress["value"] == "5000"
    assert page.find("form", action="/console/verify/now") is None


def test_a_check_that_a_dead_worker_had_is_taken_by_another(signed_in, jobs_database):
    signed_in().send("/console/verify/now")
    with jobs_database.transaction(None) as session:
        first = checking.take(session, now=now(session))
        again = checking.take(session, now=now(session) + timedelta(minutes=3))
    assert first is not None
    assert again is not None
    assert again.id == first.id


@pytest.mark.parametrize("role", Role)
def test_a_changed_entry_makes_a_red_page_for_everybody(signed_in, told, owner, check, role):
    looking = english(signed_in(role, agency=told.s1.id if role is Role.AGENCY_OFFICER else None))
    (place,) = owner.execute("select index from log_entries where kind = 'message:accepted'").fetchone()
    owner.execute("update log_entries set body = set_byte(body, 40, 120) where index = %s", [place])
    looking.send("/console/verify/now", seen="/console/verify")
    assert not check()
    page = looking.soup("/console/verify")
    alarm = page.select_one("section.alarm[role=alert]")
    assert "The log is not what was signed" in alarm.get_text()
    facts = [one.get_text(" ", strip=True) for one in page.select("dl.facts dd")]
    assert facts[0].startswith(f"{place} the entry was changed")
    assert facts[1].startswith("—") or int(facts[1].split()[0]) <= place
    assert int(facts[2]) == owner.execute("select count(*) from log_entries where index >= %s", [place]).fetchone()[0]
    assert "The operators’ list of tasks" in page.get_text()
    body = owner.execute("select body from log_entries where index = %s", [place]).fetchone()[0]
    assert body[40] == 120  # nothing was put right


def test_the_page_is_red_until_a_check_finds_the_log_sound_again(signed_in, told, owner, check):
    looking = english(signed_in())
    before = owner.execute("select index, body from log_entries where index = 3").fetchone()
    owner.execute("update log_entries set body = 'x' where index = 3")
    looking.send("/console/verify/now", seen="/console/verify")
    assert not check()
    assert not check()  # nobody asked again: it still stands
    owner.execute("update log_entries set body = %s where index = %s", [before[1], before[0]])
    looking.send("/console/verify/now", seen="/console/verify")
    assert check()
    assert 'class="alarm"' not in looking.get("/console/verify").text


@pytest.mark.parametrize("role", Role)
def test_the_first_page_says_how_the_log_stands(signed_in, told, owner, check, role):
    looking = english(signed_in(role, agency=told.s1.id if role is Role.AGENCY_OFFICER else None))

    def said():
        return looking.soup("/console").select(".kpi__n")[-1].get_text()

    assert said() == "Not checked"
    looking.send("/console/verify/now")
    check()
    assert said() == "Sound"
    owner.execute("update log_entries set body = 'x' where index = 3")
    looking.send("/console/verify/now")
    check()
    assert said() == "Damaged"


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("delete from log_entries where index = 3", "entry-missing"),
        ("delete from log_entries where index = (select max(index) from log_entries)", "size-differs"),
        ("update log_checkpoints set note = 'x' where size = (select max(size) from log_checkpoints)", "note-not-ours"),
        ("update log_hashes set hash = sha256('x') where level = 0 and index = 3", "entry-changed"),
    ],
)
def test_every_kind_of_damage_is_named(signed_in, told, owner, check, damage, code):
    looking = english(signed_in())
    owner.execute(damage)
    looking.send("/console/verify/now")
    assert not check()
    answer = looking.get("/console/verify")
    assert answer.status_code == 200
    assert f'<b class="mono">{code}</b>' in answer.text or "root-differs" in answer.text


def test_what_the_hub_finds_by_itself_is_noted_once_while_it_stays_the_same(
    told, sequencer_database, jobs_database, signer, owner
):
    def noted():
        with jobs_database.transaction(None) as session:
            return checking.newest(session)

    for _ in range(2):
        log_jobs.verify_and_note(sequencer_database, jobs_database, signer)
    first = noted()
    assert (first.outcome, first.asked_by) == ("sound", None)
    assert owner.execute("select count(*) from log_checks").fetchone()[0] == 1
    owner.execute("update log_entries set body = 'x' where index = 2")
    for _ in range(2):
        with pytest.raises(LogDamagedError):
            log_jobs.verify_and_note(sequencer_database, jobs_database, signer)
    assert (noted().outcome, noted().code, noted().place) == ("damaged", "entry-changed", 2)
    assert owner.execute("select count(*) from log_checks").fetchone()[0] == 2


def test_a_bundle_is_given_to_officers_and_auditors_and_is_logged(
    signed_in, told, sequence, owner, database, oversight
):
    oversight.givens.update(database.givens)  # the story's hub signs its receipts with a key of its own
    looking = signed_in()
    answer = looking.send("/console/verify/bundle", seen="/console/verify")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    found = verify_stream(io.BytesIO(answer.data))
    assert (found.exit_code, found.findings) == (0, ())
    assert found.head.size > 10
    sequence()
    assert owner.execute("select count(*) from log_entries where kind = 'export:made'").fetchone()[0] == 1
    operator = signed_in(Role.OPERATOR)
    assert operator.send("/console/verify/bundle").status_code == 403


def test_a_log_that_is_too_large_for_a_page_is_sent_to_the_command_line(signed_in, told, monkeypatch):
    monkeypatch.setattr(verify, "MOST_ENTRIES", 3)
    looking = english(signed_in())
    assert "tsunagi-hub audit bundle" in looking.get("/console/verify").text
    answer = looking.send("/console/verify/bundle")
    assert answer.status_code == 409


def test_while_the_log_is_recovered_the_console_says_so_and_shows_nothing(signed_in, told, owner):
    looking = english(signed_in())
    owner.execute("set session_replication_role = origin")
    owner.execute("insert into log_recovery values (true, 'ahead', 'witness.example', 900, now())")
    answer = looking.get("/console/verify")
    assert answer.status_code == 503
    assert "witness.example" in answer.text
    assert 'class="alarm"' in answer.text
    assert looking.get("/console/audit").status_code == 503
