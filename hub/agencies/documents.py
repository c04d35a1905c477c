# SPDX-License-Identifier: Apache-2.0
"""The signed key entries that the log speaks of, for whoever checks it elsewhere (audit-log 7)."""

from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from hub.agencies.tables import agencies, agency_keys

_SIGNATURES: Final = ("by_self", "by_previous", "by_root")


def roots(session: Session) -> tuple[tuple[str, str, Mapping[str, str]], ...]:
    """Give id, kind and public root key of every agency that ever registered."""
    query = sa.select(agencies.c.id, agencies.c.kind, agencies.c.root).order_by(agencies.c.id)
    return tuple((row.id, row.kind, row.root) for row in session.execute(query))


def key_entries(session: Session, logged: Collection[str]) -> Mapping[str, Mapping[str, str]]:
    """Give the signatures of key entries by the id of the log's entry."""
    if not logged:
        return {}
    query = sa.select(agency_keys.c.log_entry, *(agency_keys.c[name] for name in _SIGNATURES))
    return {
        row.log_entry: {name: token for name in _SIGNATURES if (token := getattr(row, name)) is not None}
        for row in session.execute(query.where(agency_keys.c.log_entry.in_(logged)))
    }
