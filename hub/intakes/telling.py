# SPDX-License-Identifier: Apache-2.0
"""Who is told of a change by the kind that a record or refusal names: of a thousand agencies of a kind those alone that
have sent or received something in the case, for they hold a copy. Who that is, `messages` knows; whom the words mean is
said here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.scopes import ANY, Party, matches
from hub.audit.rules import AuditKind
from hub.base.ids import is_id
from hub.cases import reads as cases
from hub.intakes.tables import consents, exclusions, withdrawals
from hub.outbox import service as outbox
from hub.outbox.rules import Work

_SUFFIX: Final = ":by_kind"
_OF_CONSENTS: Final = (
    AuditKind.CONSENT_REGISTERED,
    AuditKind.CONSENT_STATUS_RENEWED,
    AuditKind.CONSENT_SUPERSEDED,
    AuditKind.CONSENT_LAPSED,
)
_OF_EXCLUSIONS: Final = (AuditKind.EXCLUSION_REGISTERED, AuditKind.EXCLUSION_REVOKED)
TOPICS: Final = tuple(
    f"{kind.value}{_SUFFIX}" for kind in (*_OF_CONSENTS, AuditKind.WITHDRAWAL_REGISTERED, *_OF_EXCLUSIONS)
)
"""The outbox topics of this page; about: the row of the consent, the withdrawal or the exclusion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """An event as it goes on a feed, the case it is of, and whom it means: both lists must name an agency."""

    event: str
    about: str
    case_row: str
    record: Collection[str]
    word: Collection[str]
    known: frozenset[str]
    """Who was told by its own id."""

    def means(self, party: Party) -> bool:
        """Tell whether this agency is meant and was not told yet."""
        return (
            party.agency not in self.known
            and (ANY in self.record or matches(self.record, party))
            and (not self.word or ANY in self.word or matches(self.word, party))
        )


def put(session: Session, kind: AuditKind, row: str, named: Collection[str], *, case_row: str, now: datetime) -> None:
    """Ask that those be told whom the words name by kind only; nothing is asked where all are named by id."""
    if not all(map(is_id, named)):
        outbox.put(session, topic=f"{kind.value}{_SUFFIX}", about=row, order_key=f"case:{case_row}", now=now)


def news(session: Session, work: Work) -> News | None:
    """Give what a piece of work of these topics is about; None when it is about nothing that is there."""
    kind = AuditKind(work.topic.removesuffix(_SUFFIX))
    row = session.execute(_question(kind, work.about)).one_or_none()
    if row is None:
        return None
    case = cases.by_id(session, row.case_id)
    owner = {case.owner} if case else set()
    return News(
        event=kind.value,
        about=row.about,
        case_row=row.case_id,
        record=row.record,
        word=row.word,
        known=frozenset({*cases.parties(session, row.case_id), *owner}),
    )


def _question(kind: AuditKind, row: str) -> sa.Select[tuple[str, str, list[str], list[str]]]:
    nobody = sa.literal([], sa.ARRAY(sa.Text))
    if kind in _OF_EXCLUSIONS:
        about, named = exclusions.c.exclusion.label("about"), exclusions.c.to.label("record")
        return sa.select(about, exclusions.c.case_id, named, nobody.label("word")).where(exclusions.c.id == row)
    partner = sa.func.array_append(nobody, consents.c.partner).label("record")
    about = consents.c.consent.label("about")
    if kind is AuditKind.WITHDRAWAL_REGISTERED:
        whole = sa.select(about, consents.c.case_id, partner, withdrawals.c.to.label("word"))
        return whole.join(withdrawals, withdrawals.c.consent_id == consents.c.id).where(withdrawals.c.id == row)
    return sa.select(about, consents.c.case_id, partner, nobody.label("word")).where(consents.c.id == row)
