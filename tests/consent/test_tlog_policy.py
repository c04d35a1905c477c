# SPDX-License-Identifier: Apache-2.0
"""The witness policy and its quorum: C2SP's examples, and one test per way in which nobody may be taken in."""

import base64
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
    read_checkpoint,
    read_note,
    sign_checkpoint,
)
from consent.tlog.policy import AHEAD, LONGEST, Keeper, Policy, quorum, read_policy

LOG = "hub.example/v1/audit"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
KEYS = {
    name: Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)
    for n, name in enumerate(("officer:dpo", "agency:midori", "outside:daigaku"), start=2)
}
VERIFIERS = {name: Verifier(f"{name[-4:]}.example", key.public_key(), cosigns=True) for name, key in KEYS.items()}
NOW = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
NOTE = sign_checkpoint(Checkpoint(origin=LOG, size=5, root=bytes(32)), KEY)
LOG_LINE = f"log {Verifier(LOG, KEY.public_key()).text()}\n"
LINES = [f"witness {name} {one.text()} https://{name[-4:]}.example/\n" for name, one in VERIFIERS.items()]
# two of three, one of them run by an agency, in the one way that C2SP's groups can say it
GROUPS = "group others any officer:dpo outside:daigaku\ngroup enough all agency:midori others\nquorum enough\n"
TEXT = LOG_LINE + "".join(LINES) + GROUPS


def refusal(text: str) -> str:
    with pytest.raises(LogRefusedError) as refused:
        read_policy(text)
    return refused.value.code


def seen(*names: str, at: datetime = NOW, ages: dict[str, timedelta] | None = None) -> Note:
    lines = [cosign(NOTE, VERIFIERS[one].name, KEYS[one], at - (ages or {}).get(one, timedelta(0))) for one in names]
    return Note(NOTE.text, (*NOTE.signatures, *lines))


def reached(note: Note, policy: Policy | None = None) -> bool:
    return quorum(note, policy or read_policy(TEXT), now=NOW).is_reached


def test_a_policy_names_the_log_the_witnesses_who_runs_them_and_where_they_are_asked() -> None:
    policy = read_policy("# 架空市のログ\n\n" + TEXT.replace("log ", "  log\t"))
    assert policy.log.text() == Verifier(LOG, KEY.public_key()).text()
    assert [one.keeper for one in policy.witnesses] == [Keeper.OFFICER, Keeper.AGENCY, Keeper.OUTSIDE]
    assert policy.witnesses[1].verifier.text() == VERIFIERS["agency:midori"].text()
    assert policy.witnesses[0].url == "https://:dpo.example/"


def test_the_policy_in_c2sps_own_example_reads_with_the_keepers_in_its_names() -> None:
    names = [f"agency:X{n}" for n in (1, 2, 3)] + [f"outside:Y{n}" for n in (1, 2, 3)]
    keys = [
        Verifier(f"w{n}.example", Ed25519PrivateKey.from_private_bytes(bytes([40 + n]) * 32).public_key(), cosigns=True)
        for n in range(6)
    ]
    lines = "".join(f"witness {name} {key.text()}\n" for name, key in zip(names, keys, strict=True))
    policy = read_policy(
        f"{LOG_LINE}{lines}group X-witnesses 2 {' '.join(names[:3])}\ngroup Y-witnesses any {' '.join(names[3:])}\n"
        "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
    )
    assert policy.is_satisfied_by([names[0], names[2], names[4]])
    assert not policy.is_satisfied_by([names[0], *names[3:]])
    assert not policy.is_satisfied_by(names[:3])


@pytest.mark.parametrize(
    ("names", "enough"),
    [
        ((), False),
        (("agency:midori",), False),
        (("officer:dpo", "outside:daigaku"), False),
        (("officer:dpo", "agency:midori"), True),
        (("agency:midori", "outside:daigaku"), True),
        (("officer:dpo", "agency:midori", "outside:daigaku"), True),
    ],
)
def test_two_of_three_are_enough_if_one_is_run_by_an_agency(names: tuple[str, ...], enough: bool) -> None:
    found = quorum(seen(*names), read_policy(TEXT), now=NOW)
    assert found.is_reached is enough
    assert {one.witness.name for one in found.cosigned} == set(names)
    assert found.checkpoint.size == 5


