# SPDX-License-Identifier: Apache-2.0
"""Run the sequencer and the check of the stored log in transactions of their own."""

from urllib.parse import urlsplit

from hub.audit import sequencer
from hub.audit.sequencer import BATCH, Signer
from hub.base.db import Database, now


def origin(issuer: str) -> str:
    """Name the log by where it is read: the hub's host and the path, without a scheme (C2SP tlog-checkpoint).

    The path is part of the name so that a second log can follow this one (audit-log §6).
    """
    return f"{urlsplit(issuer).netloc}/v1/audit"


def sequence(database: Database, signer: Signer) -> int:
    """Put everything that is pending into the log, batch by batch; return how many entries went in.

    *database* is the sequencer's (tsn_seq). Nothing is done while another sequencer is at it.

    Raises:
        LogDamagedError: what is stored is not what was signed.
    """
    total = 0
    while True:
        with database.transaction(None) as session:
            count = sequencer.sequence(session, signer, now=now(session))
        total += count or 0
        if not count or count < BATCH:
            return total


def verify(database: Database, signer: Signer) -> int:
    """Hash the whole log as stored; return its size.

    Raises:
        LogDamagedError: it is not what was signed.
    """
    with database.transaction(None) as session:
        return sequencer.verify(session, signer)
