# SPDX-License-Identifier: Apache-2.0
"""A message is taken whole or not at all: one test for each thing that refuses it (protocol §2)."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from consent import signing
from consent.envelope.manifest import ByConsent, ConsentEvidence
from consent.envelope.sealing import Sealed
from consent.receipts import AcceptedRecord, read_statement
from consent.wire import compact, from_base64url, to_base64url
from hub.base.errors import ConflictError, ForbiddenError, InvalidError, MalformedError, NotFoundError, TooLargeError
from hub.messages import reads
from tests.hub.builders import pending_agency
from tests.hub.messages.story import PURPOSE, RECEIPT_KEY, Story, next_in, token_hash

STORES = ("messages", "message_parts", "message_threads")


def nothing_stored(story: Story) -> bool:
    told = story.count("events", "event like 'message:%'")
    return told == 0 and all(story.count(table) == 0 for table in STORES)


def test_a_permitted_message_is_stored_logged_promised_and_told(story: Story) -> None:
    story.consent()
    accepted = story.send("identity", "income_assets")
    promise = read_statement(accepted.receipt, AcceptedRecord, RECEIPT_KEY.public)
    assert [one["outcome"] for one in accepted.decisions] == ["permitted", "permitted"]
    assert promise.manifest == accepted.manifest_hash
    assert promise.logged_by - promise.accepted_at == timedelta(seconds=60)
    assert promise.entry == story.entries("message:accepted")[0]["id"]
    assert story.message(accepted.message).delivery == "queued"
    assert story.count("events", f"agency = '{story.s1.id}' and event = 'message:waiting'") == 1


def test_the_log_keeps_what_a_replay_of_the_decision_needs(story: Story) -> None:
    consent = story.consent()
    accepted = story.send("identity")
    entry = story.entries("message:accepted")[0]
    assert entry["case"] == story.case
    assert set(entry["parties"]) == {story.j1.id, story.s1.id}
    facts = entry["facts"]
    assert facts["from"] == {"agency": story.j1.id, "kind": "jiritsu"}
    assert facts["parts"][0]["scope"] == consent
    assert facts["parts"][0]["ct"] == accepted.manifest.parts[0].ct
    assert facts["parts"][0]["path"]


def test_one_refused_part_refuses_all_and_nothing_is_stored(story: Story) -> None:
    story.consent(categories=("identity",))
    with pytest.raises(ForbiddenError) as refused:
        story.send("identity", "debt_arrears")
    assert refused.value.code == "consent-refused"
    outcomes = [(one["category"], one["outcome"], one["reason"]) for one in refused.value.extra["decisions"]]
    assert outcomes == [("identity", "permitted", None), ("debt_arrears", "refused", "CATEGORY_NOT_COVERED")]
    assert refused.value.extra["decisions"][1]["remedy"] == "add_category"
    assert nothing_stored(story)


def test_a_refusal_is_logged_with_reason_and_rule_path_under_the_id_the_sender_is_told(story: Story) -> None:
    with pytest.raises(ForbiddenError) as refused:
        story.send("identity")
    entry = story.entries("message:refused")[0]
    assert entry["id"] == refused.value.extra["decision_id"]
    assert entry["facts"]["phase"] == "acceptance"
    assert entry["facts"]["parts"][0]["reason"] == "NO_CONSENT"
    assert entry["parties"] == [story.j1.id]


def test_a_manifest_in_another_agencys_name_is_refused(story: Story) -> None:
    story.consent()
    with pytest.raises(ForbiddenError, match="wrong-party"):
        story.accept(story.seal(), agency=story.f1)
    assert nothing_stored(story)


def test_a_manifest_signed_with_a_key_the_directory_does_not_have_is_refused(story: Story) -> None:
    story.consent()
    stranger = replace(story.j1, sig=story.f1.sig)
    with pytest.raises(MalformedError, match="key-not-valid"):
        story.send(sender=stranger)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda token: token[:-6] + ("A" if token[-6] != "A" else "B") + token[-5:], "bad-signature"),
        (lambda token: token + "=", "malformed"),
        (lambda token: " " + token, "malformed"),
        (lambda token: token + ".e30", "malformed"),
        (lambda token: json.dumps({"payload": token}), "malformed"),
    ],
    ids=["altered", "padded", "spaced", "four-pieces", "not-compact"],
)
def test_a_spoiled_manifest_is_refused(story: Story, spoil, code: str) -> None:
    story.consent()
    sealed = story.seal()
    with pytest.raises(MalformedError, match=code):
        story.accept(replace(sealed, manifest=spoil(sealed.manifest)))
    assert nothing_stored(story)


def test_a_receipt_presented_as_a_manifest_is_refused(story: Story) -> None:
    story.consent()
    accepted = story.send()
    token = story.receipt(accepted)
    with pytest.raises(MalformedError, match="wrong-type"):
        story.accept(replace(story.seal(), manifest=token))


def test_swapped_parts_are_refused(story: Story) -> None:
    story.consent()
    sealed = story.seal("identity", "income_assets")
    with pytest.raises(MalformedError, match="part-hash-mismatch"):
        story.accept(replace(sealed, parts=sealed.parts[::-1]))
    assert nothing_stored(story)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda header: header | {"zip": "DEF"}, "header-not-allowed"),
        (lambda header: header | {"crit": []}, "header-not-allowed"),
        (lambda header: header | {"enc": "A128GCM"}, "alg-not-allowed"),
        (lambda header: header | {"typ": "JOSE"}, "wrong-type"),
        (lambda header: header | {"tsn": header["tsn"] | {"category": "contact"}}, "label-mismatch"),
        (lambda header: header | {"tsn": header["tsn"] | {"message": header["tsn"]["from"]}}, "label-mismatch"),
        (lambda header: header | {"tsn": header["tsn"] | {"from": header["tsn"]["to"]}}, "label-mismatch"),
    ],
    ids=["zip", "crit", "enc", "typ", "category", "message", "from"],
)
def test_a_part_with_another_header_is_refused_though_its_hash_is_right(story: Story, spoil, code: str) -> None:
    story.consent()
    sealed = story.seal("identity")
    part = json.loads(sealed.parts[0])
    header = json.loads(from_base64url(part["protected"]))
    part["protected"] = to_base64url(compact(spoil(header)))
    text = compact(part).decode()
    (label,) = json.loads(from_base64url(sealed.manifest.split(".")[1]))["parts"]
    token = resigned(story, sealed, parts=[label | {"ct": signing.digest(text)}])
    with pytest.raises(MalformedError, match=code):
        story.accept(Sealed(manifest=token, parts=(text,)))
    assert nothing_stored(story)


def test_more_than_sixteen_parts_are_too_large(story: Story) -> None:
    story.consent()
    sealed = story.seal("identity")
    (label,) = json.loads(from_base64url(sealed.manifest.split(".")[1]))["parts"]
    token = resigned(story, sealed, parts=[label | {"n": n} for n in range(1, 18)])
    with pytest.raises(TooLargeError):
        story.accept(Sealed(manifest=token, parts=sealed.parts * 17))


def test_a_missing_part_is_refused(story: Story) -> None:
    story.consent()
    sealed = story.seal("identity", "income_assets")
    with pytest.raises(MalformedError, match="manifest-mismatch"):
        story.accept(replace(sealed, parts=sealed.parts[:1]))


def test_a_message_without_parts_is_refused_because_nothing_would_be_decided(story: Story) -> None:
    story.consent()
    sealed = story.seal("identity")
    empty = Sealed(manifest=resigned(story, sealed, parts=[]), parts=())
    with pytest.raises(InvalidError, match="no-parts"):
        story.accept(empty)


def test_a_message_to_an_agency_that_is_not_active_is_refused(story: Story) -> None:
    story.consent()
    stranger = pending_agency(story.database, "shakyo")
    with pytest.raises(ConflictError, match="recipient-inactive"):
        story.send(recipient=stranger)


def test_a_message_sealed_to_another_key_than_the_current_one_is_refused(story: Story) -> None:
    story.consent()
    old = replace(story.s1, enc=story.f1.enc)
    with pytest.raises(ConflictError, match="key-not-current"):
        story.send(recipient=old)


def test_a_message_from_the_future_is_refused(story: Story) -> None:
    story.consent()
    at = story.time() + timedelta(minutes=6)
    with pytest.raises(InvalidError, match="created-in-future"):
        story.send(created_at=at, not_after=at + timedelta(days=1))


def test_a_message_whose_wait_is_over_is_refused(story: Story) -> None:
    story.consent()
    at = story.time()
    with pytest.raises(InvalidError, match="message-expired"):
        story.send(created_at=at - timedelta(days=2), not_after=at - timedelta(seconds=1))


def test_a_named_consent_that_is_not_registered_is_refused(story: Story) -> None:
    consent = story.consent()
    evidence = ConsentEvidence(id=consent, hash="00" * 32, status="00" * 32)
    with pytest.raises(ConflictError, match="consent-mismatch"):
        story.send(basis=ByConsent(consents=(evidence,)))
    assert nothing_stored(story)


def test_an_unknown_code_is_an_error_and_never_ignored(story: Story) -> None:
    story.consent()
    token = resigned(story, story.seal("identity"), purpose="loan_assessment")
    with pytest.raises(InvalidError, match="unknown-code"):
        story.accept(replace(story.seal("identity"), manifest=token))


def test_the_same_bytes_again_are_the_same_message(story: Story) -> None:
    story.consent()
    sealed = story.seal()
    first, second = story.accept(sealed), story.accept(sealed)
    assert (second.message, second.receipt, second.again) == (first.message, first.receipt, True)
    assert story.count("messages") == 1
    assert story.logged().count("message:accepted") == 1


def test_other_bytes_under_the_same_id_are_refused_and_both_hashes_logged(story: Story) -> None:
    story.consent()
    first = story.accept(story.seal())
    other = story.seal(id=first.manifest.id)
    with pytest.raises(ConflictError, match="message-id-reused"):
        story.accept(other)
    facts = story.entries("message:equivocated")[0]["facts"]
    assert (facts["first"], facts["second"]) == (first.manifest_hash, token_hash(other))
    assert story.message(first.message).manifest_hash == first.manifest_hash


def test_a_second_opening_of_one_thread_is_refused(story: Story) -> None:
    story.consent()
    first = story.send()
    with pytest.raises(ConflictError, match="thread-exists"):
        story.send(thread=first.manifest.thread)


def test_the_other_party_cannot_open_a_thread_under_an_id_that_it_has_seen(story: Story) -> None:
    story.consent()
    first = story.send()
    reply = story.seal("identity", sender=story.s1, recipient=story.j1, thread=first.manifest.thread)
    with pytest.raises(ConflictError, match="thread-exists"):
        story.accept(reply, agency=story.s1)


def test_a_message_for_another_thread_than_the_one_it_was_posted_to_is_refused(story: Story) -> None:
    story.consent()
    first, second = story.send(), story.send()
    following = story.seal("identity", **next_in(first))
    with pytest.raises(MalformedError, match="thread-mismatch"):
        story.accept(following, thread=second.thread)


def test_a_message_to_somebody_outside_the_thread_is_refused(story: Story) -> None:
    story.consent()
    first = story.send()
    astray = story.seal("identity", recipient=story.f1, **next_in(first))
    with pytest.raises(MalformedError, match="recipient-mismatch"):
        story.accept(astray, thread=first.thread, to=story.s1.id)
    with pytest.raises(NotFoundError):
        story.accept(astray, thread=first.thread)


def test_a_thread_is_about_one_case(story: Story) -> None:
    story.consent()
    first = story.send()
    other = story.seal("identity", **next_in(first, case="0b0a0000-0000-4000-8000-00000000ca5e"))
    with pytest.raises(MalformedError, match="thread-mismatch"):
        story.accept(other, thread=first.thread)


def test_a_thread_of_others_does_not_exist(story: Story) -> None:
    story.consent()
    first = story.send()
    intruder = story.seal("identity", sender=story.f1, recipient=story.s1, thread=first.thread)
    with pytest.raises(NotFoundError):
        story.accept(intruder, agency=story.f1, thread=first.thread)


def test_a_stranger_who_learnt_a_threads_id_cannot_come_between_its_parties(story: Story) -> None:
    story.consent()
    story.consent(partners=frozenset({story.f1.id}))
    first = story.send("identity")
    theirs = story.seal("identity", sender=story.f1, recipient=story.j1, thread=first.thread)
    story.accept(theirs, agency=story.f1)
    second = story.accept(story.seal("identity", **next_in(first)), thread=first.thread, to=story.s1.id)
    with story.database.transaction(story.j1.id) as session:
        found = reads.of_thread(session, agency=story.j1.id, other=story.s1.id, thread=first.thread)
    assert [one.message.id for one in found] == [first.message, second.message]


def test_a_partner_may_answer_in_the_thread(story: Story) -> None:
    story.consent()
    first = story.send()
    reply = story.seal("identity", sender=story.s1, recipient=story.j1, thread=first.thread)
    answered = story.accept(reply, agency=story.s1, thread=first.thread)
    assert answered.thread == first.thread
    assert story.offered(story.j1) == [answered.message]


def test_two_partners_are_not_joined(story: Story) -> None:
    story.consent()
    story.consent(partners=frozenset({story.f1.id}))
    with pytest.raises(ForbiddenError) as refused:
        story.accept(story.seal("identity", sender=story.s1, recipient=story.f1), agency=story.s1)
    assert refused.value.extra["decisions"][0]["reason"] == "PARTY_NOT_COVERED"


def test_purpose_and_category_come_from_the_closed_lists(story: Story) -> None:
    story.consent()
    assert story.send("identity").manifest.purpose == PURPOSE


def resigned(story: Story, sealed: Sealed, **changes: object) -> str:
    """Sign a manifest that our own code would not sign."""
    members = json.loads(from_base64url(sealed.manifest.split(".")[1])) | changes
    return signing.sign(compact(members), typ=signing.Typ.MANIFEST, key=story.j1.sig)
