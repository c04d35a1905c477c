# SPDX-License-Identifier: Apache-2.0
"""Ask the witnesses to cosign the newest checkpoint, and keep what they said (C2SP tlog-witness, the log's side).

A witness that saw more than we have, or something else, is not argued with: the hub then writes and signs nothing
(`begin_recovery`). A witness that is away or answers nonsense costs its cosignature and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from consent.errors import LogRefusedError
from consent.tlog import notes, witnessing
from consent.tlog import policy as policies
from consent.tlog.notes import Signature
from consent.tlog.policy import Policy, Witness
from consent.tlog.witnessing import Submission
from hub.audit import reads, tables
from hub.audit.reads import Checkpoint
from hub.audit.sending import Line, NoAnswerError, Told

AT_MOST_EVERY: Final = timedelta(minutes=1)
ANEW_AFTER: Final = timedelta(hours=1)
"""A log at rest is cosigned again, so that its quorum does not grow old."""
COSIGNED: Final = "cosigned"
BEHIND: Final = "behind"
AHEAD: Final = "ahead"
DIFFERS: Final = "differs"
AGAINST: Final = frozenset({AHEAD, DIFFERS})
MALFORMED: Final = "malformed"
_REFUSED: Final[Mapping[int, str]] = {HTTPStatus.NOT_FOUND: "log-unknown", HTTPStatus.FORBIDDEN: "key-unknown"}

log = structlog.get_logger(__name__)
Prove = Callable[[int], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Whom to ask, and how they are called."""

    policy: Policy
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of asking one witness: `code` is `cosigned`, `ahead`, `differs` or why there was no answer.

    `size` is what the witness said it saw last, where it said so.
    """

    witness: Witness
    code: str
    size: int = 0
    lines: tuple[Signature, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of asking: about which size, what came of it, whether enough agreed."""

    size: int
    answers: tuple[Answer, ...]
    is_enough: bool

    @property
    def against(self) -> tuple[Answer, ...]:
        """The witnesses that saw more, or something else."""
        return tuple(one for one in self.answers if one.code in AGAINST)


def is_due(session: Session, *, now: datetime) -> bool:
    """Say whether to ask: the log has grown, or its newest cosignatures are an hour old; not twice within a minute."""
    newest = reads.checkpoint(session)
    table = tables.log_witnesses.c
    asked, size = session.execute(sa.select(sa.func.max(table.asked_at), sa.func.min(table.size))).one()
    if newest is None or (asked is not None and now - asked < AT_MOST_EVERY):
        return False
    return asked is None or newest.size > size or now - asked >= ANEW_AFTER


def seen_sizes(session: Session) -> Mapping[str, int]:
    """Give what each witness cosigned last, by its key's name, as far as the hub knows."""
    table = tables.log_witnesses.c
    return {row.witness: row.size for row in session.execute(sa.select(table.witness, table.size))}


def ask(asking: Asking, newest: Checkpoint, sizes: Mapping[str, int], prove: Prove) -> tuple[Answer, ...]:
    """Ask every witness that has an address about the newest checkpoint, all at once.

    *prove* gives the consistency proof from a size to it. No transaction is open meanwhile.
    """
    asked = [one for one in asking.policy.witnesses if one.url]

    def one(witness: Witness) -> Answer:
        old = min(sizes.get(witness.verifier.name, 0), newest.size)
        answer = _ask(asking.line, witness, newest, old, prove)
        if answer.code == BEHIND:
            answer = _ask(asking.line, witness, newest, answer.size, prove)
        if answer.code != COSIGNED:
            log.warning("witness:no-cosignature", witness=witness.name, code=answer.code, size=answer.size)
        return answer

    with ThreadPoolExecutor(max(len(asked), 1), thread_name_prefix="witness") as pool:
        return tuple(pool.map(one, asked))


