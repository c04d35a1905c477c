# SPDX-License-Identifier: Apache-2.0
"""The search language: what it understands, what it refuses, and that it never fails otherwise."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.rules import AuditKind
from hub.console.audit import FAULTS
from hub.console.queries import DECISIONS, QUALIFIERS, QueryError, parse

TODAY = date(2026, 11, 27)
ID = "01890000-0000-7000-8000-00000000000a"


def test_without_a_time_three_months_are_searched():
    assert parse("", today=TODAY).wanted.since == datetime(2026, 8, 26, 15, tzinfo=UTC)


def test_every_qualifier_is_understood():
    query = parse(
        f"created:2026-11-01..2026-11-02  decision:deny case:{ID} agency:{ID} action:message:* actor:hub", today=TODAY
    )
    assert query.text == (
        f"actor:hub action:message:* agency:{ID} case:{ID} created:2026-11-01..2026-11-02 decision:deny"
    )
    assert query.wanted.kinds == ("message:refused",)
    assert (query.wanted.actor, query.wanted.agency, query.wanted.case, query.case) == ("hub", ID, ID, ID)
    assert query.wanted.since == datetime(2026, 10, 31, 15, tzinfo=UTC)
    assert query.wanted.until == datetime(2026, 11, 2, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "since", "until"),
    [
        ("2026-11-05", (11, 4), (11, 5)),
        (">=2026-11-05", (11, 4), None),
        (">2026-11-05", (11, 5), None),
        ("<=2026-11-05", None, (11, 5)),
        ("<2026-11-05", None, (11, 4)),
        ("２０２６－１１－０５", (11, 4), (11, 5)),
    ],
)
def test_days_are_japans_and_the_signs_mean_what_they_say(written, since, until):
    wanted = parse(f"created:{written}", today=TODAY).wanted
    assert wanted.since == (since and datetime(2026, *since, 15, tzinfo=UTC))
    assert wanted.until == (until and datetime(2026, *until, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    ("written", "code", "word"),
    [
        ("x" * 501, "query-too-long", 0),
        ("仮名 太郎", "qualifier-missing", 1),
        (f"case:{ID} 仮名", "qualifier-missing", 2),
        ("person:x", "qualifier-unknown", 1),
        ("Case:x", "qualifier-unknown", 1),
        ("actor:hub actor:hub", "qualifier-twice", 2),
        ("case:", "value-missing", 1),
        ("case:1", "value-not-id", 1),
        (f"agency:{ID.upper()}", "value-not-id", 1),
        ("actor:仮名", "value-not-actor", 1),
        ("action:message", "value-not-action", 1),
        ("action:*", "value-not-action", 1),
        ("action:message:gone", "value-not-action", 1),
        ("decision:maybe", "value-not-decision", 1),
        ("created:yesterday", "value-not-day", 1),
        ("created:2026-02-30", "value-not-day", 1),
        ("created:0001-01-01", "value-not-day", 1),
        ("created:9999-12-31", "value-not-day", 1),
        ("created:=2026-01-01", "value-not-day", 1),
        ("created:2026-11-02..2026-11-01", "range-backwards", 1),
        ("action:case:opened decision:deny", "action-against-decision", 0),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code_and_the_number_of_the_word(written, code, word):
    with pytest.raises(QueryError) as refused:
        parse(written, today=TODAY)
    assert (refused.value.code, refused.value.word) == (code, word)
    assert code in FAULTS


WORDS = st.one_of(
    st.text(max_size=20),
    st.builds(
        "{}:{}".format,
        st.sampled_from([*QUALIFIERS, "person"]),
        st.one_of(
            st.sampled_from([*AuditKind, *DECISIONS, "hub", ID, "message:*", "*", ":*", "2026-01-01..2026-02-01"]),
            st.dates().map(str),
            st.dates().map(">={}".format),
            st.text(max_size=12),
        ),
    ),
)


@given(st.lists(WORDS, max_size=6).map(" ".join))
def test_any_text_is_understood_or_refused_by_a_known_code_and_what_was_understood_says_itself(written):
    try:
        query = parse(written, today=TODAY)
    except QueryError as error:
        code = error.code
    else:
        assert parse(query.text, today=TODAY) == query
        return
    assert code in FAULTS
