# SPDX-License-Identifier: Apache-2.0
"""What a log asks of a witness and how a witness decides, pure (C2SP tlog-witness, `add-checkpoint`).

The log sends the size that the witness saw last, a proof that its new checkpoint continues that one, and the
checkpoint. The witness cosigns, or says why not: each refusal is one code, which the server turns into a status.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final, NoReturn

from consent.errors import LogRefusedError
from consent.tlog import notes, proofs
from consent.tlog.notes import Checkpoint, Note, Signature, Verifier
from consent.tlog.tree import EMPTY_ROOT, HASH_BYTES

PATH: Final = "add-checkpoint"
SIZE_MEDIA: Final = "text/x.tlog.size"
MAX_SUBMISSION: Final = notes.MAX_NOTE + 8 * 1024
_OLD: Final = re.compile("old (0|[1-9][0-9]{0,18})", re.ASCII)
_SIZE: Final = re.compile("(0|[1-9][0-9]{0,18})\n", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What a log submits: the size cosigned last (`old`), the consistency proof from there, the signed note."""

    old: int
    proof: tuple[bytes, ...]
    note: str


def write_submission(submission: Submission) -> str:
    """Write the body of a request."""
    hashes = [base64.b64encode(one).decode("ascii") for one in submission.proof]
    return "\n".join([f"old {submission.old}", *hashes, "", submission.note])


def read_submission(text: str) -> Submission:
    """Read the body of a request; nothing in it is verified yet.

    Raises:
        LogRefusedError: `malformed-submission`.
    """
    head, gap, note = text.partition("\n\n")
    old, *hashes = head.split("\n")
    found = _OLD.fullmatch(old)
    if len(text) > MAX_SUBMISSION or not gap or not found or len(hashes) > proofs.MAX_HASHES:
        _refuse()
    return Submission(old=int(found[1]), proof=tuple(_hash(one) for one in hashes), note=note)


def origin_of(submission: Submission) -> str:
    """Tell which log a submission says it is of.

    Raises:
        LogRefusedError: `malformed-note`.
    """
    return notes.read_checkpoint(notes.read_note(submission.note)).origin


def consider(submission: Submission, log: Verifier, seen: Checkpoint | None) -> Checkpoint:
    """Decide, as the witness that saw `seen` of this log last, whether to cosign; give the checkpoint.

    Raises:
        LogRefusedError, in this order: `malformed-note`; `bad-signature`, the log did not sign it;
            `old-too-large`; `old-differs`, the witness saw another size last; `root-differs`, it saw another tree
            of the same size; `bad-proof`.
    """
    checkpoint = notes.open_checkpoint(submission.note, log)
    size, root = (0, EMPTY_ROOT) if seen is None else (seen.size, seen.root)
    if submission.old > checkpoint.size:
        raise LogRefusedError("old-too-large")
    if submission.old != size:
        raise LogRefusedError("old-differs")
    if checkpoint.size == size and size and checkpoint.root != root:
        raise LogRefusedError("root-differs")
    proofs.verify_consistency(
        old=size, old_root=root, new=checkpoint.size, new_root=checkpoint.root, proof=submission.proof
    )
    return checkpoint


def read_cosignatures(text: str, note: Note, witness: Verifier) -> tuple[Signature, ...]:
    """Read a witness's answer and give the lines by its key that are good on this note; others are left alone.

    Raises:
        LogRefusedError: `malformed-note`; `bad-signature`, no line is good.
    """
    answered = notes.read_note(f"{note.text}\n{text}")
    good: list[Signature] = []
    for line in answered.signatures:
        try:
            notes.cosigned_at(Note(note.text, (line,)), witness)
        except LogRefusedError:
            continue
        good.append(line)
    if not good:
        raise LogRefusedError("bad-signature")
    return tuple(good)


def read_size(text: str) -> int:
    """Read the size that a witness says it saw last (the body of a 409).

    Raises:
        LogRefusedError: `malformed-submission`.
    """
    found = _SIZE.fullmatch(text)
    if not found:
        _refuse()
    return int(found[1])


def _hash(text: str) -> bytes:
    try:
        raw = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        _refuse()
    if len(raw) != HASH_BYTES or base64.b64encode(raw).decode("ascii") != text:
        _refuse()
    return raw


def _refuse() -> NoReturn:
    raise LogRefusedError("malformed-submission")
