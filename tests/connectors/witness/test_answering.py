# SPDX-License-Identifier: Apache-2.0
"""A witness answers as C2SP tlog-witness says: requests that others published, and one test for each refusal."""

from __future__ import annotations

import http.client
import multiprocessing
import sqlite3
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from connectors.base.errors import ConnectorError
from connectors.witness.answering import Answer, Witness
from connectors.witness.folder import KEY_FILE, make_folder, open_folder
from connectors.witness.serve import open_witness
from consent.errors import LogRefusedError
from consent.tlog import notes, proofs, tree, witnessing
from consent.tlog.notes import Checkpoint, Note, Verifier
from consent.tlog.witnessing import Submission, read_size, read_submission, write_submission

NOW = datetime(2026, 4, 1, 1, 30, tzinfo=UTC)
LOG = "hub.example/v1/audit"
KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
LOG_KEY = Verifier(LOG, KEY.public_key())
LEAVES = [tree.leaf_hash(b"entry %d" % n) for n in range(40)]
OTHERS = [*LEAVES[:7], *(tree.leaf_hash(b"forged %d" % n) for n in range(7, 40))]


def signed(size: int, leaves: list[bytes] = LEAVES, key: Ed25519PrivateKey = KEY, name: str = LOG) -> str:
    return notes.sign_checkpoint(Checkpoint(origin=name, size=size, root=tree.root(leaves[:size])), key).write()


def body(old: int, size: int, leaves: list[bytes] = LEAVES, note: str | None = None) -> bytes:
    def node(level: int, place: int) -> bytes:
        return tree.root(leaves[place << level : (place + 1) << level])

    proof = proofs.consistency(old, size, node) if old <= size else ()
    return write_submission(Submission(old=old, proof=proof, note=note or signed(size, leaves))).encode()


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    folder = make_folder(tmp_path / "witness", "midori.example/witness")
    with folder.transaction() as seen:
        seen.watch(LOG_KEY)
    return Witness(folder=folder, clock=lambda: NOW)


def seen_size(witness: Witness) -> int:
    with witness.folder.transaction() as seen:
        (watched,) = seen.logs()
    return 0 if watched.seen is None else watched.seen.size


def cosigned(witness: Witness, answer: Answer, size: int) -> None:
    assert (answer.status, answer.media) == (200, "text/plain; charset=utf-8")
    note = notes.read_note(signed(size))
    (line,) = witnessing.read_cosignatures(answer.body, note, witness.folder.verifier)
    assert notes.cosigned_at(Note(note.text, (line,)), witness.folder.verifier) == NOW


def test_a_log_that_only_grows_is_cosigned_each_time(witness: Witness) -> None:
    sizes = [0, 0, 1, 1, 7, 8, 40]
    for old, size in zip([0, *sizes], sizes, strict=False):
        cosigned(witness, witness.add_checkpoint(body(old, size)), size)
        assert seen_size(witness) == size


def test_what_was_seen_is_on_the_disk_before_the_answer(witness: Witness) -> None:
    witness.add_checkpoint(body(0, 7))
    again = Witness(folder=open_folder(witness.folder.path), clock=lambda: NOW)
    assert seen_size(again) == 7
    assert again.add_checkpoint(body(0, 8)) == Answer(status=409, body="7\n", media="text/x.tlog.size")


def test_an_unknown_log_is_404(witness: Witness) -> None:
    answer = witness.add_checkpoint(body(0, 1, note=signed(1, name="other.example/log")))
    assert (answer.status, answer.body) == (404, "")


def test_a_checkpoint_that_the_log_did_not_sign_is_403(witness: Witness) -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    assert witness.add_checkpoint(body(0, 1, note=signed(1, key=stranger))).status == 403
    assert seen_size(witness) == 0


def test_an_old_size_beyond_the_new_one_is_400(witness: Witness) -> None:
    witness.add_checkpoint(body(0, 8))
    assert witness.add_checkpoint(body(8, 7)).status == 400


def test_a_log_that_went_back_is_told_how_far_it_was(witness: Witness) -> None:
    witness.add_checkpoint(body(0, 40))
    for old, size in ((0, 8), (7, 8), (8, 8), (0, 40)):
        answer = witness.add_checkpoint(body(old, size))
        assert (answer.status, read_size(answer.body), answer.media) == (409, 40, "text/x.tlog.size")
    assert seen_size(witness) == 40


def test_another_tree_of_the_same_size_is_409_and_both_notes_are_kept(witness: Witness) -> None:
    witness.add_checkpoint(body(0, 8))
    answer = witness.add_checkpoint(body(8, 8, OTHERS))
    assert (answer.status, answer.body) == (409, "8\n")
    witness.add_checkpoint(body(8, 8, OTHERS))
    with witness.folder.transaction() as seen:
        (kept,) = seen.evidence()
    assert (kept.code, kept.origin) == ("root-differs", LOG)
    for note in (kept.seen, kept.shown):
        assert note is not None
        assert notes.open_checkpoint(note, LOG_KEY).size == 8
    assert kept.seen != kept.shown
    cosigned(witness, witness.add_checkpoint(body(8, 9)), 9)


