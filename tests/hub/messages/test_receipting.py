# SPDX-License-Identifier: Apache-2.0
"""What a recipient signs: that all parts were opened, and that a named worker read them first (protocol §5)."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.receipts import Delivery, PartReceipt, PartResult, ReceiptRecord, read_statement
from hub.base.errors import ConflictError, ForbiddenError, GoneError, InvalidError, MalformedError, NotFoundError
from hub.messages import jobs
from hub.messages.rules import Delivery as State
from hub.messages.rules import Happening, moved
from tests.hub.messages.story import Story, timer


def delivered(story: Story, *categories: str):
    story.consent()
    accepted = story.send(*categories or ("identity",))
    story.offered()
    story.collect(accepted.message)
    return accepted


def test_a_delivery_receipt_moves_the_delivery_and_tells_the_sender(story: Story) -> None:
    accepted = delivered(story)
    said = story.acknowledge(accepted)
    assert (said.ok, said.first, said.kind) == (True, False, Delivery.DELIVERY)
    assert story.message(accepted.message).delivery == "delivered"
    assert story.count("events", f"event = 'message:delivered' and agency = '{story.j1.id}'") == 1
    assert story.logged().count("receipt:delivered") == 1
    assert story.offered() == []


def test_a_read_receipt_names_the_worker_and_is_the_first_only_once(story: Story) -> None:
    accepted = delivered(story)
    story.acknowledge(accepted)
    first = story.acknowledge(accepted, kind=Delivery.READ)
    second = story.acknowledge(accepted, kind=Delivery.READ)
    assert (first.first, first.by, second.first) == (True, "u-201", False)
    assert story.message(accepted.message).delivery == "opened"


def test_a_read_receipt_counts_even_if_the_delivery_receipt_was_lost(story: Story) -> None:
    accepted = delivered(story)
    story.acknowledge(accepted, kind=Delivery.READ)
    found = story.message(accepted.message)
    assert found.delivery == "opened"
    assert found.delivered_at is not None


def test_a_part_that_was_not_good_moves_nothing_and_raises_a_task_for_the_sender(story: Story) -> None:
    accepted = delivered(story)
    bad = (PartReceipt(n=1, result=PartResult.UNDECRYPTABLE),)
    said = story.acknowledge(accepted, results=bad)
    assert not said.ok
    assert story.message(accepted.message).delivery == "offered"
    assert story.count("tasks", f"kind = 'delivery_failed' and agency = '{story.j1.id}' and done_at is null") == 1


def test_nobody_reads_what_could_not_be_opened(story: Story) -> None:
    accepted = delivered(story)
    story.acknowledge(accepted, results=(PartReceipt(n=1, result=PartResult.LABEL_MISMATCH),))
    said = story.acknowledge(accepted, kind=Delivery.READ)
    assert (said.ok, said.first) == (False, False)
    assert story.message(accepted.message).opened_at is None


def test_a_good_receipt_after_a_bad_one_ends_the_task(story: Story) -> None:
    accepted = delivered(story)
    story.acknowledge(accepted, results=(PartReceipt(n=1, result=PartResult.UNDECRYPTABLE),))
    assert story.acknowledge(accepted).ok
    assert story.message(accepted.message).delivery == "delivered"
    assert story.count("tasks", "kind = 'delivery_failed' and done_at is null") == 0


def test_a_bad_receipt_is_an_answer_and_not_a_missing_one(story: Story) -> None:
    accepted = delivered(story)
    story.acknowledge(accepted, results=(PartReceipt(n=1, result=PartResult.UNDECRYPTABLE),))
    timer(story, jobs.report_missing_receipts, at=story.time() + timedelta(hours=1))
    assert story.count("tasks", "kind = 'receipt_missing'") == 0


def test_a_receipt_ends_the_task_about_its_missing(story: Story) -> None:
    accepted = delivered(story)
    timer(story, jobs.report_missing_receipts, at=story.time() + timedelta(hours=1))
    assert story.count("tasks", "kind = 'receipt_missing' and done_at is null") == 1
    story.acknowledge(accepted)
    assert story.count("tasks", "kind = 'receipt_missing' and done_at is null") == 0


def test_a_receipt_of_another_hash_is_refused_and_the_sender_alarmed(story: Story) -> None:
    accepted = delivered(story)
    with pytest.raises(ConflictError, match="receipt-mismatch"):
        story.acknowledge(accepted, manifest="00" * 32)
    assert story.logged().count("receipt:mismatched") == 1
    assert story.count("tasks", f"kind = 'delivery_failed' and agency = '{story.j1.id}'") == 1
    assert story.message(accepted.message).delivery == "offered"


def test_a_receipt_before_hand_over_is_refused(story: Story) -> None:
    story.consent()
    accepted = story.send("identity")
    with pytest.raises(ConflictError, match="not-handed-over"):
        story.acknowledge(accepted)


def test_a_receipt_signed_with_another_agencys_key_is_refused(story: Story) -> None:
    accepted = delivered(story)
    forged = replace(story, s1=replace(story.s1, sig=story.f1.sig)).receipt(accepted)
    with pytest.raises(MalformedError, match="key-not-valid"):
        story.acknowledge(accepted, forged)


def test_a_receipt_that_another_agency_signed_in_its_own_name_is_refused(story: Story) -> None:
    accepted = delivered(story)
    theirs = replace(story, s1=story.f1).receipt(accepted, agency=story.f1.id)
    with pytest.raises(ForbiddenError, match="wrong-party"):
        story.acknowledge(accepted, theirs)


def test_a_sender_cannot_acknowledge_its_own_message(story: Story) -> None:
    accepted = delivered(story)
    with pytest.raises(NotFoundError):
        story.acknowledge(accepted, agency=story.j1)


def test_a_delivery_receipt_speaks_of_every_part(story: Story) -> None:
    accepted = delivered(story, "identity", "income_assets")
    with pytest.raises(InvalidError, match="results-incomplete"):
        story.acknowledge(accepted, results=(PartReceipt(n=1, result=PartResult.OK),))


def test_the_same_receipt_again_changes_nothing(story: Story) -> None:
    accepted = delivered(story)
    token = story.receipt(accepted)
    assert not story.acknowledge(accepted, token).again
    assert story.acknowledge(accepted, token).again
    assert story.logged().count("receipt:delivered") == 1


def test_another_receipt_under_the_same_id_is_refused(story: Story) -> None:
    accepted = delivered(story)
    same = story.receipt(accepted)
    story.acknowledge(accepted, same)
    used = _id_of(story, accepted, same)
    with pytest.raises(ConflictError, match="receipt-id-reused"):
        story.acknowledge(accepted, id=used, at=story.time())


def test_receipts_may_come_in_any_order_and_what_is_outstanding_stays_visible(story: Story) -> None:
    first = delivered(story)
    second = story.send("identity")
    story.collect(second.message)
    story.acknowledge(second)
    assert story.offered() == [first.message]


def test_ciphertext_leaves_seven_days_after_the_delivery_receipt_and_the_labels_stay(story: Story) -> None:
    accepted = delivered(story)
    story.acknowledge(accepted)
    at = story.message(accepted.message).delivered_at
    assert at is not None
    timer(story, jobs.destroy_old_ciphertext, at=at + timedelta(days=7) - timedelta(microseconds=1))
    assert story.sealed_parts(accepted.message) is not None
    timer(story, jobs.destroy_old_ciphertext, at=at + timedelta(days=7))
    assert story.sealed_parts(accepted.message) is None
    assert story.message(accepted.message).delivery == "delivered"
    assert story.count("tasks", "kind = 'message_undeliverable'") == 0
    with pytest.raises(GoneError):
        story.collect(accepted.message)


def test_a_receipt_that_comes_after_the_end_of_the_wait_is_still_the_truth(story: Story) -> None:
    accepted = delivered(story)
    timer(story, jobs.destroy_old_ciphertext, at=accepted.manifest.not_after)
    assert story.message(accepted.message).delivery == "undeliverable"
    story.acknowledge(accepted)
    assert story.message(accepted.message).delivery == "delivered"


# ── the machine ──


@given(st.lists(st.sampled_from(list(Happening))))
def test_delivery_never_goes_back(happenings: list[Happening]) -> None:
    rank = {state: n for n, state in enumerate(("queued", "offered", "undeliverable", "refused", "destroyed"))}
    rank |= {"delivered": 5, "opened": 6}
    state = State.QUEUED
    for happening in happenings:
        following = moved(state, happening)
        assert rank[following.value] >= rank[state.value]
        state = following


@given(st.lists(st.sampled_from(list(Happening))))
def test_what_was_destroyed_unseen_never_arrives(happenings: list[Happening]) -> None:
    state = State.DESTROYED
    for happening in happenings:
        state = moved(state, happening)
    assert state is State.DESTROYED


def _id_of(story: Story, accepted, token: str) -> str:
    return read_statement(token, ReceiptRecord, story.s1.sig.public).id
