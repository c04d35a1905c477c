# SPDX-License-Identifier: Apache-2.0
"""The register of consents: where each stands, by template, and what a newer record changed."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from consent.vocabulary.codes import CATEGORIES
from hub.oversight import register
from hub.oversight.register import Change, RecordState
from tests.hub.oversight.conftest import Office


def states(office: Office, **asked):
    return [one.state for one in office.look(register.page, **asked).records]


def test_each_record_stands_where_the_persons_words_put_it(office: Office) -> None:
    story = office.story
    at = story.time()
    live = story.consent()
    story.consent(valid_until=at + timedelta(days=20))
    story.consent(signature="oral_pending", evidence="")
    story.consent(valid_from=at + timedelta(days=3))
    story.withdraw(story.consent())
    assert states(office) == [
        RecordState.WITHDRAWN,
        RecordState.NOT_YET,
        RecordState.UNSIGNED,
        RecordState.ENDING,
        RecordState.LIVE,
    ]
    (found,) = office.look(register.page, state=RecordState.LIVE).records
    assert (found.statement.consent, found.case) == (live, story.case)
    assert states(office, at=at + timedelta(days=400)) == [RecordState.WITHDRAWN, *[RecordState.ENDED] * 4]


def test_a_renewed_record_shows_what_the_new_one_changed(office: Office) -> None:
    story = office.story
    old = story.consent()
    new = story.consent(categories=("identity", "contact"), supersedes=frozenset({old}), form_version="2027-1")
    newer, older = office.look(register.page).records
    assert (newer.statement.consent, older.state) == (new, RecordState.RENEWED)
    ((before, changes),) = office.look(register.versions, newer)
    assert before.statement.consent == old
    found = {one.member: (one.added, one.removed) for one in changes}
    assert found["categories"] == (("contact",), ("income_assets",))
    assert found["form_version"] == (("2027-1",), ("2026-1",))
    assert "purposes" not in found
    assert office.look(register.versions, older) == ()


def test_records_are_found_by_the_template_they_were_written_under(office: Office) -> None:
    story = office.story
    story.consent()
    other = story.consent(template="kakuu-2027")
    (found,) = office.look(register.page, template="kakuu-2027").records
    assert found.statement.consent == other


def test_pages_follow_one_another_without_a_gap(office: Office) -> None:
    every = [office.story.consent() for _ in range(5)]
    seen: list[str] = []
    before = None
    for _ in range(3):
        page = office.look(register.page, before=before, limit=2)
        seen += [one.statement.consent for one in page.records]
        before = page.next_before
    assert seen == every[::-1]
    assert before is None


@given(st.sets(st.sampled_from(sorted(CATEGORIES))), st.sets(st.sampled_from(sorted(CATEGORIES))))
def test_what_was_added_and_what_went_makes_the_new_of_the_old(old: set[str], new: set[str]) -> None:
    change = Change(member="categories", before=tuple(sorted(old)), after=tuple(sorted(new)))
    assert (old | set(change.added)) - set(change.removed) == new
    assert set(change.added).isdisjoint(old)
    assert set(change.removed) <= old
