# SPDX-License-Identifier: Apache-2.0
"""A referral begins (row 1): somebody asks, somebody is awaited, and there is a time by which."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from consent import signing, wire
from consent.envelope.manifest import MessageKind
from consent.receipts import AcceptedRecord, read_statement
from consent.signing import Typ
from hub import referrals
from hub.web import openapi, problems
from tests.hub.builders import active_agency
from tests.hub.messages.story import RECEIPT_KEY, emergency
from tests.hub.referrals.play import Play, jst

SOURCES = sorted(Path(referrals.__file__).parent.glob("*.py"))
CODE = re.compile(r'(?:Error|Refusal|Fault)\((?:code=)?"([a-z-]+)"')


def test_a_referral_is_sent_and_says_who_answers_and_who_is_awaited(play: Play) -> None:
    play.story.consent()
    got = play.send()
    assert (got["state"], got["hop"], got["root"]) == ("requested", 0, got["id"])
    assert (got["ball"], got["awaiting"]) == (play.j1.id, play.s1.id)
    assert got["due_at"] == "2026-04-07T15:00:00Z"  # one business day: Tuesday 24:00 in Japan
    assert set(got["actions"]) == {"cancel", "withdraw", "enter-in-error", "hand-over"}
    assert got["categories"] == ["identity", "income_assets"]
    assert [one["outcome"] for one in got["decisions"]] == ["permitted", "permitted"]
    promise = read_statement(got["receipt"], AcceptedRecord, RECEIPT_KEY.public)
    assert promise.recipient == play.s1.id


def test_sending_is_one_entry_one_move_and_news_for_the_receiver(play: Play) -> None:
    referral = play.sent()
    entries = play.story.entries("referral:requested")
    assert [entry["subject"] for entry in entries] == [referral]
    assert set(entries[0]["parties"]) == {play.j1.id, play.s1.id}
    assert play.rows('select event, frm, "to", version from referral_moves') == [("send", "draft", "requested", 1)]
    assert play.told(play.s1) == ["referral:requested"]
    assert play.told(play.j1) == []


@pytest.mark.parametrize(
    ("urgency", "due"), [("normal", "2026-04-08 00:00"), ("soon", "2026-04-08 00:00"), ("same_day", "2026-04-06 14:00")]
)
def test_urgent_ones_use_the_urgent_column(play: Play, urgency: str, due: str) -> None:
    play.story.consent()
    got = play.send(urgency=urgency)
    assert play.stored(got["id"]).due_at - jst(due) < timedelta(seconds=1)


def test_an_immediate_one_needs_a_telephone_call_recorded(play: Play) -> None:
    play.story.consent()
    sealed = play.story.seal(urgency="immediate")
    refused = play.submit(play.j1, sealed)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "telephone-required")
    assert play.rows("select count(*) from messages") == [(0,)]
    told = play.submit(play.j1, sealed, telephone={"at": "2026-04-06T00:50:00Z", "result": "connected"})
    assert told.status_code == 201
    assert play.get(play.j1, told.get_json()["id"])["telephone"] == {
        "at": "2026-04-06T00:50:00Z",
        "result": "connected",
    }


@pytest.mark.parametrize("at", ["2026-04-06T01:30:00Z", "2026-04-04T00:00:00Z"])
def test_a_call_is_neither_to_come_nor_long_ago(play: Play, at: str) -> None:
    play.story.consent()
    sealed = play.story.seal(urgency="immediate")
    refused = play.submit(play.j1, sealed, telephone={"at": at, "result": "connected"})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "bad-date")


def test_a_second_open_referral_for_the_same_need_is_refused_with_the_first_ones_id(play: Play) -> None:
    first = play.sent()
    again = play.submit(play.j1, play.story.seal())
    assert (again.status_code, again.get_json()["code"]) == (409, "duplicate-need")
    assert again.get_json()["referral"] == first
    assert play.rows("select count(*) from messages") == [(1,)]


def test_once_the_first_is_over_the_need_can_be_sent_again(play: Play) -> None:
    first = play.brought("cancelled")
    assert play.send()["id"] != first


def test_the_same_need_of_two_senders_is_two_referrals(play: Play) -> None:
    """A duplicate of another sender must not show (security TEN-02)."""
    play.sent()
    stranger = active_agency(play.story.database, "jiritsu")
    play.story.consent(hub_parties=frozenset({play.j1.id, stranger.id}))
    answer = play.submit(stranger, play.story.seal(sender=stranger))
    assert answer.status_code == 201, answer.get_json()


def test_the_same_message_again_is_the_same_referral(play: Play) -> None:
    play.story.consent()
    sealed = play.story.seal()
    first, second = play.submit(play.j1, sealed), play.submit(play.j1, sealed)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json()["id"] == second.get_json()["id"]
    assert first.get_json()["receipt"] == second.get_json()["receipt"]
    assert play.rows("select count(*) from referrals") == [(1,)]


def test_a_referral_to_oneself_is_refused(play: Play) -> None:
    """REF-12. The library does not write such a manifest, so one is signed by hand."""
    play.story.consent()
    sealed = play.story.seal()
    payload = wire.parse(signing.peek_payload(sealed.manifest, typ=Typ.MANIFEST)) | {"to": play.j1.id}
    forged = signing.sign(wire.compact(payload), typ=Typ.MANIFEST, key=play.j1.sig)
    refused = play.call(play.j1, "/v1/referrals", {"manifest": forged, "parts": list(sealed.parts)})
    assert (refused.status_code, refused.get_json()["code"]) == (422, "same-agency")
    assert play.rows("select count(*) from messages") == [(0,)]


def test_nobody_sends_in_anothers_name(play: Play) -> None:
    play.story.consent()
    sealed = play.story.seal()
    refused = play.call(play.s1, "/v1/referrals", {"manifest": sealed.manifest, "parts": list(sealed.parts)})
    assert (refused.status_code, refused.get_json()["code"]) == (403, "wrong-party")


def test_only_a_message_that_asks_to_take_somebody_on_opens_a_referral(play: Play) -> None:
    play.story.consent()
    refused = play.submit(play.j1, play.story.seal(kind=MessageKind.REPLY))
    assert (refused.status_code, refused.get_json()["code"]) == (422, "wrong-kind")


def test_a_refusal_by_consent_names_every_part_and_leaves_no_referral(play: Play) -> None:
    play.story.consent(categories=("identity",))
    refused = play.submit(play.j1, play.story.seal("identity", "health"))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "consent-refused")
    assert [one["outcome"] for one in refused.get_json()["decisions"]] == ["permitted", "refused"]
    assert play.rows("select count(*) from referrals") == [(0,)]
    assert play.story.logged().count("message:refused") == 1


def test_the_agency_that_coordinates_and_owns_the_root_coordinates(play: Play) -> None:
    centre = active_agency(play.story.database, "jiritsu", coordinates=True)
    play.story.consent(hub_parties=frozenset({play.j1.id, centre.id}))
    got = play.send(sender=centre)
    assert got["coordinator"] == centre.id
    assert play.send()["coordinator"] == play.j1.id


def test_an_emergency_opens_a_referral_without_any_consent(play: Play) -> None:
    got = play.send("identity", "safety", basis=emergency(), purpose="emergency_response")
    assert (got["basis"], got["state"]) == ("emergency", "requested")


def test_a_further_message_goes_either_way_in_the_same_thread(play: Play) -> None:
    referral = play.sent()
    answer = play.message(referral, play.s1, play.word(referral, play.s1, "reply"))
    assert answer.status_code == 201, answer.get_json()
    assert answer.get_json()["referral"]["id"] == referral
    play.said(referral, play.j1, "document")
    deliveries = play.get(play.j1, referral)["deliveries"]
    assert [(one["sender"], one["kind"]) for one in deliveries] == [
        (play.j1.id, "referral"),
        (play.s1.id, "reply"),
        (play.j1.id, "document"),
    ]


def test_a_message_after_a_missing_one_is_held(play: Play) -> None:
    """REF-06."""
    referral = play.sent()
    sealed = play.word(referral, play.j1, "document", seq=3, prev="ab" * 32)
    answer = play.message(referral, play.j1, sealed)
    assert (answer.status_code, answer.get_json()["held"]) == (202, True)


def test_a_message_is_possible_in_a_final_state_because_consent_alone_decides(play: Play) -> None:
    referral = play.brought("closed")
    assert play.message(referral, play.s1, play.word(referral, play.s1, "follow_up")).status_code == 201


def test_a_message_beyond_consent_is_refused_in_every_state(play: Play) -> None:
    referral = play.sent()
    refused = play.message(referral, play.s1, play.word(referral, play.s1, "reply", "health"))
    assert (refused.status_code, refused.get_json()["code"]) == (403, "consent-refused")


def test_another_thread_is_not_slipped_into_a_referral(play: Play) -> None:
    referral = play.sent()
    answer = play.message(referral, play.j1, play.story.seal())
    assert answer.status_code == 400


def test_a_broken_chain_in_a_thread_is_refused(play: Play) -> None:
    referral = play.sent()
    answer = play.message(referral, play.j1, play.word(referral, play.j1, "document", prev="ab" * 32))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "chain-broken")


def test_every_endpoint_of_the_loop_is_described_in_both_languages(play: Play) -> None:
    app = play.client.application
    for language in ("ja", "en"):
        described = openapi.describe(app, "https://hub.example", language)
        summaries = [op["summary"] for path in described["paths"].values() for op in path.values() if "summary" in op]
        assert len(summaries) >= 35
        assert not [text for text in summaries if text in openapi.summaries()]


def test_every_refusal_of_the_loop_has_its_text() -> None:
    written = {one for file in SOURCES for one in CODE.findall(file.read_text("utf-8"))} - {"setting-bad"}
    known = problems.catalogue()
    assert len(written) > 25
    assert written <= set(known)
    assert all(
        known[code].title[language] and known[code].detail[language] for code in written for language in ("ja", "en")
    )
