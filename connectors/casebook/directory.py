# SPDX-License-Identifier: Apache-2.0
"""The agency's copy of the hub's directory: who exists, of which kind, with which keys. Verified before it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.dialects.sqlite import insert

from connectors.base.errors import ConnectorError
from connectors.casebook import tables
from consent.jwk import KeyUse, PublicKey
from consent.scopes import Party


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A public key of an agency and its window, half-open."""

    use: str
    kid: str
    jwk: dict[str, str]
    not_before: str
    not_after: str

    def is_valid_at(self, at: datetime) -> bool:
        """Say whether `at` lies in the window."""
        return datetime.fromisoformat(self.not_before) <= at < datetime.fromisoformat(self.not_after)

    def key(self) -> PublicKey:
        """Read the key."""
        return PublicKey.from_jwk(self.jwk, KeyUse(self.use))


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAgency:
    """An agency as the directory shows it."""

    id: str
    kind: str
    name_ja: str
    name_en: str
    state: str
    root: dict[str, str]
    keys: tuple[KnownKey, ...]


def keep(connection: Connection, agency: KnownAgency, *, now: datetime) -> None:
    """Keep an agency as it is now; its keys were verified against the root that was seen first.

    *Raises* `ConnectorError("root-changed")`: this is another root key.
    """
    before = connection.execute(sa.select(tables.agencies.c.root).where(tables.agencies.c.id == agency.id)).scalar()
    if before is not None and before != agency.root:
        raise ConnectorError("root-changed", agency=agency.id)
    values: dict[str, Any] = {
        "kind": agency.kind,
        "name_ja": agency.name_ja,
        "name_en": agency.name_en,
        "state": agency.state,
        "root": agency.root,
        "keys": [asdict(key) for key in agency.keys],
        "fetched_at": now,
    }
    statement = insert(tables.agencies).values(id=agency.id, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def agency(connection: Connection, agency_id: str) -> KnownAgency:
    """Give an agency.

    *Raises* `ConnectorError("agency-unknown")`.
    """
    row = connection.execute(sa.select(tables.agencies).where(tables.agencies.c.id == agency_id)).one_or_none()
    if row is None:
        raise ConnectorError("agency-unknown")
    return _known(row)


def agencies(connection: Connection, *, kind: str | None = None) -> Sequence[KnownAgency]:
    """Give every agency, or those of one kind, by name."""
    query = sa.select(tables.agencies).order_by(tables.agencies.c.name_ja)
    if kind is not None:
        query = query.where(tables.agencies.c.kind == kind)
    return [_known(row) for row in connection.execute(query)]


def party(connection: Connection, agency_id: str) -> Party:
    """Give an agency as the decision sees it.

    *Raises* `ConnectorError("agency-unknown")`.
    """
    kind = connection.execute(sa.select(tables.agencies.c.kind).where(tables.agencies.c.id == agency_id)).scalar()
    if kind is None:
        raise ConnectorError("agency-unknown")
    return Party(agency=agency_id, kind=kind)


def sealing_key(connection: Connection, agency_id: str, *, now: datetime) -> PublicKey:
    """Give the key to which messages for an agency are sealed now.

    *Raises* `ConnectorError`: `agency-unknown`, `recipient-without-key`.
    """
    valid = [key for key in agency(connection, agency_id).keys if key.use == KeyUse.ENC and key.is_valid_at(now)]
    if not valid:
        raise ConnectorError("recipient-without-key")
    return valid[0].key()


def signing_key(connection: Connection, agency_id: str, kid: str, *, at: datetime) -> PublicKey:
    """Give the `sig` key of this name if it was the agency's at `at`.

    *Raises* `ConnectorError`: `agency-unknown`, `signer-unknown`.
    """
    for key in agency(connection, agency_id).keys:
        if key.use == KeyUse.SIG and key.kid == kid and key.is_valid_at(at):
            return key.key()
    raise ConnectorError("signer-unknown")


def _known(row: sa.Row[Any]) -> KnownAgency:
    return KnownAgency(
        id=row.id,
        kind=row.kind,
        name_ja=row.name_ja,
        name_en=row.name_en,
        state=row.state,
        root=row.root,
        keys=tuple(KnownKey(**key) for key in row.keys),
    )
