# SPDX-License-Identifier: Apache-2.0
"""Finding whom a referral is for, with how the person's consent stands beside each name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from connectors.casebook import files, statements
from connectors.casebook.files import Found
from connectors.casebook.statements import KnownConsent
from connectors.desk.web.visits import Visit
from consent.scopes import signature_valid


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a person's consent stands, for a list: a code of `standing`, and until when the longest one lasts."""

    code: str
    until: datetime | None


def found_people(connection: Connection, visit: Visit, wanted: str) -> list[tuple[Found, Standing | None]]:
    """Find people with how their consent stands; the search is logged."""
    found = files.search(connection, wanted, staff=visit.me.id, now=visit.at)
    return [(one, _standing(connection, one.case, visit.at) if one.case else None) for one in found]


def _standing(connection: Connection, case: str, now: datetime) -> Standing:
    known = statements.consents_of(connection, case)
    taken = [one for one in statements.withdrawals_of(connection, case) if not one.to and not one.categories]
    gone = frozenset(
        one.record.id
        for one in known
        for word in taken
        if (one.record.id in word.scopes if word.scopes else one.record.signed_at <= word.at)
    )
    ended = frozenset(old for one in known for old in one.record.supersedes)
    states = [(_state(one, gone, ended, now), one) for one in known]
    for code in ("live", "not_yet", "ended", "withdrawn", "superseded", "unsigned"):
        until = [one.record.valid_until for state, one in states if state == code]
        if until:
            return Standing(code=code, until=max(until) if code in {"live", "ended"} else None)
    return Standing(code="none", until=None)


def _state(known: KnownConsent, gone: frozenset[str], replaced: frozenset[str], now: datetime) -> str:
    record = known.record
    if record.id in gone:
        return "withdrawn"
    if record.id in replaced:
        return "superseded"
    if not signature_valid(record.scope(), now):
        return "unsigned"
    if now >= record.valid_until:
        return "ended"
    return "live" if record.valid_from <= now else "not_yet"
