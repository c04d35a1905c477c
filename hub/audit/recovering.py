# SPDX-License-Identifier: Apache-2.0
"""End a recovery: only when enough witnesses agree with what lies in the database, and the log says that it was."""

from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from hub.audit import reads, service, tables
from hub.audit.rules import HUB, AuditKind, Entry, Json
from hub.audit.witnessing import Round

log = structlog.get_logger(__name__)


def end(session: Session, found: Round, *, now: datetime) -> bool:
    """End the recovery, if one goes on and this round of asking allows it; say whether it ended.

    The log then has two entries: that it began (with why and when), and that it ended.
    """
    begun = reads.recovery(session)
    if begun is None or found.against or not found.is_enough:
        return False
    session.execute(sa.delete(tables.log_recovery))
    facts: dict[str, Json] = {
        "code": begun.code,
        "who": begun.who,
        "seen": begun.size,
        "at": begun.begun_at.isoformat(),
    }
    service.append(session, Entry(kind=AuditKind.RESTORE_BEGUN, actor=HUB, parties=(), facts=facts), now=now)
    names = sorted(one.witness.name for one in found.answers if one.lines)
    agreed: dict[str, Json] = {"size": found.size, "witnesses": names}
    service.append(session, Entry(kind=AuditKind.RESTORE_ENDED, actor=HUB, parties=(), facts=agreed), now=now)
    log.warning("log:recovery-ended", size=found.size)
    return True
