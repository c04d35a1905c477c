# SPDX-License-Identifier: Apache-2.0
"""UUIDv7 from a given time and given randomness."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.ids import uuid7

times = st.datetimes(datetime(1970, 1, 1), datetime(2999, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
ten_bytes = st.binary(min_size=10, max_size=10)


def test_the_example_of_the_standard_is_made() -> None:
    # RFC 9562, appendix A.6
    at = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    randomness = bytes.fromhex("0cc318c4dc0c0c07398f")
    assert uuid7(at, randomness) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(times, ten_bytes)
def test_an_id_is_canonical_and_tells_its_millisecond(at: datetime, randomness: bytes) -> None:
    made = UUID(uuid7(at, randomness))
    assert str(made) == uuid7(at, randomness)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@given(times, ten_bytes, ten_bytes)
def test_a_later_id_sorts_later(at: datetime, first: bytes, second: bytes) -> None:
    assert uuid7(at, first) < uuid7(at + timedelta(milliseconds=1), second)


@pytest.mark.parametrize(
    ("at", "randomness"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), b"too short"),
        (datetime(2026, 1, 1, tzinfo=UTC), bytes(11)),
        (datetime(1969, 12, 31, tzinfo=UTC), bytes(10)),
    ],
)
def test_anything_else_is_refused(at: datetime, randomness: bytes) -> None:
    with pytest.raises(ValueError, match="uuid7 needs"):
        uuid7(at, randomness)
