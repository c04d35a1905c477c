# SPDX-License-Identifier: Apache-2.0
"""The directory as the casebook knows it: the hub's entries, and what our own referrals show of answer times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Connection

from connectors.base.errors import ConnectorError
from connectors.casebook import directory, mirror, tables, tables_mirror
from connectors.casebook.people import search_key
from connectors.desk.agencies import rules
from connectors.desk.web.visits import Visit
from connectors.sdk.answers import Agency
from consent.jwk import KeyUse, PublicKey
from consent.keys import fingerprint_words

_ENOUGH: Final = 3
"""Fewer answers than this make no usual time."""
_DAY: Final = 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One agency on the list: its entry, whether it can be written to now, how old its entry is, our experience."""

    agency: Agency
    can_be_written_to: bool
    is_stale: bool
    is_us: bool
    usual_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Who fits; where nobody does, `nearest` could help."""

    cards: tuple[Card, ...]
    nearest: tuple[Card, ...]
    everybody: int


def listing(connection: Connection, visit: Visit, wanted: rules.Wanted) -> Listing:
    """Give the agencies that fit what is looked for."""
    known = mirror.profiles(connection)
    folded = {one.id: search_key(f"{one.name['ja']}{one.name['en']}{''.join(one.area)}") for one in known.values()}
    found = rules.fitting(known.values(), wanted, folded)
    others = rules.nearest(known.values(), wanted) if not found else []
    answers = answer_days(connection, visit)
    return Listing(
        cards=tuple(_card(connection, visit, one, answers) for one in found),
        nearest=tuple(_card(connection, visit, one, answers) for one in others),
        everybody=len(known),
    )


def card(connection: Connection, visit: Visit, agency: str) -> Card:
    """Give one agency.

    *Raises* `ConnectorError("agency-unknown")`.
    """
    found = mirror.profiles(connection).get(agency)
    if found is None:
        raise ConnectorError("agency-unknown")
    return _card(connection, visit, found, answer_days(connection, visit))


def key_words(connection: Connection, agency: str) -> tuple[str, ...]:
    """Give the words of an agency's root key, as they were confirmed on the telephone, for comparing by ear."""
    root = directory.agency(connection, agency).root
    return fingerprint_words(PublicKey.from_jwk(root, KeyUse.ROOT), "ja")


def answer_days(connection: Connection, visit: Visit) -> Mapping[str, float]:
    """Give the median days from sending to acceptance or decline, by receiver, over our own sent referrals."""
    listed, full = tables.referrals.c, tables_mirror.referral_details.c
    rows = connection.execute(
        sa.select(listed.recipient, full.document)
        .join(tables_mirror.referral_details, full.referral == listed.id)
        .where(listed.sender == visit.site.connector.agency)
        .order_by(listed.updated_at.desc())
        .limit(500)
    )
    days: dict[str, list[float]] = {}
    for row in rows:
        moves = row.document["history"]
        sent = row.document["sent_at"]
        answered = next((one["at"] for one in moves if one["to"] in {"accepted", "declined"}), None)
        if answered is not None:
            days.setdefault(row.recipient, []).append(_days(sent, answered))
    return {agency: median(each) for agency, each in days.items() if len(each) >= _ENOUGH}


def _days(sent: str, answered: str) -> float:
    return (datetime.fromisoformat(answered) - datetime.fromisoformat(sent)).total_seconds() / _DAY


def _card(connection: Connection, visit: Visit, agency: Agency, answers: Mapping[str, float]) -> Card:
    return Card(
        agency=agency,
        can_be_written_to=_has_key(connection, visit, agency.id),
        is_stale=rules.is_stale(agency, visit.at),
        is_us=agency.id == visit.site.connector.agency,
        usual_days=answers.get(agency.id),
    )


def _has_key(connection: Connection, visit: Visit, agency: str) -> bool:
    try:
        directory.sealing_key(connection, agency, now=visit.at)
    except ConnectorError:
        return False
    return True
