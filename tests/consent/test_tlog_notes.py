# SPDX-License-Identifier: Apache-2.0
"""Signed notes, checkpoints, cosignatures: C2SP's own example, and one test per way to be a little different."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.errors import LogRefusedError
from consent.tlog.notes import (
    Checkpoint,
    Note,
    Signature,
    Verifier,
    cosign,
    cosigned_at,
    count_cosignatures,
    open_checkpoint,
    read_checkpoint,
    read_note,
    sign_checkpoint,
)
from consent.tlog.tree import leaf_hash

LOG = "hub.example/tsunagi-log"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
LOG_KEY = Verifier(LOG, KEY.public_key())
WITNESSES = [Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (2, 3, 4)]
VERIFIERS = [Verifier(f"witness{n}.example", key.public_key(), cosigns=True) for n, key in enumerate(WITNESSES)]
AT = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
CHECKPOINT = Checkpoint(origin=LOG, size=20852163, root=leaf_hash(b"root"))
NOTE = sign_checkpoint(CHECKPOINT, KEY)
TEXT = NOTE.write()
LINE = NOTE.signatures[0].line()


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(LogRefusedError) as refused:
        act()
    return refused.value.code


def signed(text: str, key: Ed25519PrivateKey = KEY, name: str = LOG) -> str:
    """Sign any text as a note: the text alone is what is wrong with it."""
    verifier = Verifier(name, key.public_key())
    return Note(text, (Signature(name, verifier.key_id, key.sign(text.encode())),)).write()


def cosigned(*numbers: int) -> Note:
    lines = tuple(cosign(NOTE, VERIFIERS[n].name, WITNESSES[n], AT) for n in numbers)
    return Note(NOTE.text, (*NOTE.signatures, *lines))


def test_the_example_of_the_signed_note_format_verifies() -> None:
    # the example in the documentation of Go's sumdb/note, which the C2SP specification took over
    key = Verifier.read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    note = read_note(text)
    (signature,) = note.signatures
    assert signature.key_id == key.key_id
    key.native.verify(signature.raw, note.text.encode())
    assert note.write() == text


def test_a_checkpoint_is_three_lines_and_a_signature() -> None:
    origin, size, root, blank, line, end = TEXT.split("\n")
    assert (origin, size, blank, end) == (LOG, "20852163", "", "")
    assert base64.b64decode(root) == CHECKPOINT.root
    assert line.startswith(f"— {LOG} ")


def test_a_checkpoint_is_opened_by_the_key_of_its_log() -> None:
    assert open_checkpoint(TEXT, LOG_KEY) == CHECKPOINT
    assert read_note(TEXT) == NOTE


def test_the_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint(origin=LOG, size=0, root=leaf_hash(b""))
    assert open_checkpoint(sign_checkpoint(empty, KEY).write(), LOG_KEY) == empty


@pytest.mark.parametrize("verifier", [LOG_KEY, *VERIFIERS])
def test_a_verifier_key_comes_back_from_its_text(verifier: Verifier) -> None:
    assert Verifier.read(verifier.text()).text() == verifier.text()
    assert Verifier.read(verifier.text()).key_id == verifier.key_id


VKEY = LOG_KEY.text()


@pytest.mark.parametrize(
    "text",
    [
        "", "a", "a+b", VKEY[:-1], VKEY + "A", VKEY.replace("+", "-"), "x" + VKEY, VKEY.replace("hub", "h b"),
        "+" + VKEY.split("+", 1)[1],
        VKEY.replace(VKEY.split("+")[1], "00000000"), VKEY.replace(VKEY.split("+")[1],
        VKEY.split("+")[1].upper() + " "),
        f"{LOG}+00000000+{base64.b64encode(b'x' * 33).decode()}", f"{LOG}+00000000+AQ==",
    ],
    ids=range(13),
)  # fmt: skip
def test_a_verifier_key_that_is_not_exact_is_refused(text: str) -> None:
    assert refusal(lambda: Verifier.read(text)) == "malformed-note"


BODY = CHECKPOINT.text()
ROOT = BODY.split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        BODY + "extension\n", BODY + "\n", BODY.replace("20852163", "020852163"), BODY.replace("20852163", "-1"),
        BODY.replace("20852163", "+1"), BODY.replace("20852163", "２０"), BODY.replace("20852163", "1e3"),
        BODY.replace("20852163", ""),
        BODY.replace("20852163", "1" * 20), BODY.replace(ROOT, ROOT[:-1]), BODY.replace(ROOT, ROOT[:-4]),
        BODY.replace(ROOT, ROOT + "AAAA"),
        BODY.replace(ROOT, ROOT[:-2] + chr(ord(ROOT[-2]) + 1) + "="), BODY.replace(ROOT, ROOT.replace("=", "")),
        BODY.replace(ROOT, " " + ROOT),
        BODY.replace(ROOT, "あ"), BODY.replace(LOG, ""), BODY.replace(LOG, LOG + " x"), BODY.replace(LOG,
        LOG + "+x"), LOG + "\n1\n", LOG + "\n",
    ],
    ids=range(21),
)  # fmt: skip
def test_a_checkpoint_in_any_other_spelling_is_refused(text: str) -> None:
    assert text != BODY
    assert refusal(lambda: open_checkpoint(signed(text), LOG_KEY)) == "malformed-note"


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "\n\n", BODY, TEXT[:-1], TEXT + "\n", TEXT + "x", TEXT.replace("— ", "- "), TEXT.replace("— ",
        "—"), TEXT.replace("— ", "—  "),
        TEXT.replace("\n\n", "\n"), TEXT.replace("\n", "\r\n"), TEXT.replace(LOG, LOG + "\t"), TEXT.replace(LOG,
        "\x1b[31m"), TEXT + "\ud800\n",
        BODY + "\n" + LINE[:-3] + "\n", BODY + "\n" + LINE.replace("=", "") if "=" in LINE else "x",
        BODY + "\n— a AAAA\n", BODY + "\n— a AAAAAA==\n",
        BODY + "\n" + "— a b\n", BODY + "\n— a+b AAAAAAAA\n", BODY + "\n" + LINE + "\n" + "x", "\n" + LINE,
        "x" * 70_000 + "\n\n" + LINE,
    ],
    ids=range(24),
)  # fmt: skip
def test_a_note_in_any_other_spelling_is_refused(text: str) -> None:
    assert refusal(lambda: open_checkpoint(text, LOG_KEY)) == "malformed-note"


def test_sixty_four_signatures_are_read_and_sixty_five_are_not() -> None:
    strangers = [f"— stranger{n}.example AAAAAAAA\n" for n in range(64)]
    assert open_checkpoint(TEXT + "".join(strangers[:63]), LOG_KEY) == CHECKPOINT
    assert refusal(lambda: open_checkpoint(TEXT + "".join(strangers), LOG_KEY)) == "malformed-note"


def test_signatures_of_strangers_are_left_alone() -> None:
    assert open_checkpoint(BODY + "\n— stranger.example AAAAAAAA\n" + LINE, LOG_KEY) == CHECKPOINT


def test_a_checkpoint_that_the_log_did_not_sign_is_refused() -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    assert refusal(lambda: open_checkpoint(signed(BODY, other), LOG_KEY)) == "bad-signature"
    assert refusal(lambda: open_checkpoint(TEXT.replace("20852163", "20852164"), LOG_KEY)) == "bad-signature"
    stolen = Signature(LOG, LOG_KEY.key_id, other.sign(BODY.encode()))
    assert refusal(lambda: open_checkpoint(Note(BODY, (stolen,)).write(), LOG_KEY)) == "bad-signature"
    short = Signature(LOG, LOG_KEY.key_id, b"x")
    assert refusal(lambda: open_checkpoint(Note(BODY, (short,)).write(), LOG_KEY)) == "bad-signature"


def test_the_log_signing_twice_is_refused() -> None:
    assert refusal(lambda: open_checkpoint(TEXT + LINE, LOG_KEY)) == "bad-signature"


def test_a_checkpoint_of_another_log_is_refused_even_under_this_key() -> None:
    other = "other.example/log"
    text = BODY.replace(LOG, other)
    assert refusal(lambda: open_checkpoint(signed(text, name=other), LOG_KEY)) == "bad-signature"
    assert refusal(lambda: open_checkpoint(signed(text), LOG_KEY)) == "bad-signature"


def test_a_witness_is_not_a_log() -> None:
    witness = Verifier(LOG, KEY.public_key(), cosigns=True)
    assert refusal(lambda: open_checkpoint(TEXT, witness)) == "bad-signature"
    assert refusal(lambda: cosigned_at(NOTE, LOG_KEY)) == "bad-signature"


def test_an_origin_that_could_not_be_read_is_not_signed() -> None:
    assert refusal(lambda: sign_checkpoint(Checkpoint(origin="a b", size=1, root=bytes(32)), KEY)) == "malformed-note"
    assert refusal(lambda: sign_checkpoint(Checkpoint(origin="a", size=1, root=bytes(31)), KEY)) == "malformed-note"


def test_a_cosignature_says_who_and_when() -> None:
    note = read_note(cosigned(0, 1).write())
    assert open_checkpoint(note.write(), LOG_KEY) == CHECKPOINT
    assert cosigned_at(note, VERIFIERS[0]) == AT
    assert count_cosignatures(note, VERIFIERS) == 2
    assert count_cosignatures(NOTE, VERIFIERS) == 0


def test_a_cosignature_is_over_the_time_and_the_text() -> None:
    line = cosign(NOTE, "w.example", WITNESSES[0], AT)
    seconds = int(AT.timestamp())
    assert line.raw[:8] == seconds.to_bytes(8)
    WITNESSES[0].public_key().verify(line.raw[8:], f"cosignature/v1\ntime {seconds}\n{NOTE.text}".encode())
    assert line.key_id != Verifier("w.example", WITNESSES[0].public_key()).key_id


def test_a_changed_time_or_text_takes_the_cosignature_away() -> None:
    line = cosign(NOTE, VERIFIERS[0].name, WITNESSES[0], AT)
    later = Signature(line.name, line.key_id, int((AT + timedelta(1)).timestamp()).to_bytes(8) + line.raw[8:])
    assert refusal(lambda: cosigned_at(Note(NOTE.text, (later,)), VERIFIERS[0])) == "bad-signature"
    other = sign_checkpoint(Checkpoint(origin=LOG, size=1, root=CHECKPOINT.root), KEY)
    assert refusal(lambda: cosigned_at(Note(other.text, (line,)), VERIFIERS[0])) == "bad-signature"
    assert count_cosignatures(Note(other.text, (line,)), VERIFIERS) == 0


@pytest.mark.parametrize("raw", [b"", b"\0" * 7, b"\xff" * 72, b"\0" * 72])
def test_a_broken_cosignature_counts_for_nothing(raw: bytes) -> None:
    line = Signature(VERIFIERS[0].name, VERIFIERS[0].key_id, raw)
    assert count_cosignatures(Note(NOTE.text, (line,)), VERIFIERS) == 0


def test_a_cosignature_from_beyond_the_year_9999_is_refused() -> None:
    seconds = 2**63
    made = WITNESSES[0].sign(f"cosignature/v1\ntime {seconds}\n{NOTE.text}".encode())
    line = Signature(VERIFIERS[0].name, VERIFIERS[0].key_id, seconds.to_bytes(8) + made)
    assert refusal(lambda: cosigned_at(Note(NOTE.text, (line,)), VERIFIERS[0])) == "bad-signature"


def test_a_witness_cosigns_checkpoints_only() -> None:
    assert refusal(lambda: cosign(Note("hello\n", ()), "w.example", WITNESSES[0], AT)) == "malformed-note"


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(TEXT) - 1), put=st.text(max_size=2))
def test_any_change_to_a_checkpoint_is_refused(at: int, put: str) -> None:
    text = TEXT[:at] + put + TEXT[at + 1 :]
    if text != TEXT:
        assert refusal(lambda: open_checkpoint(text, LOG_KEY)) in {"malformed-note", "bad-signature"}


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_whatever_comes_in_only_our_refusal_comes_out(text: str) -> None:
    for read in (
        read_note,
        lambda t: read_checkpoint(Note(t, ())),
        Verifier.read,
        lambda t: open_checkpoint(t, LOG_KEY),
    ):
        try:
            read(text)
        except LogRefusedError:
            continue
