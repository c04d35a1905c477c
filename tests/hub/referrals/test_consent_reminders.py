# SPDX-License-Identifier: Apache-2.0
"""Who took a consent is asked in time: to have an oral word signed, to renew what ends; never longer than needed."""

from datetime import datetime

import pytest

from tests.hub.referrals.play import Play, jst
from tests.hub.referrals.test_consent_ends import oral, worked

ENDING, UNSIGNED = "consent_ending", "consent_unsigned"


def asked(play: Play) -> set[str]:
    return play.tasks(play.j1) & {ENDING, UNSIGNED}


def about(play: Play, kind: str) -> list[tuple[str, datetime]]:
    return [
        (str(row[0]), row[1])
        for row in play.rows("select about, due_at from tasks where kind = :k and done_at is null", k=kind)
    ]


def test_an_oral_word_asks_for_its_signature_at_once_and_until_its_last_moment(play: Play) -> None:
    made = oral(play)
    ((consent, due),) = about(play, UNSIGNED)
    assert (consent, due.replace(microsecond=0)) == (made, jst("2026-04-20 09:55"))
    assert asked(play) == {UNSIGNED}
    assert play.tasks(play.s1) == set()
    worked(play, "2026-04-20 09:56")
    assert asked(play) == set()


@pytest.mark.parametrize("is_named", [True, False])
def test_the_signature_ends_the_asking_whether_or_not_it_names_the_oral_word(play: Play, *, is_named: bool) -> None:
    made = oral(play)
    play.at("2026-04-08 10:00")
    play.story.consent(supersedes=frozenset({made}) if is_named else frozenset())
    assert asked(play) == set()


def test_a_consent_is_asked_after_thirty_days_before_its_end_and_until_then(play: Play) -> None:
    made = play.story.consent(valid_until=jst("2026-09-01 00:00"))
    worked(play, "2026-08-01 23:59")
    assert asked(play) == set()
    worked(play, "2026-08-02 00:00")
    assert about(play, ENDING) == [(made, jst("2026-09-01 00:00"))]
    worked(play, "2026-09-01 00:00")
    assert asked(play) == set()


def test_a_short_consent_is_asked_after_at_half_its_time(play: Play) -> None:
    play.story.consent(valid_until=jst("2026-04-10 10:00"))
    worked(play, "2026-04-08 09:00")
    assert asked(play) == set()
    worked(play, "2026-04-08 11:00")
    assert asked(play) == {ENDING}


def test_one_that_was_renewed_before_is_not_asked_after(play: Play) -> None:
    play.story.consent(valid_until=jst("2026-09-01 00:00"))
    play.at("2026-07-01 10:00")
    play.story.consent(valid_until=jst("2027-03-01 00:00"))
    worked(play, "2026-08-15 00:00")
    assert asked(play) == set()


def test_a_renewal_ends_the_asking_and_a_narrower_one_does_not(play: Play) -> None:
    play.story.consent(valid_until=jst("2026-09-01 00:00"))
    worked(play, "2026-08-03 00:00")
    play.story.consent(valid_until=jst("2027-03-01 00:00"), categories=frozenset({"identity"}))
    assert asked(play) == {ENDING}
    play.story.consent(valid_until=jst("2027-03-01 00:00"))
    assert asked(play) == set()


def test_what_was_taken_back_is_not_asked_after(play: Play) -> None:
    spoken, signed = oral(play), play.story.consent(valid_until=jst("2026-09-01 00:00"))
    play.story.withdraw(spoken)
    play.story.withdraw(signed)
    assert asked(play) == set()
    worked(play, "2026-08-03 00:00")
    assert asked(play) == set()


def test_a_form_that_nobody_signed_is_not_asked_after(play: Play) -> None:
    play.story.consent(signature="none", evidence="", valid_until=jst("2026-09-01 00:00"))
    worked(play, "2026-08-03 00:00")
    assert asked(play) == set()
