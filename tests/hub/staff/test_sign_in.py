# SPDX-License-Identifier: Apache-2.0
"""People of the hub: enrolling, signing in, being locked out, leaving."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from hub.base.db import Database, Duty, now
from hub.base.errors import InvalidError, NotFoundError
from hub.staff import reads, service
from hub.staff.rules import TRIES, WINDOW, Role, Tries, after_failure, is_locked

PASSPHRASE = "架空の市のとても長い合言葉"
CHEAP = 64
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def enrolled(database: Database, role: Role = Role.OPERATOR) -> str:
    with database.transaction(None, Duty.SIGN_IN) as session:
        return service.enrol(session, role, PASSPHRASE, now=now(session), memory_kib=CHEAP)


def signs_in(database: Database, staff: str, passphrase: str, later: timedelta = timedelta()) -> bool:
    with database.transaction(None, Duty.SIGN_IN) as session:
        return service.check(session, staff, passphrase, now=now(session) + later) is not None


def test_the_right_passphrase_gives_the_person_and_the_role(database: Database) -> None:
    staff = enrolled(database, Role.OFFICER)
    with database.transaction(None, Duty.SIGN_IN) as session:
        member = service.check(session, staff, PASSPHRASE, now=now(session))
        assert member is not None
        assert (member.id, member.role) == (staff, Role.OFFICER)
        assert reads.members(session) == (member,)


def test_another_keyboards_way_to_write_the_same_letters_is_taken(database: Database) -> None:
    decomposed = unicodedata.normalize("NFD", "ガギグゲゴの長い合言葉です")
    with database.transaction(None, Duty.SIGN_IN) as session:
        staff = service.enrol(session, Role.OPERATOR, decomposed, now=now(session), memory_kib=CHEAP)
    assert signs_in(database, staff, "ガギグゲゴの長い合言葉です")


def test_a_wrong_passphrase_and_an_unknown_person_are_refused_alike(database: Database) -> None:
    staff = enrolled(database)
    assert not signs_in(database, staff, "another long passphrase")
    assert not signs_in(database, "01900000-0000-7000-8000-00000000dead", PASSPHRASE)


def test_ten_wrong_passphrases_lock_even_the_right_one_out_for_a_while(database: Database) -> None:
    staff = enrolled(database)
    for _ in range(TRIES):
        assert not signs_in(database, staff, "wrong")
    assert not signs_in(database, staff, PASSPHRASE)
    assert not signs_in(database, staff, PASSPHRASE, later=WINDOW - timedelta(minutes=1))
    assert signs_in(database, staff, PASSPHRASE, later=WINDOW + timedelta(minutes=1))


def test_nine_wrong_passphrases_do_not_lock_and_a_right_one_begins_anew(database: Database) -> None:
    staff = enrolled(database)
    for _ in range(2):
        for _ in range(TRIES - 1):
            assert not signs_in(database, staff, "wrong")
        assert signs_in(database, staff, PASSPHRASE)


def test_who_has_left_does_not_sign_in_and_cannot_leave_twice(database: Database) -> None:
    staff = enrolled(database)
    with database.transaction(None, Duty.SIGN_IN) as session:
        service.close(session, staff, now=now(session))
        assert reads.members(session) == ()
    assert not signs_in(database, staff, PASSPHRASE)
    with pytest.raises(NotFoundError), database.transaction(None, Duty.SIGN_IN) as session:
        service.close(session, staff, now=now(session))


def test_a_short_passphrase_is_refused(database: Database) -> None:
    with pytest.raises(InvalidError, match="passphrase-too-short"), database.transaction(None, Duty.SIGN_IN) as session:
        service.enrol(session, Role.OPERATOR, "short", now=now(session), memory_kib=CHEAP)


def test_the_passphrase_is_kept_as_argon2id_with_a_salt_of_its_own(database: Database) -> None:
    enrolled(database)
    enrolled(database)
    with database.transaction(None, Duty.SIGN_IN) as session:
        kept = session.execute(sa.text("select passphrase from staff")).scalars().all()
    assert len(set(kept)) == 2
    assert all(text.startswith("$argon2id$v=19$") and PASSPHRASE not in text for text in kept)


def test_the_usual_cost_is_64_mebibytes(database: Database) -> None:
    with database.transaction(None, Duty.SIGN_IN) as session:
        staff = service.enrol(session, Role.OPERATOR, PASSPHRASE, now=now(session))
        kept = session.execute(sa.text("select passphrase from staff")).scalar_one()
    assert "$m=65536,t=3,p=1$" in kept
    assert signs_in(database, staff, PASSPHRASE)


@pytest.mark.parametrize("duty", [None, Duty.DECIDE, Duty.DIRECTORY])
def test_no_other_duty_sees_anybody(database: Database, duty: Duty | None) -> None:
    staff = enrolled(database)
    with database.transaction(None, duty) as session:
        assert reads.member(session, staff) is None


def test_a_window_begins_with_its_first_wrong_passphrase() -> None:
    tries = after_failure(Tries(count=0, since=None), NOW)
    assert tries == Tries(count=1, since=NOW)
    assert after_failure(tries, NOW + timedelta(minutes=9)) == Tries(count=2, since=NOW)
    late = NOW + WINDOW
    assert after_failure(tries, late) == Tries(count=1, since=late)


def test_a_lock_ends_with_its_window() -> None:
    tries = Tries(count=TRIES, since=NOW)
    assert is_locked(tries, NOW + WINDOW - timedelta(microseconds=1))
    assert not is_locked(tries, NOW + WINDOW)
    assert not is_locked(Tries(count=TRIES - 1, since=NOW), NOW)


def test_who_signs_in_by_passkey_alone_has_no_passphrase_to_guess(database: Database) -> None:
    with database.transaction(None, Duty.SIGN_IN) as session:
        staff = service.enrol(session, Role.AUDITOR, None, now=now(session))
    assert not signs_in(database, staff, "")
    assert not signs_in(database, staff, PASSPHRASE)


def test_an_auditor_has_no_passphrase(database: Database) -> None:
    refused = pytest.raises(InvalidError, match="role-without-passphrase")
    with refused, database.transaction(None, Duty.SIGN_IN) as session:
        service.enrol(session, Role.AUDITOR, PASSPHRASE, now=now(session), memory_kib=CHEAP)
