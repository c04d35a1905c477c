# SPDX-License-Identifier: Apache-2.0
"""What a person takes back, refuses and allows again, signed and queued; effective here at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import access, deeds, statements, tables
from connectors.casebook.words import keep_words
from connectors.desk.consents import reads, withdrawals
from connectors.desk.consents.tables import takings
from connectors.desk.consents.withdrawals import Choice, Consequences, Taking
from connectors.desk.web.visits import Visit
from consent.receipts import ExclusionRecord, WithdrawalRecord
from consent.scopes import Exclusion, check_exclusion

CHANNELS: Final = ("here", "telephone", "paper")
"""How the person said it: sitting here, by telephone, on paper."""


def take_back(
    connection: Connection, visit: Visit, case: str, choice: Choice, follows: Consequences, *, form: str, channel: str
) -> Taking:
    """Sign what the person takes back and queue it; the same confirmed form again is the same taking.

    *Raises* `ConnectorError`: `nothing-to-take-back`; `case-unknown`, the form was confirmed for another case.
    """
    known = withdrawals.taking_of(connection, form)
    if known is not None:
        if known.case != case:
            raise ConnectorError("case-unknown")
        return known
    pen = visit.pen()
    words = []
    for scopes, to, categories in choice.words(follows.entries, reads.kinds_of(connection)):
        record = WithdrawalRecord(
            id=pen.new_id(), agency=pen.agency, case=case, scopes=scopes, to=to, categories=categories, at=pen.now
        )
        statements.withdraw(connection, record, pen)
        words.append(record.id)
    if not words:
        raise ConnectorError("nothing-to-take-back")
    document = {
        "what": choice.what,
        "stops": [[one.partner, list(one.categories)] for one in follows.stops],
        "running": [one.id for one in follows.running],
        "told": [one.agency for one in follows.told],
        "given": len(follows.given),
    }
    connection.execute(
        sa.insert(takings).values(
            id=form, case=case, words=words, channel=channel, document=document, at=pen.now, staff=pen.staff
        )
    )
    access.record(connection, staff=pen.staff, action=f"withdrawal:{channel}", about=form, case=case, now=pen.now)
    made = withdrawals.taking_of(connection, form)
    if made is None:
        raise KeyError(form)
    return made


def refuse(
    connection: Connection, visit: Visit, case: str, *, to: Iterable[str], categories: Iterable[str], words: str
) -> str:
    """Sign the person's refusal, keep its words here, and queue it; give its id.

    *Raises* `DocumentRefusedError`, `ScopeRefusedError`: it names nobody or nothing that can exist.
    """
    pen = visit.pen()
    exclusion = Exclusion(
        id=pen.new_id(), case=case, to=frozenset(to), categories=frozenset(categories), from_time=pen.now
    )
    check_exclusion(exclusion)
    digest = keep_words(connection, case=case, about=exclusion.id, text=words.encode(), staff=pen.staff, now=pen.now)
    record = ExclusionRecord(
        id=exclusion.id,
        agency=pen.agency,
        case=case,
        to=exclusion.to,
        categories=exclusion.categories,
        from_time=pen.now,
        words_digest=digest,
    )
    statements.exclude(connection, record, pen)
    return record.id


def allow_again(connection: Connection, visit: Visit, case: str, exclusion: str) -> str:
    """Sign the person's explicit end of a refusal and queue it; give the word's id.

    *Raises* `ConnectorError("exclusion-unknown")`.
    """
    found = next((one for one in statements.exclusions_of(connection, case) if one.id == exclusion), None)
    if found is None:
        raise ConnectorError("exclusion-unknown")
    return statements.revoke_exclusion(connection, found, visit.pen())


def note_answer(connection: Connection, visit: Visit, case: str, answer: str) -> None:
    """Note that the person said yes or no to a renewal; a no changes nothing and is never asked for again here."""
    access.record(connection, staff=visit.me.id, action=f"renewal:{answer}", about=case, case=case, now=visit.at)


def last_answer(connection: Connection, case: str) -> tuple[str, datetime] | None:
    """Give what the person said last to a renewal, and when."""
    log = tables.access_log.c
    row = connection.execute(
        sa.select(log.action, log.at)
        .where(log.case == case, log.action.in_(("renewal:yes", "renewal:no")))
        .order_by(log.position.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.action.removeprefix("renewal:"), row.at)


def keys_about(connection: Connection, about: Iterable[str]) -> list[str]:
    """Give the keys of the rows that carry some statements to the hub and wait."""
    return [deed.key for one in about for deed in deeds.waiting_about(connection, one)]


def is_answered(connection: Connection, notice: str) -> bool:
    """Say whether our word to a notice was signed already, sent or waiting."""
    row = tables.outgoing.c
    query = sa.select(row.key).where(row.about == notice, row.what == "purge", row.state != "refused")
    return connection.execute(query.limit(1)).first() is not None
