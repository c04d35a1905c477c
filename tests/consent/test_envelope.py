# SPDX-License-Identifier: Apache-2.0
"""Sealing and opening: what was sealed comes back; whatever was touched on the way does not."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import signing
from consent.envelope import labels
from consent.envelope.labels import check_parts, context_of, padded_size
from consent.envelope.manifest import (
    MAX_PARTS,
    MAX_SIZE,
    MAX_WAIT,
    Manifest,
    read_manifest,
    sign_manifest,
)
from consent.envelope.opening import OpenedPart, RefusedPart, open_parts
from consent.envelope.sealing import PlainPart, Sealed, seal
from consent.errors import DocumentRefusedError, SealRefusedError, SignatureRefusedError, TsunagiError
from consent.vocabulary.codes import CATEGORIES
from tests.consent.messages import (
    DRAFT,
    HOUTERASU,
    JIRITSU,
    OTHER,
    PARTS,
    RECIPIENT,
    SHAKYO,
    Agency,
    counted,
    manifest_of,
    sealed,
)

MESSAGE = sealed()
MANIFEST = manifest_of(MESSAGE)
many = settings(max_examples=60, deadline=None)


def opened(manifest: Manifest, parts: Sequence[str], reader: Agency = HOUTERASU) -> list[str]:
    """Say how each part fared: ok, or the code of its refusal."""
    return [part.code if isinstance(part, RefusedPart) else "ok" for part in open_parts(manifest, parts, reader.enc)]


def refusal(manifest: Manifest, parts: Sequence[str]) -> str:
    with pytest.raises(TsunagiError) as refused:
        check_parts(manifest, parts)
    return refused.value.code


def relabelled(manifest: Manifest, n: int, **changes: Any) -> Manifest:
    """Sign the manifest anew with one part's label changed: the sender itself lies."""
    parts = tuple(replace(part, **changes) if part.n == n else part for part in manifest.parts)
    return read_manifest(sign_manifest(replace(manifest, parts=parts), JIRITSU.sig), JIRITSU.sig.public)


def with_plaintext(plaintext: bytes) -> tuple[Manifest, str]:
    """Seal one part whose plaintext is not of our making, with a manifest that fits it."""
    label = MANIFEST.parts[0]
    text = signing.encrypt(
        plaintext, context=context_of(MANIFEST, label), recipients=[HOUTERASU.enc.public, JIRITSU.enc.public]
    )
    made = replace(
        label, ct=signing.digest(text), com=hashlib.sha256(plaintext).hexdigest(), size_bucket=len(plaintext)
    )
    return replace(MANIFEST, parts=(made,)), text


def test_the_receiver_opens_every_part() -> None:
    check_parts(MANIFEST, MESSAGE.parts)
    assert open_parts(MANIFEST, MESSAGE.parts, HOUTERASU.enc) == tuple(
        OpenedPart(n=n, category=part.category, media=part.media, body=part.body)
        for n, part in enumerate(PARTS, start=1)
    )


def test_the_sender_can_show_later_what_it_sent() -> None:
    assert opened(MANIFEST, MESSAGE.parts, JIRITSU) == ["ok"] * 3


def test_nobody_else_opens_anything() -> None:
    assert opened(MANIFEST, MESSAGE.parts, SHAKYO) == ["undecryptable"] * 3


def test_bodies_and_keys_stay_out_of_every_repr() -> None:
    shown = repr(PARTS) + repr(open_parts(MANIFEST, MESSAGE.parts, HOUTERASU.enc)) + repr(JIRITSU)
    assert "架空田" not in shown
    assert repr(PARTS[0].body) not in shown


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.builds(
            PlainPart, category=st.sampled_from(sorted(CATEGORIES)), media=st.sampled_from(["text/plain", "image/png"]),
            body=st.binary(max_size=9000),
        ),
        max_size=4,
    )
)  # fmt: skip
def test_what_is_sealed_is_what_is_opened(parts: list[PlainPart]) -> None:
    made = seal(
        DRAFT, parts, recipient=HOUTERASU.enc.public, own=JIRITSU.enc.public, sig=JIRITSU.sig, randomness=counted,
        acknowledged=True,
    )  # fmt: skip
    manifest = manifest_of(made)
    check_parts(manifest, made.parts)
    results = open_parts(manifest, made.parts, HOUTERASU.enc)
    assert [(part.category, part.media, part.body) for part in results if isinstance(part, OpenedPart)] == [
        (part.category, part.media, part.body) for part in parts
    ]


