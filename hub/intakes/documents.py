# SPDX-License-Identifier: Apache-2.0
"""The signed words of a person that the log speaks of, for whoever checks it elsewhere (audit-log 7)."""

from collections.abc import Collection, Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.receipts import statement_hash
from hub.intakes.tables import consent_statuses, consents, exclusions, withdrawals

Named = Collection[tuple[str, str]]
"""Signer and the signer's own id."""


def signed_words(session: Session, *, of_consents: Named, of_exclusions: Named) -> Mapping[str, str]:
    """Give by their hash: records, their newest statuses and withdrawals; exclusions and their revocations."""
    return {statement_hash(token): token for token in _tokens(session, of_consents, of_exclusions)}


def _tokens(session: Session, of_consents: Named, of_exclusions: Named) -> Iterator[str]:
    if of_consents:
        asked = sa.tuple_(consents.c.signer, consents.c.consent).in_(sorted(of_consents))
        rows = session.execute(sa.select(consents.c.id, consents.c.record).where(asked)).all()
        yield from (row.record for row in rows)
        for table in (consent_statuses, withdrawals):
            of_them = table.c.consent_id.in_([row.id for row in rows])
            yield from session.scalars(sa.select(table.c.record).where(of_them, table.c.record.is_not(None)))
    if of_exclusions:
        asked = sa.tuple_(exclusions.c.signer, exclusions.c.exclusion).in_(sorted(of_exclusions))
        for row in session.execute(sa.select(exclusions.c.record, exclusions.c.revocation).where(asked)):
            yield row.record
            if row.revocation is not None:
                yield row.revocation
