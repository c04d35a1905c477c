# SPDX-License-Identifier: Apache-2.0
"""Run the sequencer and the check of the stored log in transactions of their own."""

from hub.audit import sequencer
from hub.audit.sequencer import BATCH, Signer
from hub.base.db import Database, now


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
