# SPDX-License-Identifier: Apache-2.0
"""Padding: what a size tells is little, and what it costs is little (protocol §2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.envelope import labels
from consent.envelope.labels import padded_size


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, 4096),
        (1, 4096),
        (40, 4096),
        (4096, 4096),
        (4097, 8192),
        (65536, 65536),
        (65537, 67584),
        (100_000, 100_352),
        (10_485_800, 10_747_904),
    ],
)
def test_sizes_are_padded_in_steps_and_then_by_padme(size: int, expected: int) -> None:
    assert padded_size(size) == expected


@given(st.integers(1, 2**40))
def test_padding_holds_the_size_costs_little_and_is_its_own_padding(size: int) -> None:
    padded = padded_size(size)
    assert padded >= size
    assert padded_size(padded) == padded
    assert padded - size < (4096 if size <= 65536 else size * 0.12)


@given(st.integers(0, 2**30), st.integers(0, 2**30))
def test_a_larger_size_is_never_padded_to_less(one: int, two: int) -> None:
    small, large = sorted((one, two))
    assert padded_size(small) <= padded_size(large)


def test_up_to_the_largest_attachment_there_are_few_sizes_to_tell_apart() -> None:
    assert len({padded_size(size) for size in range(0, labels.MAX_BODY, 512)}) < 256
