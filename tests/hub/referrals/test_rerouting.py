# SPDX-License-Identifier: Apache-2.0
"""Nobody is passed from office to office: one refer-on, then a conference (rows 7 to 9, REF-13); the meter counts."""

import pytest

from hub.referrals import meter
from hub.referrals.lifecycle import State
from tests.hub.builders import active_agency
from tests.hub.referrals.play import Play


def declined_with_consent_for_the_next(play: Play) -> str:
    referral = play.brought("declined")
    play.story.consent(partners=frozenset({play.f1.id}))
    return referral


def referred_on(play: Play) -> tuple[str, str]:
    first = declined_with_consent_for_the_next(play)
    answer = play.refer_on("S", first, play.story.seal(recipient=play.f1))
    assert answer.status_code == 201, answer.get_json()
    return first, answer.get_json()["next"]["id"]


def test_a_declined_need_goes_on_to_the_next_office_as_the_same_need(play: Play) -> None:
    first, second = referred_on(play)
    old, new = play.stored(first), play.stored(second)
    assert (old.state, old.ball, old.due_at) == (State.REROUTED, None, None)
    assert (new.root, new.hop, new.recipient, new.state) == (first, 1, play.f1.id, State.REQUESTED)
    assert new.unowned_since == old.sent_at
    assert play.get(play.j1, first)["history"][-1]["facts"]["next"] == second


def test_referring_on_again_with_the_same_message_is_the_same_referral(play: Play) -> None:
    first = declined_with_consent_for_the_next(play)
    sealed = play.story.seal(recipient=play.f1)
    one, two = play.refer_on("S", first, sealed), play.refer_on("S", first, sealed)
    assert (one.status_code, two.status_code) == (201, 201)
    assert one.get_json()["next"]["id"] == two.get_json()["next"]["id"]
    assert play.rows("select count(*) from referrals") == [(2,)]


def test_consent_is_decided_anew_for_the_new_recipient(play: Play) -> None:
    referral = play.brought("declined")
    before = play.stored(referral)
    refused = play.refer_on("S", referral, play.story.seal(recipient=play.f1))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "consent-refused")
    assert {one["reason"] for one in refused.get_json()["decisions"]} == {"PARTY_NOT_COVERED"}
    assert play.stored(referral) == before
    assert play.story.logged().count("message:refused") == 1


def test_consent_is_asked_before_the_state_when_referring_on(play: Play) -> None:
    referral = play.brought("accepted")
    refused = play.refer_on("S", referral, play.story.seal(recipient=play.f1))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "consent-refused")


def test_only_a_declined_need_is_referred_on_and_nothing_of_the_try_stays(play: Play) -> None:
    referral = play.brought("accepted")
    play.story.consent(partners=frozenset({play.f1.id}))
    refused = play.refer_on("S", referral, play.story.seal(recipient=play.f1))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "bad-transition")
    assert play.rows("select count(*) from messages") == [(1,)]
    assert play.rows("select count(*) from referrals") == [(1,)]


def test_the_receiver_does_not_refer_on(play: Play) -> None:
    referral = declined_with_consent_for_the_next(play)
    play.story.consent(partners=frozenset({play.f1.id}), hub_parties=frozenset({play.j1.id, play.s1.id}))
    refused = play.refer_on("R", referral, play.story.seal(sender=play.s1, recipient=play.f1))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "wrong-party")


def test_a_second_refer_on_of_one_need_goes_to_a_conference(play: Play) -> None:
    """REF-13: A→B declined, A→C declined, A refers on to D."""
    _, second = referred_on(play)
    play.moved("F", second, "decline")
    last = active_agency(play.story.database, "houkatsu")
    play.story.consent(partners=frozenset({last.id}))
    refused = play.refer_on("S", second, play.story.seal(recipient=last))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "conference-needed")
    after = play.stored(second)
    assert (after.state, after.ball, after.awaiting) == (State.REROUTE_REVIEW, play.j1.id, play.j1.id)
    assert play.rows("select count(*) from referrals") == [(2,)]
    assert play.rows("select count(*) from messages") == [(2,)]
    assert "conference_needed" in play.tasks(play.j1)
    assert play.get(play.j1, second)["history"][-1] | {"at": "", "entry": "", "version": 0} == {
        "version": 0,
        "event": "contest",
        "frm": "declined",
        "to": "reroute_review",
        "agency": None,
        "role": "H",
        "at": "",
        "facts": {},
        "entry": "",
    }
    again = play.refer_on("S", second, play.story.seal(recipient=last))
    assert (again.status_code, again.get_json()["code"]) == (409, "bad-transition")


def test_a_conference_sends_the_need_where_it_belongs(play: Play) -> None:
    """Row 9: the result is a new referral, one hop on."""
    first, second = referred_on(play)
    play.moved("F", second, "decline")
    play.moved("S", second, "contest")
    last = active_agency(play.story.database, "houkatsu")
    play.story.consent(partners=frozenset({last.id}))
    answer = play.refer_on("S", second, play.story.seal(recipient=last), "conference-result", reason="other_scheme")
    assert answer.status_code == 201, answer.get_json()
    assert (answer.get_json()["referral"]["state"], answer.get_json()["next"]["hop"]) == ("rerouted", 2)
    assert answer.get_json()["next"]["root"] == first
    assert play.tasks(play.j1) == set()


def test_a_conference_result_says_why(play: Play) -> None:
    referral = play.brought("reroute_review")
    refused = play.refer_on("S", referral, play.story.seal(recipient=play.f1), "conference-result")
    assert (refused.status_code, refused.get_json()["code"]) == (422, "missing-member")


def test_a_receiver_does_not_learn_of_the_offices_before_it(play: Play) -> None:
    first, second = referred_on(play)
    assert [hop["id"] for hop in play.get(play.f1, second)["hops"]] == [second]
    assert [hop["id"] for hop in play.get(play.j1, second)["hops"]] == [first, second]
    assert play.client.by(play.f1.id).get(f"/v1/referrals/{first}").status_code == 404


def test_from_the_second_decline_the_need_goes_to_a_conference(play: Play) -> None:
    _, second = referred_on(play)
    assert play.tasks(play.j1) == set()
    play.moved("F", second, "decline")
    assert play.tasks(play.j1) == {"conference_needed"}
    shown = play.get(play.j1, second)["meter"]
    assert (shown["hops"], shown["declines"]) == (1, 2)


def test_declines_of_one_need_count_across_separate_referrals(play: Play) -> None:
    first = play.brought("declined")
    play.moved("S", first, "take-back")
    second = play.send()["id"]
    play.moved("R", second, "decline")
    assert play.tasks(play.j1) == {"conference_needed"}


@pytest.mark.parametrize(("at", "asked"), [("2026-04-20 09:59", False), ("2026-04-20 10:01", True)])
def test_a_need_unaccepted_for_a_fortnight_goes_to_a_conference(play: Play, at, asked) -> None:
    play.sent()
    play.tick(at)
    assert ("conference_needed" in play.tasks(play.j1)) is asked


def test_a_need_somebody_has_is_not_counted_as_unowned(play: Play) -> None:
    referral = play.brought("accepted")
    play.tick("2026-04-25 10:00")
    assert "conference_needed" not in play.tasks(play.j1)
    assert play.get(play.j1, referral)["meter"]["unowned_days"] == 0


def test_the_network_sees_counts_and_no_names(play: Play) -> None:
    referred_on(play)
    play.at("2026-04-21 10:00")
    counts = play.look(lambda session: meter.network(session, now=play.story.time()))
    assert counts == meter.NetworkMeter(open=1, referred_on=1, in_review=0, unowned_long=1)
