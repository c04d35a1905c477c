# SPDX-License-Identifier: Apache-2.0
"""The grammar of kinds and the bytes of entries."""

import json
import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.audit.rules import AuditKind, Entry, entry_bytes, origin

AT = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
BLIND = bytes(range(16))
ID = "01900000-0000-7000-8000-000000000001"
ENTRY = Entry(kind=AuditKind.CASE_OPENED, actor="hub", parties=("b", "a", "b"), facts={"z": 1, "a": [True, None]})


def written(entry: Entry = ENTRY, at: datetime = AT, blind: bytes = BLIND) -> bytes:
    return entry_bytes(entry, entry_id=ID, at=at, blind=blind)


@pytest.mark.parametrize("kind", AuditKind)
def test_a_kind_is_a_thing_and_what_happened(kind: AuditKind) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*:[a-z]+(_[a-z]+)*", kind.value)


def test_an_entry_is_compact_ascii_json_with_sorted_members_and_sorted_parties() -> None:
    assert written() == (
        b'{"actor":"hub","at":"2026-04-01T09:00:00.000000Z","blind":"000102030405060708090a0b0c0d0e0f",'
        b'"case":null,"facts":{"a":[true,null],"z":1},"id":"01900000-0000-7000-8000-000000000001",'
        b'"kind":"case:opened","parties":["a","b"],"subject":null,"v":1}'
    )


def test_one_moment_is_written_one_way_in_whatever_zone_it_is_told() -> None:
    assert written(at=AT.astimezone(timezone(timedelta(hours=9)))) == written()


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time-without-zone"):
        written(at=AT.replace(tzinfo=None))


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_blind_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="blind-length"):
        written(blind=bytes(length))


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        written(Entry(kind=AuditKind.CASE_OPENED, actor="hub", parties=(), facts={"x": float("nan")}))


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), values, max_size=4))
def test_an_entry_reads_back_as_it_was_said(facts: dict[str, object]) -> None:
    raw = written(Entry(kind=AuditKind.CASE_NOTED, actor="hub", parties=("a",), facts=facts))
    assert raw.isascii()
    assert json.loads(raw)["facts"] == facts


@pytest.mark.parametrize("issuer", ["https://hub.example", "http://hub.example"])
def test_the_log_is_named_by_where_it_is_read(issuer: str) -> None:
    assert origin(issuer) == "hub.example/v1/audit"
