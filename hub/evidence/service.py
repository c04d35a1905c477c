# SPDX-License-Identifier: Apache-2.0
"""Give the log out, and log that it was given out."""

from datetime import datetime
from typing import BinaryIO

from sqlalchemy.orm import Session

from hub.audit import service as audit
from hub.audit.rules import AuditKind, Entry, Json
from hub.evidence import reads
from hub.evidence.reads import Keys, Progress


def export(
    session: Session,
    out: BinaryIO,
    keys: Keys,
    *,
    by: str,
    now: datetime,
    progress: Progress = lambda _done, _all: None,
) -> int:
    """Write the whole log as a bundle for a person of the hub (`by`), and return how many entries it has.

    Reading everything is itself an entry. The session needs a role that sees all and may append: the worker's.
    """
    size = reads.write(session, out, keys, now=now, progress=progress)
    facts: dict[str, Json] = {"what": "bundle", "form": "jsonl", "size": size}
    audit.append(session, Entry(kind=AuditKind.EXPORT_MADE, actor=by, parties=(), facts=facts), now=now)
    return size
