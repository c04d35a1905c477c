# SPDX-License-Identifier: Apache-2.0
"""Twelve digits with a valid check digit stop the sealing, and a person's answer lets them pass (protocol §2)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.envelope.manifest import Manifest
from consent.envelope.sealing import Mark, MyNumberFoundError, PlainPart, find_my_numbers, seal
from consent.errors import SealRefusedError
from tests.consent.messages import DRAFT, HOUTERASU, JIRITSU, counted, manifest_of

# the ministry's own example of the check digit, not anybody's number
EXAMPLE = "123456789018"


def part(text: str, **changes: Any) -> PlainPart:
    return PlainPart(**{"category": "identity", "media": "text/plain", "body": text.encode(), **changes})


def check_digit(eleven: str) -> str:
    """Compute it the other way round: from the ordinance's table of multipliers."""
    rest = sum(int(sign) * factor for sign, factor in zip(eleven, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), strict=True)) % 11
    return str(0 if rest <= 1 else 11 - rest)


def seal_it(text: str, *, acknowledged: bool = False) -> Manifest:
    made = seal(
        DRAFT, [part("名前"), part(text)], recipient=HOUTERASU.enc.public, own=JIRITSU.enc.public, sig=JIRITSU.sig,
        randomness=counted, acknowledged=acknowledged,
    )  # fmt: skip
    return manifest_of(made)


@pytest.mark.parametrize(
    "written",
    [
        EXAMPLE,
        "１２３４５６７８９０１８",
        "1234 5678 9018",
        "1234-5678-9018",
        "1234－5678－9018",
        "１２３４　５６７８　９０１８",
    ],
)
def test_a_my_number_is_found_however_it_is_written(written: str) -> None:
    text = f"番号は{written}です"
    assert find_my_numbers([part(text)]) == (Mark(n=1, start=3, end=3 + len(written)),)


def test_sealing_stops_with_the_digits_marked_and_never_shown() -> None:
    with pytest.raises(MyNumberFoundError) as found:
        seal_it(f"マイナンバー {EXAMPLE}")
    assert found.value.code == "my-number"
    assert found.value.pointer == "/parts/1"
    assert found.value.marks == (Mark(n=2, start=7, end=19),)
    assert EXAMPLE not in str(found.value) + repr(found.value)
    assert isinstance(found.value, SealRefusedError)


def test_a_person_who_says_that_it_is_none_lets_it_pass() -> None:
    assert len(seal_it(f"口座 {EXAMPLE}", acknowledged=True).parts) == 2


@pytest.mark.parametrize(
    "text",
    [
        "123456789012",
        "1234567890180",
        "0123456789018",
        "12345678901",
        "1234 5678-9018",
        "12 3456789018",
        "電話 090-0000-0000",
        "",
    ],
)
def test_other_digits_do_not_stop_the_sealing(text: str) -> None:
    assert find_my_numbers([part(text)]) == ()


def test_what_is_not_text_is_not_read_as_text() -> None:
    assert find_my_numbers([part("", body=b"\xff" + EXAMPLE.encode())]) == ()


def test_every_place_is_marked() -> None:
    marks = find_my_numbers([part(EXAMPLE), part("なし"), part(f"{EXAMPLE} と {EXAMPLE}")])
    assert [(mark.n, mark.start) for mark in marks] == [(1, 0), (3, 0), (3, 15)]


@given(st.text("0123456789", min_size=11, max_size=11), st.sampled_from("0123456789"))
def test_exactly_one_last_digit_of_ten_is_taken_for_a_my_number(eleven: str, last: str) -> None:
    assert bool(find_my_numbers([part(eleven + last)])) == (last == check_digit(eleven))


def test_the_digits_of_an_id_are_no_number_and_one_beside_an_id_is_found() -> None:
    made = "019d6069-31c0-72a1-8721-123456789018"
    assert find_my_numbers([part(f'{{"id": "{made}"}}')]) == ()
    assert len(find_my_numbers([part(f'{{"id": "{made}", "text": "123456789018"}}')])) == 1
    assert len(find_my_numbers([part("123456789018-72a1")])) == 1
