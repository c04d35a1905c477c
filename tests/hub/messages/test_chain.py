# SPDX-License-Identifier: Apache-2.0
"""Numbers and hashes give a thread one order: gaps are held, two histories refused (protocol §2, REF-06)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.base.errors import ConflictError, NotFoundError
from hub.messages import jobs
from hub.messages.rules import Head, Link, Place, place, released
from hub.outbox.rules import Work
from tests.hub.messages.story import Story, next_in, token_hash


def following(story: Story, first, **changes):
    return story.seal("identity", **next_in(first, **changes))


def test_a_later_message_is_held_and_not_shown_until_the_missing_one_comes(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    second = following(story, first)
    third = story.seal("identity", thread=first.thread, seq=3, prev=token_hash(second))
    held = story.accept(third, thread=first.thread)
    assert held.held
    assert story.offered() == [first.message]
    with pytest.raises(NotFoundError):
        story.collect(held.message)
    arrived = story.accept(second, thread=first.thread)
    assert not arrived.held
    assert story.offered() == [first.message, arrived.message, held.message]


def test_the_recipient_is_told_of_a_held_message_only_when_it_is_free(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    second = following(story, first)
    third = story.accept(
        story.seal("identity", thread=first.thread, seq=3, prev=token_hash(second)), thread=first.thread
    )
    told = f"event = 'message:waiting' and about = '{third.message}'"
    assert story.count("events", told) == 0
    story.accept(second, thread=first.thread)
    assert story.count("events", told) == 1


def test_a_gap_is_reported_to_the_sender_and_the_report_ends_with_the_gap(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    second = following(story, first)
    held = story.accept(
        story.seal("identity", thread=first.thread, seq=3, prev=token_hash(second)), thread=first.thread
    )
    due = "topic = 'message:gap' and due_at = created_at + interval '10 minutes'"
    assert story.count("outbox", due) == 1
    work = Work(id=held.message, topic="message:gap", about=held.message, agency=None, attempt=1, at=held.accepted_at)
    with story.jobs.transaction(None) as session:
        jobs.report_gap(session, work)
    open_gap = f"kind = 'message_gap' and agency = '{story.j1.id}' and done_at is null"
    assert story.count("tasks", open_gap) == 1
    story.accept(second, thread=first.thread)
    assert story.count("tasks", open_gap) == 0


def test_a_gap_that_closed_in_time_is_not_reported(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    work = Work(
        id=first.message, topic="message:gap", about=first.message, agency=None, attempt=1, at=first.accepted_at
    )
    with story.jobs.transaction(None) as session:
        jobs.report_gap(session, work)
    assert story.count("tasks", "kind = 'message_gap'") == 0


def test_a_wrong_prev_breaks_the_chain(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    with pytest.raises(ConflictError, match="chain-broken"):
        story.accept(following(story, first, prev="00" * 32), thread=first.thread)


def test_a_number_is_used_once(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    second = story.accept(following(story, first), thread=first.thread)
    with pytest.raises(ConflictError, match="chain-broken"):
        story.accept(following(story, first), thread=first.thread)
    assert story.message(second.message).seq == 2


def test_the_missing_message_must_be_the_one_that_the_held_one_names(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    second = following(story, first)
    story.accept(story.seal("identity", thread=first.thread, seq=3, prev=token_hash(second)), thread=first.thread)
    with pytest.raises(ConflictError, match="chain-broken"):
        story.accept(following(story, first), thread=first.thread)


def test_a_refused_message_leaves_its_number_free(story: Story) -> None:
    story.consent(categories=("identity",))
    first = story.send("identity")
    with pytest.raises(Exception, match="consent-refused"):
        story.accept(story.seal("health", **next_in(first)), thread=first.thread)
    assert story.accept(following(story, first), thread=first.thread).manifest.seq == 2


def test_each_direction_counts_for_itself(story: Story) -> None:
    story.consent()
    first = story.send("identity")
    reply = story.seal("identity", sender=story.s1, recipient=story.j1, thread=first.thread)
    assert story.accept(reply, agency=story.s1, thread=first.thread).manifest.seq == 1


def test_an_opening_message_is_number_one(story: Story) -> None:
    story.consent()
    with pytest.raises(ConflictError, match="chain-broken"):
        story.send("identity", seq=2, prev="00" * 32)


# ── the rule itself ──


@given(st.permutations(list(range(1, 8))))
def test_whatever_the_order_of_arrival_every_message_is_freed_once_and_in_order(order: list[int]) -> None:
    head, held, freed = Head(seq=0, own=None), {}, []
    for seq in order:
        link = Link(seq=seq, prev=None if seq == 1 else f"h{seq - 1}", own=f"h{seq}")
        found = place(head, link, held)
        if found is Place.HELD:
            held[seq] = link
            continue
        assert found is Place.NEXT
        run = released(seq, held)
        freed += [seq, *run]
        last = held[run[-1]] if run else link
        head = Head(seq=last.seq, own=last.own)
        held = {number: one for number, one in held.items() if number not in run}
    assert freed == list(range(1, 8))
    assert not held


@given(st.data())
def test_whoever_signs_two_histories_is_stopped_at_the_second(data) -> None:
    length = data.draw(st.integers(1, 6))
    at = data.draw(st.integers(1, length + 1))
    other = Link(seq=at, prev=None if at == 1 else "other", own="x")
    assert place(Head(seq=length, own=f"h{length}"), other, {}) is Place.BROKEN


def test_a_number_far_ahead_is_not_a_gap_but_a_mistake() -> None:
    head = Head(seq=1, own="h1")
    assert place(head, Link(seq=257, prev="h256", own="h257"), {}) is Place.HELD
    assert place(head, Link(seq=258, prev="h257", own="h258"), {}) is Place.BROKEN


def test_a_held_neighbour_that_names_another_hash_breaks_the_chain() -> None:
    head = Head(seq=1, own="h1")
    held = {3: Link(seq=3, prev="h2", own="h3")}
    assert place(head, Link(seq=2, prev="h1", own="other"), held) is Place.BROKEN
    assert place(head, Link(seq=4, prev="other", own="h4"), held) is Place.BROKEN
    assert place(head, Link(seq=4, prev="h3", own="h4"), held) is Place.HELD