def test_two_seals_of_one_text_have_nothing_in_common_but_the_size() -> None:
    twins = [
        seal(DRAFT, PARTS[:1], recipient=HOUTERASU.enc.public, own=JIRITSU.enc.public, sig=JIRITSU.sig,
             randomness=lambda size, n=n: bytes([n]) * size)
        for n in (1, 2)
    ]  # fmt: skip
    one, two = (manifest_of(twin).parts[0] for twin in twins)
    assert one.com != two.com
    assert one.ct != two.ct
    assert one.size_bucket == two.size_bucket


def test_a_salt_of_another_size_is_refused() -> None:
    with pytest.raises(DocumentRefusedError, match="wrong-type at /salt"):
        seal(
            DRAFT,
            PARTS,
            recipient=HOUTERASU.enc.public,
            own=JIRITSU.enc.public,
            sig=JIRITSU.sig,
            randomness=lambda _: b"",
        )


def test_sealing_to_oneself_alone_is_refused() -> None:
    with pytest.raises(SignatureRefusedError, match="key-not-valid"):
        sealed(recipient=JIRITSU)


# ── what a hub, a thief or a liar may try ──


def test_a_missing_or_added_part_is_a_mismatch() -> None:
    for parts in (MESSAGE.parts[:-1], (*MESSAGE.parts, MESSAGE.parts[0]), ()):
        assert refusal(MANIFEST, parts) == "manifest-mismatch"
        with pytest.raises(SealRefusedError, match="manifest-mismatch"):
            open_parts(MANIFEST, parts, HOUTERASU.enc)


def test_two_parts_swapped_are_refused_and_the_third_still_opens() -> None:
    swapped = (MESSAGE.parts[1], MESSAGE.parts[0], MESSAGE.parts[2])
    assert refusal(MANIFEST, swapped) == "part-hash-mismatch"
    assert opened(MANIFEST, swapped) == ["part-hash-mismatch", "part-hash-mismatch", "ok"]


def test_a_refusal_names_the_place_of_the_part() -> None:
    for place in range(3):
        parts = [text + " " if n == place else text for n, text in enumerate(MESSAGE.parts)]
        with pytest.raises(SealRefusedError, match=f"^part-hash-mismatch at /parts/{place}$"):
            check_parts(MANIFEST, parts)


def test_the_limits_are_those_of_the_protocol() -> None:
    assert (labels.MAX_BODY, labels.MAX_REQUEST) == (10 * 2**20, 20 * 2**20)
    assert (MAX_PARTS, MAX_WAIT.days) == (16, 30)
    # the largest body, padded and written in base64url, with room for its headers
    largest = padded_size(labels.MAX_BODY + 40)
    assert largest <= MAX_SIZE
    assert largest * 4 // 3 + 4096 < signing.MAX_PART


def test_two_parts_swapped_by_the_sender_itself_are_a_label_mismatch() -> None:
    first, second = MANIFEST.parts[:2]
    liar = relabelled(relabelled(MANIFEST, 1, ct=second.ct, com=second.com), 2, ct=first.ct, com=first.com)
    swapped = (MESSAGE.parts[1], MESSAGE.parts[0], MESSAGE.parts[2])
    assert refusal(liar, swapped) == "label-mismatch"
    assert opened(liar, swapped) == ["label-mismatch", "label-mismatch", "ok"]


def test_a_part_labelled_contact_outside_and_health_inside_is_refused() -> None:
    liar = relabelled(MANIFEST, 3, category="contact")
    assert refusal(liar, MESSAGE.parts) == "label-mismatch"
    assert opened(liar, MESSAGE.parts) == ["ok", "ok", "label-mismatch"]


