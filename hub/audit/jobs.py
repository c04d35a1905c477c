# SPDX-License-Identifier: Apache-2.0
"""Run the sequencer, the check of the stored log, the witnesses and the mirror in transactions of their own."""

from functools import partial
from pathlib import Path

from hub.audit import checking, erasing, mirroring, proving, reads, recovering, sequencer, witnessing
from hub.audit.mirroring import MirrorError, Refilled
from hub.audit.reads import Checkpoint, LogDamagedError
from hub.audit.sequencer import BATCH, Signer
from hub.audit.witnessing import Asking, Round
from hub.base.db import Database, now

MIRROR = "mirror"


def sequence(database: Database, signer: Signer) -> int:
    """Put everything that is pending into the log, batch by batch; return how many entries went in.

    *database* is the sequencer's (tsn_seq). Nothing is done while another sequencer is at it, or while the log is
    being recovered.

    Raises:
        LogDamagedError: what is stored is not what was signed.
    """
    total = 0
    while True:
        with database.transaction(None) as session:
            if reads.recovery(session) is not None:
                return total
            count = sequencer.sequence(session, signer, now=now(session))
        total += count or 0
        if not count or count < BATCH:
            return total


def begin(database: Database, signer: Signer) -> None:
    """Sign the empty tree where nothing was ever signed. *database* is the sequencer's."""
    with database.transaction(None) as session:
        sequencer.begin(session, signer, now=now(session))


def verify(database: Database, signer: Signer) -> int:
    """Hash the whole log as stored; return its size.

    Raises:
        LogDamagedError: it is not what was signed.
    """
    with database.transaction(None) as session:
        return sequencer.verify(session, signer)


def verify_and_note(sequencers: Database, workers: Database, signer: Signer) -> None:
    """Hash the whole log as stored and write down what came of it.

    Raises:
        LogDamagedError: it is not what was signed.
    """
    with workers.transaction(None) as session:
        begun = now(session)
    try:
        found: int | LogDamagedError = verify(sequencers, signer)
    except LogDamagedError as damage:
        found = damage
    with workers.transaction(None) as session:
        checking.note(session, found, begun=begun, now=now(session))
    if isinstance(found, LogDamagedError):
        raise found


def check(sequencers: Database, workers: Database, signer: Signer) -> bool:
    """Make the check that somebody asked for, if there is one, and say whether the log was sound when last checked.

    Raises:
        LogDamagedError: this check found that it is not what was signed.
    """
    with workers.transaction(None) as session:
        taken = checking.take(session, now=now(session))
    if taken is None:
        with workers.transaction(None) as session:
            last = checking.newest(session)
        return last is None or not last.is_damaged
    asked = taken.id

    def progress(looked: int, size: int) -> None:
        with workers.transaction(None) as session:
            checking.advance(session, asked, looked=looked, size=size, now=now(session))

    try:
        with sequencers.transaction(None) as session:
            found: int | LogDamagedError = sequencer.verify(session, signer, progress=progress)
    except LogDamagedError as damage:
        found = damage
    with workers.transaction(None) as session:
        checking.finish(session, asked, found, now=now(session))
    if isinstance(found, LogDamagedError):
        raise found
    return True


def ask_witnesses(database: Database, asking: Asking) -> Round | None:
    """Ask the witnesses about the newest checkpoint; None before there is one.

    A witness that saw more, or something else, begins a recovery; when enough agree, one that goes on ends.
    *database* is the worker's (tsn_job). No transaction is open during a call.
    """
    with database.transaction(None) as session:
        newest, sizes = reads.checkpoint(session), witnessing.seen_sizes(session)
    if newest is None:
        return None
    answers = witnessing.ask(asking, newest, sizes, partial(_prove, database, newest))
    with database.transaction(None) as session:
        at = now(session)
        answers = witnessing.settled(session, answers)
        found = witnessing.keep(session, asking.policy, newest, answers, now=at)
        for one in found.against:
            witnessing.begin_recovery(session, code=one.code, who=one.witness.name, size=one.size, now=at)
        recovering.end(session, found, now=at)
    return found


def is_due(database: Database) -> bool:
    """Say whether the witnesses are to be asked now (at most once a minute)."""
    with database.transaction(None) as session:
        return witnessing.is_due(session, now=now(session))


def mirror(sequencers: Database, workers: Database, folder: Path, signer: Signer) -> int:
    """Bring the officer's mirror up to date; return its size. A mirror that holds more begins a recovery.

    Raises:
        MirrorError: `mirror-ahead`, `mirror-differs`, `mirror-broken`. OSError: the folder cannot be written.
    """
    try:
        with sequencers.transaction(None) as session:
            return mirroring.write(session, folder, signer)
    except MirrorError as refused:
        codes = {"mirror-ahead": witnessing.AHEAD, "mirror-differs": witnessing.DIFFERS}
        if refused.code in codes:
            with workers.transaction(None) as session:
                code, at = codes[refused.code], now(session)
                witnessing.begin_recovery(session, code=code, who=MIRROR, size=refused.place, now=at)
        raise


def refill(database: Database, folder: Path, signer: Signer) -> Refilled:
    """Put back from the mirror what the database lost. *database* is the sequencer's.

    Raises:
        MirrorError; LogDamagedError.
    """
    with database.transaction(None) as session:
        return mirroring.refill(session, folder, signer)


def erase(database: Database) -> int:
    """Take away the bytes of entries whose erasure is in the log. *database* is the sequencer's."""
    with database.transaction(None) as session:
        if reads.recovery(session) is not None:
            return 0
        return erasing.carry_out(session, now=now(session))


def _prove(database: Database, newest: Checkpoint, old: int) -> tuple[bytes, ...]:
    with database.transaction(None) as session:
        return proving.consistency_to(session, old, newest.size)
