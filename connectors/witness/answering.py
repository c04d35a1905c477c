# SPDX-License-Identifier: Apache-2.0
"""Answer a log that submits a checkpoint: cosign it, or refuse as C2SP tlog-witness says, by status and body."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from connectors.base.clock import Clock, system_clock
from connectors.witness.folder import Seen, WitnessFolder
from consent.errors import LogRefusedError
from consent.tlog import notes, witnessing
from consent.tlog.witnessing import SIZE_MEDIA, Submission

TEXT: Final = "text/plain; charset=utf-8"
_STATUS: Final = {
    "unknown-log": HTTPStatus.NOT_FOUND,
    "bad-signature": HTTPStatus.FORBIDDEN,
    "old-differs": HTTPStatus.CONFLICT,
    "root-differs": HTTPStatus.CONFLICT,
    "bad-proof": HTTPStatus.UNPROCESSABLE_ENTITY,
}
_ACCUSING: Final = frozenset({"root-differs", "bad-proof"})
"""What only a log can bring about that signed two trees: both notes are kept."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A status and its body."""

    status: int
    body: str = ""
    media: str = TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness at work; any number of threads and processes may share its folder."""

    folder: WitnessFolder
    clock: Clock = system_clock

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one submission. What was seen is on the disk before the cosignature is given away."""
        try:
            submission = witnessing.read_submission(body.decode("utf-8"))
            origin = witnessing.origin_of(submission)
        except (UnicodeDecodeError, LogRefusedError):
            return Answer(status=HTTPStatus.BAD_REQUEST)
        try:
            with self.folder.transaction() as seen:
                return self._consider(seen, origin, submission)
        except sqlite3.Error:
            log.exception("witness:state-unwritable")
            return Answer(status=HTTPStatus.SERVICE_UNAVAILABLE)

    def _consider(self, seen: Seen, origin: str, submission: Submission) -> Answer:
        watched = seen.log(origin)
        if watched is None:
            return Answer(status=HTTPStatus.NOT_FOUND)
        try:
            checkpoint = witnessing.consider(submission, watched.log, watched.seen)
        except LogRefusedError as refused:
            if refused.code in _ACCUSING:
                log.critical("witness:log-inconsistent %s %s", origin, refused.code)
                seen.accuse(origin, refused.code, seen=watched.note, shown=submission.note, at=self.clock())
            status = _STATUS.get(refused.code, HTTPStatus.BAD_REQUEST)
            if status is not HTTPStatus.CONFLICT:
                return Answer(status=status)
            size = 0 if watched.seen is None else watched.seen.size
            return Answer(status=status, body=f"{size}\n", media=SIZE_MEDIA)
        note = notes.read_note(submission.note)
        line = notes.cosign(note, self.folder.name, self.folder.key, self.clock())
        seen.remember(checkpoint.origin, submission.note)
        return Answer(status=HTTPStatus.OK, body=line.line())