def test_a_captured_part_sent_again_under_another_name_is_refused() -> None:
    theirs = sealed(sender=SHAKYO, id="0190a001-0000-7000-8000-000000000002")
    manifest = replace(
        manifest_of(theirs, SHAKYO),
        sender=OTHER,
        parts=tuple(
            replace(mine, ct=label.ct, com=label.com)
            for mine, label in zip(MANIFEST.parts, MANIFEST.parts, strict=True)
        ),
    )
    assert refusal(manifest, MESSAGE.parts) == "label-mismatch"
    assert opened(manifest, MESSAGE.parts) == ["label-mismatch"] * 3


@pytest.mark.parametrize(
    "changes", [{"id": "0190a001-0000-7000-8000-000000000009"}, {"sender": OTHER}, {"recipient": OTHER}], ids=range(3)
)
def test_parts_of_one_message_do_not_fit_another(changes: dict[str, Any]) -> None:
    other = replace(MANIFEST, **changes)
    assert opened(other, MESSAGE.parts) == ["label-mismatch"] * 3


def test_a_part_that_is_not_sealed_to_the_named_key_is_refused() -> None:
    other = replace(MANIFEST, to_kid=SHAKYO.enc.kid)
    assert refusal(other, MESSAGE.parts) == "manifest-mismatch"


@pytest.mark.parametrize("readers", [[HOUTERASU], [HOUTERASU, JIRITSU, SHAKYO]], ids=["one", "three"])
def test_a_part_is_sealed_to_exactly_two(readers: list[Agency]) -> None:
    label = MANIFEST.parts[0]
    text = signing.encrypt(
        bytes(4096), context=context_of(MANIFEST, label), recipients=[reader.enc.public for reader in readers]
    )
    manifest = replace(MANIFEST, parts=(replace(label, ct=signing.digest(text)),))
    assert refusal(manifest, [text]) == "manifest-mismatch"


@pytest.mark.parametrize("n", [1.0, True])
def test_a_number_that_python_takes_for_one_is_another_label(n: object) -> None:
    label = MANIFEST.parts[0]
    context = {**context_of(MANIFEST, label), "n": n}
    text = signing.encrypt(bytes(4096), context=context, recipients=[HOUTERASU.enc.public, JIRITSU.enc.public])
    assert refusal(replace(MANIFEST, parts=(replace(label, ct=signing.digest(text)),)), [text]) == "label-mismatch"


@pytest.mark.parametrize("size", [4095, 4097, 8192, 1])
def test_a_size_that_is_not_the_labels_or_no_step_is_refused(size: int) -> None:
    assert refusal(relabelled(MANIFEST, 1, size_bucket=size), MESSAGE.parts) == "manifest-mismatch"
    if size != 8192:
        manifest, text = with_plaintext(bytes(size))
        assert refusal(manifest, [text]) == "manifest-mismatch"


def test_a_broken_header_is_refused_by_the_hub_without_a_key() -> None:
    text = MESSAGE.parts[0].replace('"tag"', '"aad":"AAAA","tag"')
    manifest = replace(MANIFEST, parts=(replace(MANIFEST.parts[0], ct=signing.digest(text)),))
    assert refusal(manifest, [text]) == "header-not-allowed"
    assert opened(manifest, [text]) == ["header-not-allowed"]


def test_a_request_over_twenty_mebibytes_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "MAX_REQUEST", sum(map(len, MESSAGE.parts)) - 1)
    assert refusal(MANIFEST, MESSAGE.parts) == "too-large"
    with pytest.raises(SealRefusedError, match="too-large"):
        sealed()


def test_an_attachment_over_ten_megabytes_is_too_large() -> None:
    big = PlainPart(category="health", media="image/png", body=bytes(labels.MAX_BODY + 1))
    with pytest.raises(SealRefusedError, match="too-large"):
        sealed(parts=(big,))


def test_another_plaintext_than_the_committed_one_is_refused() -> None:
    liar = relabelled(MANIFEST, 1, com="0" * 64)
    check_parts(liar, MESSAGE.parts)
    assert opened(liar, MESSAGE.parts) == ["commitment-mismatch", "ok", "ok"]


