# SPDX-License-Identifier: Apache-2.0
"""What an operator and an officer type: enrol, sign in, take an agency in together, stop it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consent.registration import write_registration
from hub.agencies import reads
from hub.base.config import Settings
from hub.base.db import Database, Duty
from hub.cli import main
from tests.hub.builders import ISSUER, TestAgency, active_agency, new_agency

PASSPHRASE = "a long made-up passphrase"

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("DATABASE_URL", settings.database_url.replace("postgresql+psycopg", "postgresql"))
    monkeypatch.setenv("TSUNAGI_ISSUER", ISSUER)
    monkeypatch.setenv("TSUNAGI_ENV", "test")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    secret = tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n", encoding="utf-8")

    def call(*arguments: str, person: str | None = None, typed: str = "") -> Result:
        signed = ("--staff", person, "--passphrase-file", str(secret)) if person else ()
        return CliRunner().invoke(main, [*arguments, *signed], input=typed)

    return call


@pytest.fixture
def people(run: Run) -> tuple[str, str]:
    """One operator and one officer, enrolled by typing a passphrase twice."""
    made = [run("staff", "enrol", role, typed=f"{PASSPHRASE}\n{PASSPHRASE}\n") for role in ("operator", "officer")]
    assert [result.exit_code for result in made] == [0, 0], made[0].output
    operator, officer = (result.output.split()[-1] for result in made)
    return operator, officer


@pytest.fixture
def file(tmp_path: Path) -> tuple[TestAgency, str]:
    """A registration as its connector wrote it."""
    agency = new_agency()
    path = tmp_path / "registration.json"
    path.write_bytes(write_registration(agency.registration(name_en="Kakuu Welfare Office")))
    return agency, str(path)


def state(database: Database, agency: TestAgency) -> str | None:
    with database.transaction(None, Duty.DIRECTORY) as session:
        known = reads.agency(session, agency.id)
    return None if known is None else known.state.value


def test_two_people_take_an_agency_in(
    run: Run, people: tuple[str, str], file: tuple[TestAgency, str], database: Database
) -> None:
    operator, officer = people
    agency, path = file
    assert run("agency", "register", path, person=operator).exit_code == 0
    assert run("agency", "confirm", agency.id, person=operator, typed=agency.words + "\n").output.endswith("pending\n")
    assert state(database, agency) == "pending"
    assert run("agency", "confirm", agency.id, person=officer, typed=agency.words + "\n").output.endswith("active\n")
    assert state(database, agency) == "active"
    listed = run("agency", "list").output
    assert agency.id in listed
    assert "Kakuu Welfare Office" in listed


def test_the_fingerprint_is_asked_for_and_never_shown(
    run: Run, people: tuple[str, str], file: tuple[TestAgency, str]
) -> None:
    agency, path = file
    outputs = [run("agency", "register", path, person=people[0]).output, run("agency", "list").output]
    wrong = run("agency", "confirm", agency.id, person=people[0], typed="no such words\n")
    assert wrong.exit_code == 1
    assert "fingerprint-wrong" in wrong.output
    shown = "".join([*outputs, wrong.output])
    assert agency.root.kid not in shown
    assert agency.words.split()[0] not in shown


def test_one_person_is_not_two(
    run: Run, people: tuple[str, str], file: tuple[TestAgency, str], database: Database
) -> None:
    agency, path = file
    run("agency", "register", path, person=people[0])
    run("agency", "confirm", agency.id, person=people[0], typed=agency.words + "\n")
    again = run("agency", "confirm", agency.id, person=people[0], typed=agency.words + "\n")
    assert "already-approved" in again.output
    assert state(database, agency) == "pending"


def test_a_wrong_passphrase_does_nothing_and_is_counted(run: Run, people: tuple[str, str], database: Database) -> None:
    agency = active_agency(database)
    for _ in range(10):
        refused = run("agency", "suspend", agency.id, "--staff", people[0], typed="wrong\n")
        assert (refused.exit_code, "sign-in-refused" in refused.output) == (1, True)
    locked = run("agency", "suspend", agency.id, person=people[0])
    assert "sign-in-refused" in locked.output
    assert state(database, agency) == "active"


def test_one_person_stops_an_agency_and_two_let_it_on(run: Run, people: tuple[str, str], database: Database) -> None:
    agency = active_agency(database)
    assert run("agency", "suspend", agency.id, person=people[0]).exit_code == 0
    assert state(database, agency) == "suspended"
    for person, then in zip(people, ("suspended", "active"), strict=True):
        assert run("agency", "resume", agency.id, person=person).exit_code == 0
        assert state(database, agency) == then


def test_two_people_allow_convening_and_end_a_key(run: Run, people: tuple[str, str], database: Database) -> None:
    agency = active_agency(database)
    for person in people:
        assert run("agency", "convening", agency.id, "--allow", person=person).exit_code == 0
        assert run("agency", "revoke-key", agency.id, agency.enc.kid, person=person).exit_code == 0
    with database.transaction(None, Duty.DIRECTORY) as session:
        known = reads.agency(session, agency.id)
        (ended,) = [key for key in reads.keys(session, agency.id) if key.kid == agency.enc.kid]
    assert known is not None
    assert known.may_convene
    assert ended.ended_by == "staff"


def test_a_name_like_anothers_needs_the_operators_word(
    run: Run, people: tuple[str, str], file: tuple[TestAgency, str], database: Database
) -> None:
    active_agency(database, name_en="Kаkuu Welfare Office")  # Cyrillic а
    refused = run("agency", "register", file[1], person=people[0])
    assert "confusable-name" in refused.output
    assert run("agency", "register", file[1], "--name-checked", person=people[0]).exit_code == 0


def test_who_has_left_is_not_listed_and_does_nothing(run: Run, people: tuple[str, str], database: Database) -> None:
    agency = active_agency(database)
    assert people[1] in run("staff", "list").output
    assert run("staff", "close", people[1]).exit_code == 0
    assert people[1] not in run("staff", "list").output
    assert "sign-in-refused" in run("agency", "suspend", agency.id, person=people[1]).output


@pytest.mark.parametrize("name", ["x", "01890000-0000-7000-8000-0000000000ff"])
def test_an_agency_that_is_not_there_is_said_so(run: Run, people: tuple[str, str], name: str) -> None:
    refused = run("agency", "suspend", name, person=people[0])
    assert (refused.exit_code, "not-found" in refused.output) == (1, True)


def test_a_file_that_is_no_registration_is_refused(run: Run, people: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text("[]", encoding="utf-8")
    refused = run("agency", "register", str(path), person=people[0])
    assert (refused.exit_code, "malformed-json" in refused.output) == (1, True)


def test_a_key_whose_name_begins_with_a_hyphen_is_no_option(run: Run, people: tuple[str, str]) -> None:
    refused = run("agency", "revoke-key", "01890000-0000-7000-8000-0000000000ff", "-" + "x" * 42, person=people[0])
    assert (refused.exit_code, "not-found" in refused.output) == (1, True)


def test_an_auditor_is_enrolled_without_a_passphrase_and_gets_a_code(run: Run) -> None:
    done = run("staff", "enrol", "auditor", "--passkey")
    person, code = done.output.split()
    assert (done.exit_code, len(code)) == (0, 24)
    again = run("staff", "code", person)
    assert again.exit_code == 0
    assert again.output.strip() not in {"", code}
    assert f"{person}  auditor" in run("staff", "list").output


def test_an_officer_of_an_agency_is_enrolled_for_an_agency_that_is_there(run: Run, database: Database) -> None:
    agency = active_agency(database)
    done = run("staff", "enrol", "agency_officer", "--passkey", "--agency", agency.id)
    assert done.exit_code == 0, done.output
    for wrong in (("--agency", "01900000-0000-7000-8000-00000000dead"), ("--agency", "x"), ()):
        assert run("staff", "enrol", "agency_officer", "--passkey", *wrong).exit_code == 1
    assert "(role-needs-agency)" in run("staff", "enrol", "officer", "--passkey", "--agency", agency.id).output


def test_a_role_is_changed_but_not_into_one_that_has_no_passphrase(run: Run, people: tuple[str, str]) -> None:
    operator, _ = people
    assert run("staff", "role", operator, "officer").exit_code == 0
    assert f"{operator}  officer" in run("staff", "list").output
    refused = run("staff", "role", operator, "auditor")
    assert (refused.exit_code, "(role-without-passphrase)" in refused.output) == (1, True)
    assert run("staff", "role", "01900000-0000-7000-8000-00000000dead", "officer").exit_code == 1


def test_nobody_is_given_a_code_who_is_not_there_or_has_left(run: Run, people: tuple[str, str]) -> None:
    operator, _ = people
    run("staff", "close", operator)
    assert run("staff", "code", operator).exit_code == 1
    assert run("staff", "code", "x").exit_code == 1
