# SPDX-License-Identifier: Apache-2.0
"""Append to the log inside the caller's transaction. What follows (order, tree, signature) is the
sequencer's.
"""

import secrets
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.audit import tables
from hub.audit.rules import BLIND_BYTES, Entry, entry_bytes
from hub.base import rounds
from hub.base.ids import new_id

_APPEND = rounds.Prepared(sa.insert(tables.audit_pending), "id", "kind", "parties", "case_handle", "body")


def append(session: Session, entry: Entry, *, now: datetime) -> str:
    """Write *entry* so that it commits with the change it describes, and return its id (audit-log §1).

    Call it while holding the lock that orders the change: the order of these calls is the order of the log.
    """
    entry_id = new_id(now)
    body = entry_bytes(entry, entry_id=entry_id, at=now, blind=secrets.token_bytes(BLIND_BYTES))
    # nobody reads it back here: it goes out with what is asked next, or with the commit
    asked = _APPEND.of(
        id=entry_id, kind=entry.kind.value, parties=sorted(set(entry.parties)), case_handle=entry.case, body=body
    )
    rounds.later(session, asked)
    return entry_id
