# SPDX-License-Identifier: Apache-2.0
"""The strict parser: what it refuses, with which code, and that it never fails in another way."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from consent import wire
from consent.errors import DocumentRefusedError, TsunagiError


@wire.document
class Inner:
    kind: Annotated[str, wire.Code({"one", "two"}.__contains__)]
    note: str | None = None


@wire.document
class Outer:
    id: wire.Id
    count: int
    yes: bool
    at: wire.Moment
    codes: Annotated[frozenset[str], wire.Codes({"a", "b", "c"}.__contains__, least=1, most=2)]
    inner: Annotated[tuple[Inner, ...], Field(max_length=2)]
    sender: Annotated[wire.Opaque, Field(alias="from")]


GOOD = {
    "id": "0190a000-0000-7000-8000-00000000000a",
    "count": 3,
    "yes": True,
    "at": "2026-04-01T00:00:00Z",
    "codes": ["b", "a"],
    "inner": [{"kind": "one"}],
    "from": "staff-7",
}


def refusal(text: str | bytes, shape: type = Outer) -> tuple[str, str]:
    with pytest.raises(DocumentRefusedError) as refused:
        wire.read(shape, text)
    return refused.value.code, refused.value.pointer


def changed(**members: object) -> str:
    return json.dumps({**GOOD, **{name.rstrip("_"): value for name, value in members.items()}})


@pytest.mark.parametrize(
    "text",
    ["", " ", "null", "[]", '"text"', "1", "{", "{'a':1}", '{"a":1}x', "\ufeff{}", b"\xff{}", b"{}\x00"],
)
def test_what_is_not_one_json_object_is_malformed(text: str | bytes) -> None:
    assert refusal(text) == ("malformed-json", "")


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9007199254740993", "9" * 5000])
def test_numbers_that_others_would_read_otherwise_are_malformed(number: str) -> None:
    assert refusal(f'{{"count": {number}}}') == ("malformed-json", "")


def test_integers_up_to_two_to_the_53_are_read() -> None:
    assert wire.parse('{"a": 9007199254740992, "b": -9007199254740992, "c": 1.5}') == {
        "a": 2**53,
        "b": -(2**53),
        "c": 1.5,
    }


@pytest.mark.parametrize("text", ['{"a":1,"a":1}', '{"a":{"b":1,"b":2}}', '{"a":1,"\\u0061":2}'])
def test_a_member_that_stands_twice_is_malformed(text: str) -> None:
    assert refusal(text) == ("malformed-json", "")


def test_sixteen_levels_are_read_and_seventeen_are_not() -> None:
    assert wire.parse('{"a":' * 15 + "{}" + "}" * 15)
    assert refusal('{"a":' * 16 + "{}" + "}" * 16) == ("malformed-json", "")


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_a_hundred_thousand_levels_are_malformed_and_nothing_worse(opening: str) -> None:
    assert refusal('{"a":' + opening * 100_000) == ("malformed-json", "")
    closing = "]" if opening == "[" else "}"
    assert refusal('{"a":' + opening * 100_000 + "1" + closing * 100_000 + "}") == ("malformed-json", "")


@pytest.mark.parametrize(
    "text",
    ['{"a":"\\ud800"}', '{"a":["\\udfff"]}', '{"\\ud800":1}', '{"a":"\\u0000"}', '{"a\\u0000":1}', '{"a":"\ud800"}'],
)
def test_text_that_cannot_be_stored_is_bad_text(text: str) -> None:
    assert refusal(text) == ("bad-text", "")


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert wire.parse('{"a":"\\ud842\\udfb7"}') == {"a": "𠮷"}


def test_text_is_never_normalised() -> None:
    assert wire.parse('{"a":"\ufa19\ufa1b"}') == {"a": "\ufa19\ufa1b"}


def test_more_bytes_than_the_limit_are_too_large() -> None:
    with pytest.raises(DocumentRefusedError, match=r"^too-large$"):
        wire.parse("{}  ", limit=3)


def test_a_document_is_read_as_its_shape() -> None:
    read = wire.read(Outer, json.dumps(GOOD))
    assert read == Outer(
        id=GOOD["id"], count=3, yes=True, at=datetime(2026, 4, 1, tzinfo=UTC), codes=frozenset("ab"),
        inner=(Inner(kind="one"),), sender="staff-7",
    )  # fmt: skip


def test_what_was_written_compactly_is_read_as_the_same() -> None:
    read = wire.read(Outer, json.dumps(GOOD))
    written = wire.compact(read)
    assert wire.read(Outer, written) == read
    assert b'"codes":["a","b"]' in written
    assert b'"from":"staff-7"' in written
    assert b" " not in written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (changed(more=1), ("unknown-member", "")),
        (changed(inner=[{"kind": "one", "架空田": 1}]), ("unknown-member", "/inner/0")),
        (changed(inner=[{}]), ("missing-member", "/inner/0/kind")),
        (changed(inner=[{"kind": "three"}]), ("unknown-code", "/inner/0/kind")),
        (changed(inner=[{"kind": 1}]), ("wrong-type", "/inner/0/kind")),
        (changed(inner=[{"kind": "one"}] * 3), ("too-large", "/inner")),
        (changed(inner={}), ("wrong-type", "/inner")),
        (changed(count="1"), ("wrong-type", "/count")),
        (changed(count=1.0), ("wrong-type", "/count")),
        (changed(count=True), ("wrong-type", "/count")),
        (changed(count=None), ("wrong-type", "/count")),
        (changed(yes=1), ("wrong-type", "/yes")),
        (changed(yes="true"), ("wrong-type", "/yes")),
        (changed(id="0190A000-0000-7000-8000-00000000000A"), ("wrong-type", "/id")),
        (changed(id="0190a000-0000-7000-8000-00000000000a\n"), ("wrong-type", "/id")),
        (changed(id="{0190a000-0000-7000-8000-00000000000a}"), ("wrong-type", "/id")),
        (changed(at=0), ("wrong-type", "/at")),
        (changed(at="2026-04-01"), ("bad-date", "/at")),
        (changed(at="2026-04-01T00:00:00"), ("bad-date", "/at")),
        (changed(at="2026-04-01T09:00:00+09:00"), ("bad-date", "/at")),
        (changed(at="2026-02-30T00:00:00Z"), ("bad-date", "/at")),
        (changed(at="2026-04-01T23:59:60Z"), ("bad-date", "/at")),
        (changed(at="２０２６-04-01T00:00:00Z"), ("bad-date", "/at")),
        (changed(codes=["z"]), ("unknown-code", "/codes")),
        (changed(codes=["a", "a"]), ("wrong-type", "/codes")),
        (changed(codes=[]), ("wrong-type", "/codes")),
        (changed(codes=[1]), ("wrong-type", "/codes")),
        (changed(codes="a"), ("wrong-type", "/codes")),
        (changed(codes=["a", "b", "c"]), ("too-large", "/codes")),
        (changed(from_="架空田"), ("wrong-type", "/from")),
    ],
)
def test_a_document_that_is_not_its_shape_is_refused_with_the_place(text: str, expected: tuple[str, str]) -> None:
    assert refusal(text) == expected


@pytest.mark.parametrize("name", sorted(GOOD))
def test_every_member_of_a_whole_document_must_be_there(name: str) -> None:
    text = json.dumps({key: value for key, value in GOOD.items() if key != name})
    assert refusal(text) == ("missing-member", f"/{name}")


def test_a_default_does_not_fill_a_member_of_a_whole_document() -> None:
    assert refusal('{"kind":"one"}', Inner) == ("missing-member", "/note")
    assert wire.read(Inner, '{"kind":"one","note":null}') == Inner(kind="one")


def test_a_refusal_never_repeats_what_came_in() -> None:
    with pytest.raises(DocumentRefusedError) as refused:
        wire.read(Outer, changed(架空田="一郎"))
    assert "架空田" not in repr(refused.value) + str(refused.value)
    assert refused.value.__cause__ is None


def test_a_strict_pydantic_model_is_read_too() -> None:
    class Model(BaseModel):
        model_config = ConfigDict(extra="forbid", strict=True)
        count: int

    assert wire.read(Model, '{"count":1}').count == 1
    assert refusal('{"count":1,"more":2}', Model) == ("unknown-member", "")


def test_moments_are_written_in_utc() -> None:
    at = datetime(2026, 4, 1, 9, 0, 0, 5, tzinfo=timezone(timedelta(hours=9)))
    assert wire.write_moment(at) == "2026-04-01T00:00:00.000005Z"
    assert wire.read_moment(at) == at


@pytest.mark.parametrize("text", ["a", "ab=", "ab==", "a+bc", "a/bc", " abc", "abc\n", "ab c", "あ", "ab", "abd", "QR"])
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(DocumentRefusedError):
        wire.from_base64url(text)


@given(st.binary())
def test_base64url_comes_back(raw: bytes) -> None:
    assert wire.from_base64url(wire.to_base64url(raw)) == raw


@given(st.text(max_size=8))
def test_base64url_read_is_the_spelling_that_is_written(text: str) -> None:
    try:
        raw = wire.from_base64url(text)
    except DocumentRefusedError:
        return
    assert wire.to_base64url(raw) == text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\ud800", "\0"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(sorted(GOOD)), inner),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(), st.binary(), JSON.map(json.dumps), JSON.map(lambda v: json.dumps(v, ensure_ascii=False))))
@example("\ud800")
@example('{"a":"' + "\ud800" + '"}')
def test_whatever_comes_in_only_our_refusals_come_out(text: str | bytes) -> None:
    for shape in (Outer, Inner):
        try:
            wire.read(shape, text)
        except TsunagiError as refused:
            assert refused.code in {  # noqa: PT017 - not raising is as good
                "malformed-json", "bad-text", "unknown-member", "missing-member", "wrong-type",
                "unknown-code", "bad-date", "too-large",
            }  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_one_member_of_another_type_is_refused_by_its_place(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(GOOD)))
    value = data.draw(JSON)
    try:
        wire.read(Outer, json.dumps({**GOOD, name: value}))
    except DocumentRefusedError as refused:
        assert refused.pointer.startswith(f"/{name}") or refused.code in {"malformed-json", "bad-text"}  # noqa: PT017