def test_a_tree_that_does_not_continue_is_422_and_kept(witness: Witness) -> None:
    witness.add_checkpoint(body(0, 8))
    assert witness.add_checkpoint(body(8, 20, OTHERS)).status == 422
    assert seen_size(witness) == 8
    with witness.folder.transaction() as seen:
        assert [one.code for one in seen.evidence()] == ["bad-proof"]


@pytest.mark.parametrize("size", [0, 1, 8])
def test_a_proof_from_nothing_is_empty(witness: Witness, size: int) -> None:
    shown = Submission(old=0, proof=(bytes(32),), note=signed(size))
    assert witness.add_checkpoint(write_submission(shown).encode()).status == 422
    assert seen_size(witness) == 0


@pytest.mark.parametrize("root", [tree.leaf_hash(b"x"), bytes(32)])
def test_an_empty_tree_has_one_root(witness: Witness, root: bytes) -> None:
    note = notes.sign_checkpoint(Checkpoint(origin=LOG, size=0, root=root), KEY).write()
    assert witness.add_checkpoint(body(0, 0, note=note)).status == 422


GOOD = body(0, 8)


@pytest.mark.parametrize(
    "sent",
    [
        b"", b"\n", b"\xff", GOOD[4:], GOOD.replace(b"old 0", b"old  0"), GOOD.replace(b"old 0", b"old 00"),
        GOOD.replace(b"old 0", b"old -1"), GOOD.replace(b"old 0\n", b"old 0\r\n"),
        GOOD.replace(b"old 0\n", b"old 0\nAAAA\n"), GOOD.replace(b"old 0\n", b"old 0\n" + b"A" * 43 + b"\n"),
        GOOD.replace(b"old 0\n", b"old 0\n" + b"A" * 42 + b"B=\n"),
        GOOD.replace(b"old 0\n", b"old 0\n" + (b"KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n" * 64)),
        GOOD[:-1], GOOD + b"x", GOOD.replace(b"\n8\n", b"\n08\n"), GOOD.replace(b"\n8\n", b"\n8\n\n"),
        GOOD.replace(b"\n\n\xe2", b"\nextension\n\n\xe2"), GOOD + b"x" * 90_000,
        GOOD + b"".join(b"\xe2\x80\x94 s%d.example AAAAAAAA\n" % n for n in range(64)),
    ],
    ids=range(19),
)  # fmt: skip
def test_a_request_that_cannot_be_read_is_400(witness: Witness, sent: bytes) -> None:
    assert sent != GOOD
    answer = witness.add_checkpoint(sent)
    assert (answer.status, answer.body) == (400, "")
    assert seen_size(witness) == 0


def test_a_submission_comes_back_from_its_text() -> None:
    made = read_submission(body(7, 40).decode())
    assert write_submission(made).encode() == body(7, 40)
    assert witnessing.origin_of(made) == LOG


@pytest.mark.parametrize("text", ["", "8", "08\n", "-1\n", "8\n\n", "８\n", "8 \n"])
def test_a_size_that_is_not_exact_is_refused(text: str) -> None:
    with pytest.raises(LogRefusedError):
        read_size(text)


def test_lines_that_the_witness_did_not_sign_are_no_answer(witness: Witness) -> None:
    note = notes.read_note(signed(8))
    stranger = notes.cosign(note, "midori.example/witness", KEY, NOW).line()
    for text in (stranger, "— midori.example/witness AAAAAAAA\n", "hello\n", ""):
        with pytest.raises(LogRefusedError):
            witnessing.read_cosignatures(text, note, witness.folder.verifier)


# ── requests published with torchwood's litewitness (FiloSottile/torchwood, internal/witness/witness_test.go) ──

SIGSUM = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
SIGSUM_KEY = bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
FIRST = f"""old 0

{SIGSUM}
1
KgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

— {SIGSUM} UgIom7fPZTqpxWWhyjWduBvTvGVqsokMbqTArsQilegKoFBJQjUFAmQ0+YeSPM3wfUQMFSzVnnNuWRTYrajXpNUbIQY=
"""
TO_THREE = f"""old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
KgIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

{SIGSUM}
3
RcCI1Nk56ZcSmIEfIn0SleqtV7uvrlXNccFx595Iwl0=

— {SIGSUM} UgIom2VbtIcdFbwFAy1n7s6IkAxIY6J/GQOTuZF2ORV39d75cbAj2aQYwyJre36kezNobZs4SUUdrcawfAB8WVrx6go=
"""
TO_FIVE = f"""old 1
KgEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
+fUDV+k970B4I3uKrqJM4aP1lloPZP8mvr2Z4wRw2LI=
KgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=

{SIGSUM}
5
QrtXrQZCCvpIgsSmOsah7HdICzMLLyDfxToMql9WTjY=

— {SIGSUM} UgIomw/EOJmWi0i1FQsOj+etB7F8IccFam/jgd6wzRns4QPVmyEZtdvl1U2KEmLOZ/ASRcWJi0tW90dJWAShei7sDww=
"""