@pytest.mark.parametrize(
    "plaintext",
    [
        bytes(32) + (4057).to_bytes(8) + bytes(4056),
        bytes(32) + (2**64 - 1).to_bytes(8) + bytes(4056),
        bytes(32) + (1).to_bytes(8) + b"a" + b"hidden".ljust(4055, b"\0"),
        bytes(32) + (1).to_bytes(8) + b"a".ljust(8152, b"\0"),
    ],
    ids=["longer than it is", "longer than anything", "something behind the end", "padded too far"],
)
def test_a_committed_plaintext_in_another_form_is_refused(plaintext: bytes) -> None:
    manifest, text = with_plaintext(plaintext)
    check_parts(manifest, [text])
    assert opened(manifest, [text]) == ["manifest-mismatch"]


def test_a_key_point_that_agrees_on_nothing_makes_the_part_undecryptable() -> None:
    made = json.loads(MESSAGE.parts[0])
    for entry in made["recipients"]:
        entry["header"]["epk"]["x"] = "A" * 43
    text = json.dumps(made)
    manifest = replace(MANIFEST, parts=(replace(MANIFEST.parts[0], ct=signing.digest(text)),))
    check_parts(manifest, [text])
    (part,) = open_parts(manifest, [text], HOUTERASU.enc)
    assert isinstance(part, RefusedPart)
    assert (part.code, part.result) == ("undecryptable", "undecryptable")


@pytest.mark.parametrize(
    ("code", "result"),
    [("undecryptable", "undecryptable"), ("label-mismatch", "label_mismatch"), ("part-hash-mismatch", "refused")],
)
def test_a_refusal_has_a_word_in_the_receipt(code: str, result: str) -> None:
    assert RefusedPart(n=1, category="health", code=code).result == result


@many
@given(place=st.integers(0, 2), at=st.integers(0, 5000), letter=st.characters())
def test_one_changed_letter_of_a_part_refuses_that_part_and_no_other(place: int, at: int, letter: str) -> None:
    text = MESSAGE.parts[place]
    at %= len(text)
    changed = text[:at] + letter + text[at + 1 :]
    parts = [changed if n == place else part for n, part in enumerate(MESSAGE.parts)]
    expected = ["ok"] * 3
    if changed != text:
        expected[place] = "part-hash-mismatch"
    assert opened(MANIFEST, parts) == expected


@many
@given(data=st.data())
def test_one_changed_letter_that_the_sender_signs_anew_is_refused_too(data: st.DataObject) -> None:
    """The hash fits, the signature fits: then header, seal, label or commitment refuse."""
    made = json.loads(MESSAGE.parts[0])
    name = data.draw(st.sampled_from(["protected", "iv", "ciphertext", "tag"]))
    at = data.draw(st.integers(0, len(made[name]) - 1))
    letter = data.draw(st.sampled_from("ABCDwxyz0189-_"))
    if made[name][at] == letter:
        return
    made[name] = made[name][:at] + letter + made[name][at + 1 :]
    text = json.dumps(made)
    manifest = replace(MANIFEST, parts=(replace(MANIFEST.parts[0], ct=signing.digest(text)),))
    assert opened(manifest, [text]) != ["ok"]


@many
@given(at=st.integers(0, 3000), letter=st.characters())
def test_one_changed_letter_of_the_manifest_is_refused(at: int, letter: str) -> None:
    token = MESSAGE.manifest
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    if changed != token:
        with pytest.raises(SignatureRefusedError):
            read_manifest(changed, JIRITSU.sig.public)


@many
@given(order=st.permutations(range(3)), twice=st.sampled_from([None, 0, 1, 2]))
def test_parts_in_any_other_order_or_twice_are_refused(order: list[int], twice: int | None) -> None:
    places = order if twice is None else [twice] * 3
    results = opened(MANIFEST, [MESSAGE.parts[place] for place in places])
    assert results == ["ok" if place == n else "part-hash-mismatch" for n, place in enumerate(places)]


def test_the_sealed_message_is_only_strings() -> None:
    assert isinstance(MESSAGE, Sealed)
    assert all(isinstance(text, str) for text in (MESSAGE.manifest, *MESSAGE.parts))
    assert RECIPIENT in json.dumps(context_of(MANIFEST, MANIFEST.parts[0]))