def settled(session: Session, answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Take back that a witness is ahead where it is not any more: another worker asked it about a later checkpoint."""
    newest = reads.checkpoint(session)
    size = 0 if newest is None else newest.size
    return tuple(replace(one, code=BEHIND) if one.code == AHEAD and one.size <= size else one for one in answers)


def keep(session: Session, policy: Policy, newest: Checkpoint, answers: Sequence[Answer], *, now: datetime) -> Round:
    """Store cosignatures and what else was said; say whether enough agreed."""
    for one in answers:
        _keep_standing(session, one, newest, now)
        for line in one.lines:
            _keep_cosignature(session, newest, line)
    found = policies.quorum(reads.with_cosignatures(session, newest), policy, now=now)
    if found.as_of is not None:
        row = insert(tables.log_quorums).values(size=newest.size, as_of=found.as_of)
        session.execute(row.on_conflict_do_update(index_elements=["size"], set_={"as_of": found.as_of}))
    agreed = [one.witness.name for one in answers if one.code == COSIGNED]
    return Round(size=newest.size, answers=tuple(answers), is_enough=policy.is_satisfied_by(agreed))


def begin_recovery(session: Session, *, code: str, who: str, size: int, now: datetime) -> bool:
    """Stop writing and signing from now on; say whether that is new."""
    row = insert(tables.log_recovery).values(place=True, code=code, who=who, size=size, begun_at=now)
    begun = session.execute(row.on_conflict_do_nothing().returning(tables.log_recovery.c.place)).one_or_none()
    if begun is not None:
        log.critical("log:recovery-begun", code=code, who=who, size=size)
    return begun is not None


def _ask(line: Line, witness: Witness, newest: Checkpoint, old: int, prove: Prove) -> Answer:
    submission = Submission(old=old, proof=prove(old), note=newest.note)
    url = f"{(witness.url or '').rstrip('/')}/{witnessing.PATH}"
    try:
        told = line.post(url, witnessing.write_submission(submission).encode())
        return _read(witness, newest, old, told)
    except NoAnswerError as none:
        return Answer(witness=witness, code=none.code)
    except (LogRefusedError, UnicodeDecodeError):
        return Answer(witness=witness, code=MALFORMED)


def _read(witness: Witness, newest: Checkpoint, old: int, told: Told) -> Answer:
    """Read an answer. A 422 means that the witness saw the size *old*, and another tree of it."""
    if told.is_good:
        note = notes.read_note(newest.note)
        lines = witnessing.read_cosignatures(told.body.decode(), note, witness.verifier)
        return Answer(witness=witness, code=COSIGNED, size=newest.size, lines=lines)
    if told.status == HTTPStatus.CONFLICT:
        size = witnessing.read_size(told.body.decode())
        # told our own old size, we have shown another tree of it: only then is nothing left to prove
        same = DIFFERS if old == newest.size else MALFORMED
        code = AHEAD if size > newest.size else same if size == old else BEHIND
        return Answer(witness=witness, code=code, size=size)
    if told.status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return Answer(witness=witness, code=DIFFERS, size=old)
    return Answer(witness=witness, code=_REFUSED.get(told.status, f"status-{told.status}"))


def _keep_standing(session: Session, answer: Answer, newest: Checkpoint, now: datetime) -> None:
    agreed = answer.code == COSIGNED
    row = insert(tables.log_witnesses).values(
        witness=answer.witness.verifier.name,
        size=newest.size if agreed else 0,
        asked_at=now,
        agreed_at=now if agreed else None,
        code=answer.code,
    )
    kept = {"asked_at": now, "code": answer.code}
    if agreed:
        kept |= {"size": newest.size, "agreed_at": now}
    session.execute(row.on_conflict_do_update(index_elements=["witness"], set_=kept))


def _keep_cosignature(session: Session, newest: Checkpoint, line: Signature) -> None:
    at = notes.time_of(line)
    row = insert(tables.log_cosignatures).values(size=newest.size, witness=line.name, line=line.line(), at=at)
    kept = {"line": line.line(), "at": at}
    session.execute(row.on_conflict_do_update(index_elements=["size", "witness"], set_=kept))