@pytest.fixture
def sigsum(tmp_path: Path) -> Witness:
    folder = make_folder(tmp_path / "sigsum", "midori.example/witness")
    key = Ed25519PublicKey.from_public_bytes(SIGSUM_KEY)
    with folder.transaction() as seen:
        seen.watch(Verifier(SIGSUM, key))
    return Witness(folder=folder, clock=lambda: NOW)


def test_the_published_requests_are_answered_as_their_authors_expect(sigsum: Witness) -> None:
    assert sigsum.add_checkpoint(FIRST.encode()).status == 200
    assert sigsum.add_checkpoint(TO_FIVE.encode()).status == 200
    # the race of the specification: what was on its way is no way back
    late = sigsum.add_checkpoint(TO_THREE.encode())
    assert (late.status, late.body) == (409, "5\n")
    assert seen_size(sigsum) == 5


def test_the_published_proof_to_three_holds_too(sigsum: Witness) -> None:
    sigsum.add_checkpoint(FIRST.encode())
    assert sigsum.add_checkpoint(TO_THREE.encode()).status == 200


# ── many at once, and the program itself ──


def _submit(folder: Path, size: int, told: multiprocessing.Queue[int]) -> None:
    told.put(Witness(folder=open_folder(folder)).add_checkpoint(body(7, size)).status)


def test_of_requests_at_once_one_is_cosigned_whatever_thread_it_is_in(witness: Witness) -> None:
    witness.add_checkpoint(body(0, 7))
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda size=size: answers.append(witness.add_checkpoint(body(7, size)).status))
        for size in range(8, 24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] + [409] * 15


def test_two_processes_on_one_folder_do_not_both_cosign(witness: Witness) -> None:
    witness.add_checkpoint(body(0, 7))
    spawn = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[int] = spawn.Queue()
    children = [spawn.Process(target=_submit, args=(witness.folder.path, size, told)) for size in (9, 30)]
    for child in children:
        child.start()
    statuses = sorted(told.get(timeout=60) for _ in children)
    for child in children:
        child.join()
    assert statuses == [200, 409]


def test_without_room_on_the_disk_nothing_is_cosigned(witness: Witness) -> None:
    with sqlite3.connect(witness.folder.path / "witness.db") as connection:
        connection.execute("CREATE TRIGGER full BEFORE UPDATE ON logs BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    answer = witness.add_checkpoint(body(0, 8))
    assert (answer.status, answer.body) == (503, "")
    assert seen_size(witness) == 0


def ask(url: str, method: str, path: str, sent: bytes = b"") -> tuple[int, str | None, bytes]:
    line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        line.request(method, path, sent)
        answer = line.getresponse()
        return answer.status, answer.getheader("Content-Type"), answer.read()
    finally:
        line.close()


def test_the_witness_answers_over_http(witness: Witness) -> None:
    with open_witness(witness, host="127.0.0.1", port=0) as url:
        status, _, line = ask(url, "POST", "/add-checkpoint", body(0, 8))
        cosigned(witness, Answer(status=status, body=line.decode()), 8)
        assert ask(url, "POST", "/add-checkpoint", body(0, 8)) == (409, "text/x.tlog.size", b"8\n")
        assert ask(url, "GET", "/add-checkpoint")[0] == 405
        assert ask(url, "POST", "/", body(0, 8))[0] == 404
        assert ask(url, "POST", "/add-checkpoint", b"x")[0] == 400
        assert ask(url, "POST", "/add-checkpoint", b"x" * 400_000)[0] in {400, 413}


# ── the folder ──


def test_the_key_is_the_owners_alone(witness: Witness) -> None:
    file = witness.folder.path / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o640)
    with pytest.raises(ConnectorError, match="witness-key-open"):
        open_folder(witness.folder.path)


def test_a_second_witness_in_one_folder_and_a_bad_name_are_refused(witness: Witness, tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="witness-exists"):
        make_folder(witness.folder.path, "other.example")
    for name in ("", "two words", "a+b", "line\n"):
        with pytest.raises(ConnectorError, match="witness-name-bad"):
            make_folder(tmp_path / "bad", name)
    with pytest.raises(ConnectorError, match="witness-missing"):
        open_folder(tmp_path / "bad")


@pytest.mark.parametrize("content", ["", "{}", '{"v":1,"name":"a","key":"AA=="}', "\x00"])
def test_a_broken_key_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content)
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(ConnectorError, match="witness-broken"):
        open_folder(tmp_path)


def test_a_watched_log_does_not_change_its_key_unseen(witness: Witness) -> None:
    other = Verifier(LOG, Ed25519PrivateKey.generate().public_key())
    with pytest.raises(ConnectorError, match="witness-log-known"), witness.folder.transaction() as seen:
        seen.watch(other)
    with witness.folder.transaction() as seen:
        seen.watch(LOG_KEY)
        assert [one.log.text() for one in seen.logs()] == [LOG_KEY.text()]
