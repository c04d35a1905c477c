# SPDX-License-Identifier: Apache-2.0
"""The runner that asks whether sender, hub and receiver agree (`bench.agree`), in small; and that it is not blind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import agree
from consent.decisions import Facts
from consent.scopes import Party

BAD = ("sender differs", "receiver wider", "receiver narrower")
HIDDEN = {"exclusions": (), "withdrawals": (), "closed_at": None}


def test_sender_hub_and_receiver_agree() -> None:
    found = agree.count(5_000, seed=7)
    assert [found[word] for word in BAD] == [0, 0, 0]
    assert found["permitted"] > 200
    assert len(found) > 12


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_receiver_that_is_not_told_what_names_it_is_found_out(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = agree.as_the_receiver_sees_it

    def blind(known: Facts, me: Party) -> Facts:
        return replace(seen(known, me), **{hidden: HIDDEN[hidden]})  # type: ignore[arg-type]

    monkeypatch.setattr(agree, "as_the_receiver_sees_it", blind)
    assert agree.count(5_000, seed=7)["receiver wider"] > 0


def test_a_receiver_that_is_not_shown_its_records_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agree, "as_the_receiver_sees_it", lambda known, _: replace(known, scopes=()))
    assert agree.count(5_000, seed=7)["receiver narrower"] > 0


def test_a_sender_that_forgets_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agree, "as_the_sender_holds_it", lambda known, _: replace(known, withdrawals=()))
    assert agree.count(5_000, seed=7)["sender differs"] > 0