def test_a_quorum_stands_for_the_moment_at_which_enough_had_seen_it() -> None:
    ages = {"agency:midori": timedelta(hours=1), "officer:dpo": timedelta(hours=9), "outside:daigaku": timedelta(0)}
    assert quorum(seen(*ages, ages=ages), read_policy(TEXT), now=NOW).as_of == NOW - timedelta(hours=1)
    late = quorum(seen("agency:midori", "officer:dpo", ages=ages), read_policy(TEXT), now=NOW)
    assert late.as_of == NOW - timedelta(hours=9)


def test_a_witness_that_cosigned_twice_counts_once_and_by_its_newest_word() -> None:
    once, again = seen("agency:midori", at=NOW - timedelta(hours=3)), seen("agency:midori")
    note = Note(NOTE.text, (*once.signatures, again.signatures[-1]))
    found = quorum(note, read_policy(TEXT), now=NOW)
    assert [one.at for one in found.cosigned] == [NOW]
    assert not found.is_reached


@pytest.mark.parametrize(
    "age", [timedelta(hours=-1), timedelta(days=30), -AHEAD - timedelta(seconds=1), LONGEST], ids=str
)
def test_a_cosignature_of_another_time_is_not_counted(age: timedelta) -> None:
    note = seen("agency:midori", "officer:dpo", ages={"officer:dpo": age})
    found = quorum(note, read_policy(TEXT), now=NOW)
    assert [one.witness.name for one in found.cosigned] == ["agency:midori"]
    assert not found.is_reached


@pytest.mark.parametrize("age", [-AHEAD, timedelta(0), LONGEST - timedelta(seconds=1)], ids=str)
def test_a_cosignature_of_our_time_is_counted(age: timedelta) -> None:
    assert reached(seen("agency:midori", "officer:dpo", ages={"officer:dpo": age}))


def test_wrong_signatures_and_those_of_strangers_count_for_nothing() -> None:
    good = seen("agency:midori", "officer:dpo")
    *others, last = good.signatures
    forged = Signature(last.name, last.key_id, last.raw[:-1] + bytes([last.raw[-1] ^ 1]))
    assert not reached(Note(NOTE.text, (*others, forged)))
    stranger = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    named_alike = cosign(NOTE, VERIFIERS["officer:dpo"].name, stranger, NOW)
    assert not reached(Note(NOTE.text, (*others, named_alike)))
    assert reached(Note(NOTE.text, (*good.signatures, forged, named_alike)))


def test_no_quorum_is_found_on_what_the_log_did_not_sign() -> None:
    note = seen("agency:midori", "officer:dpo")
    with pytest.raises(LogRefusedError, match="bad-signature"):
        reached(Note(note.text, note.signatures[1:]))
    with pytest.raises(LogRefusedError, match="bad-signature"):
        reached(Note(note.text.replace("\n5\n", "\n6\n"), note.signatures))


def test_a_witness_with_the_logs_own_key_is_refused_at_load() -> None:
    own = Verifier("another-name.example", KEY.public_key(), cosigns=True)
    assert refusal(TEXT.replace(VERIFIERS["outside:daigaku"].text(), own.text())) == "self-witness"


@pytest.mark.parametrize(
    "rule",
    [
        "quorum officer:dpo\n",
        "group two 2 officer:dpo agency:midori outside:daigaku\nquorum two\n",
        "group one any agency:midori outside:daigaku\nquorum one\n",
    ],
)
def test_a_quorum_that_needs_no_agency_is_refused_at_load(rule: str) -> None:
    assert refusal(TEXT.replace(GROUPS, rule)) == "quorum-without-agency"


