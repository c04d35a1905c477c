# SPDX-License-Identifier: Apache-2.0
"""When a failed try is made again, and when it is given up."""

from datetime import UTC, datetime, timedelta

from hub.outbox import rules

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def test_waits_grow_fourfold_and_the_fifth_failure_is_the_last() -> None:
    waits = [rules.next_try(attempt=attempt, now=NOW) for attempt in range(1, 6)]
    assert [None if at is None else (at - NOW).total_seconds() for at in waits] == [2, 8, 32, 128, None]


def test_a_lease_is_sixty_seconds() -> None:
    assert timedelta(seconds=60) == rules.LEASE