OFFICER = LINES[0]


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", TEXT[:-1], TEXT.replace(LOG_LINE, ""), TEXT + LOG_LINE, TEXT + "quorum enough\n",
        TEXT.replace("quorum enough\n", ""), TEXT.replace("quorum enough", "quorum none"),
        TEXT.replace("quorum enough", "quorum nobody"), "quorum enough\n" + TEXT.replace("quorum enough\n", ""),
        TEXT.replace("officer:dpo", "dpo"), TEXT.replace("officer:", "mayor:"), TEXT.replace("officer:dpo", "officer:"),
        TEXT + OFFICER, TEXT + OFFICER.replace("officer:dpo", "officer:other"),
        TEXT.replace(VERIFIERS["officer:dpo"].text(), Verifier("x", KEYS["officer:dpo"].public_key()).text()),
        TEXT.replace(LOG_LINE, f"log {VERIFIERS['officer:dpo'].text()}\n"),
        TEXT.replace("+", "-"), TEXT.replace("https://:dpo", "ftp://:dpo"), TEXT.replace("\n", "\r\n"),
        TEXT.replace("group others any officer:dpo", "group others 0 officer:dpo"),
        TEXT.replace("group others any officer:dpo", "group others 3 officer:dpo"),
        TEXT.replace("group others any officer:dpo", "group others 01 officer:dpo"),
        TEXT.replace("group others any officer:dpo", "group others ２ officer:dpo"),
        TEXT.replace("group others any officer:dpo", "group others most officer:dpo"),
        TEXT.replace("all agency:midori others", "all agency:midori agency:midori"),
        TEXT.replace("all agency:midori others", "all agency:midori officer:dpo others"),
        TEXT.replace("group enough all", "group others all"), TEXT.replace("group enough", "group none"),
        TEXT.replace("group enough all agency:midori others", "group enough all"),
        TEXT + "witnes officer:other\n", TEXT + "witness officer:other\n", TEXT + "log\n", TEXT + "\x00\n",
        TEXT + "#" * 70_000 + "\n",
    ],
    ids=range(35),
)  # fmt: skip
def test_a_policy_that_is_not_exact_is_refused(text: str) -> None:
    assert refusal(text) == "malformed-policy"


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(LogRefusedError) as refused:
        read_policy(TEXT + "hello\n")
    assert refused.value.pointer == f"/{TEXT.count(chr(10)) + 1}"


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(TEXT) - 1), put=st.text(max_size=2))
def test_whatever_comes_in_only_our_refusal_comes_out(at: int, put: str) -> None:
    try:
        read_policy(TEXT[:at] + put + TEXT[at + 1 :])
    except LogRefusedError:
        return


# ── what others have published ──

SOFA = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
LOG_WORD = "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8="
WITNESS_WORD = (
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
)


def test_the_checkpoint_that_c2sps_examples_are_made_of_verifies_under_the_key_of_gos_checksum_database() -> None:
    # the examples of C2SP tlog-checkpoint and tlog-cosignature are this note of sum.golang.org under another name
    key = Verifier.read("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8")
    note = read_note(f"go.sum database tree\n20852163\n{SOFA}\n\n— sum.golang.org {LOG_WORD}\n")
    assert note.signatures[0].key_id == key.key_id
    key.native.verify(note.signatures[0].raw, note.text.encode())


def test_the_example_of_the_cosignature_format_reads() -> None:
    name, witness = "example.com/behind-the-sofa", "witness.example.com/w1"
    text = f"{name}\n20852163\n{SOFA}\n\n— {name} {LOG_WORD}\n— {witness} {WITNESS_WORD}\n"
    note = read_note(text)
    assert note.write() == text
    assert read_checkpoint(note) == Checkpoint(origin=name, size=20852163, root=base64.b64decode(SOFA))
    # the time that the specification says was signed
    assert int.from_bytes(note.signatures[1].raw[:8]) == 1679315147
    assert len(note.signatures[1].raw) == 8 + 64


@pytest.mark.parametrize("word", [" ", "\t", "  \t"])
def test_blank_lines_are_passed_over(word: str) -> None:
    assert read_policy(TEXT.replace("group others", f"{word}\ngroup others")).quorum == "enough"
