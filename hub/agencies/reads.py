# SPDX-License-Identifier: Apache-2.0
"""The directory as frozen dataclasses: agencies, their keys, and clauses by which other slices ask in their
own query.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from consent.errors import SignatureRefusedError
from consent.jwk import KeyUse, PublicKey
from consent.keys import SignedEntry, Suite
from consent.scopes import Party
from consent.tlog.proofs import LogProof, write_proof
from hub.agencies.rules import AgencyState, Approval, Deed
from hub.agencies.tables import agencies, agency_approvals, agency_keys
from hub.audit import proving
from hub.audit.proving import Inclusion
from hub.audit.reads import LoggedEntry
from hub.base import rounds
from hub.base.rounds import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """One agency as the directory knows it; nothing of a person."""

    id: str
    kind: str
    name_ja: str
    name_en: str
    services: tuple[str, ...]
    area: tuple[str, ...]
    hours: str
    answer_days: int | None
    capacity: str
    categories: frozenset[str]
    purposes: frozenset[str]
    coordinates: bool
    may_convene: bool
    root: Mapping[str, str]
    state: AgencyState
    version: int
    registered_at: datetime
    last_verified: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedKey:
    """One key entry as published, and what became of it."""

    agency: str
    kid: str
    use: str
    suite: str | None
    seq: int
    removal: bool
    jwk: Mapping[str, str]
    not_before: datetime
    not_after: datetime
    ends_at: datetime
    ended_by: str | None
    signed: SignedEntry
    published_at: datetime
    log_entry: str

    def is_live(self, at: datetime) -> bool:
        """Say whether the entry brings a key that was good at a moment: begun, not ended and not revoked by
        then.
        """
        return not self.removal and self.not_before <= at < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedKey:
    """A key entry with its entry of the audit log and the proof (C2SP tlog-proof) that this one is in the log.

    Both are None until the sequencer has taken the entry in, at most 60 s.
    """

    key: PublishedKey
    body: str | None
    proof: str | None


_of_agency = sa.bindparam("of_agency", type_=agencies.c.id.type)
_AGENCY = rounds.Prepared(sa.select(agencies).where(agencies.c.id == _of_agency))
_PARTY = rounds.Prepared(
    sa.select(agencies.c.kind).where(agencies.c.id == _of_agency, agencies.c.state == AgencyState.ACTIVE.value)
)
# the time is compared where the key is read: what is foreseen does not know the transaction's time yet
_SIG_KEY = rounds.Prepared(
    sa.select(agency_keys.c.jwk, agency_keys.c.not_before, agency_keys.c.ends_at).where(
        agency_keys.c.agency == _of_agency,
        agency_keys.c.kid == sa.bindparam("of_kid", type_=sa.Text),
        agency_keys.c.use == KeyUse.SIG.value,
        sa.not_(agency_keys.c.removal),
    )
)
_ENC_KIDS = rounds.Prepared(
    sa.select(agency_keys.c.kid, agency_keys.c.not_before, agency_keys.c.ends_at)
    .where(
        agency_keys.c.agency == _of_agency,
        agency_keys.c.use == KeyUse.ENC.value,
        agency_keys.c.suite == Suite.A.value,
        sa.not_(agency_keys.c.removal),
    )
    .order_by(agency_keys.c.seq.desc())
)


def ask_agency(agency_id: str) -> Asked:
    """Make the question that `agency` asks, for whoever foresees it."""
    return _AGENCY.of(of_agency=agency_id)


def ask_party(agency_id: str) -> Asked:
    """Make the question that `party` asks, for whoever foresees it."""
    return _PARTY.of(of_agency=agency_id)


def ask_sig_key(agency_id: str, kid: str) -> Asked:
    """Make the question that `sig_key` asks, for whoever foresees it."""
    return _SIG_KEY.of(of_agency=agency_id, of_kid=kid)


def ask_enc_kids(agency_id: str) -> Asked:
    """Make the question that `current_enc_kid` asks, for whoever foresees it."""
    return _ENC_KIDS.of(of_agency=agency_id)


def agency(session: Session, agency_id: str) -> Agency | None:
    """Give one agency in whatever state, or None."""
    (told,) = rounds.ask(session, ask_agency(agency_id))
    return _agency(SimpleNamespace(**told.rows[0])) if told.rows else None


def directory(
    session: Session, *, after: str | None, limit: int, kind: str | None = None, purpose: str | None = None
) -> tuple[Agency, ...]:
    """Give confirmed agencies in the order of their ids, from the one after *after* on (api.md: keyset
    paging).
    """
    query = sa.select(agencies).where(agencies.c.state != AgencyState.PENDING.value)
    if after is not None:
        query = query.where(agencies.c.id > after)
    if kind is not None:
        query = query.where(agencies.c.kind == kind)
    if purpose is not None:
        query = query.where(agencies.c.purposes.contains([purpose]))
    return tuple(_agency(row) for row in session.execute(query.order_by(agencies.c.id).limit(limit)))


def everybody(session: Session) -> tuple[Agency, ...]:
    """Give every agency in whatever state, in the order of ids: for the people of the hub."""
    return tuple(_agency(row) for row in session.execute(sa.select(agencies).order_by(agencies.c.id)))


def party(session: Session, agency_id: str) -> Party | None:
    """Give an agency as decisions see it, or None for one that is not active: nothing goes to or from it
    now.
    """
    (told,) = rounds.ask(session, ask_party(agency_id))
    return Party(agency=agency_id, kind=told.rows[0]["kind"]) if told.rows else None


def named_alike(session: Session, *, look_ja: str, look_en: str, but: str) -> bool:
    """Say whether another agency's name reads the same as one of these search keys."""
    alike = sa.exists().where(
        agencies.c.id != but, sa.or_(agencies.c.look_ja == look_ja, agencies.c.look_en == look_en)
    )
    return bool(session.execute(sa.select(alike)).scalar_one())


def keys(session: Session, agency_id: str) -> tuple[PublishedKey, ...]:
    """Give every key entry of an agency, ended ones too, chain by chain in their order."""
    query = sa.select(agency_keys).where(agency_keys.c.agency == agency_id)
    ordered = query.order_by(agency_keys.c.use, agency_keys.c.suite, agency_keys.c.seq)
    return tuple(_key(row) for row in session.execute(ordered))


def logged_keys(session: Session, agency_id: str) -> tuple[LoggedKey, ...]:
    """Give every key entry of an agency with the proof that others need before they take the key (protocol §3)."""
    published = keys(session, agency_id)
    proved = proving.proved(session, agency_id, [key.log_entry for key in published])
    return tuple(_logged(key, *proved.get(key.log_entry, (None, None))) for key in published)


def live_keys(session: Session, agency_id: str, at: datetime) -> tuple[PublishedKey, ...]:
    """Give the keys of an agency that are good at a moment."""
    return tuple(key for key in keys(session, agency_id) if key.is_live(at))


def lasting_keys_of(
    session: Session, agency_ids: Collection[str], at: datetime
) -> Mapping[str, tuple[PublishedKey, ...]]:
    """Give the keys of several agencies that are good at a moment or begin after it, by one query."""
    lasts = sa.and_(sa.not_(agency_keys.c.removal), agency_keys.c.ends_at > at)
    query = sa.select(agency_keys).where(agency_keys.c.agency.in_(agency_ids), lasts)
    found: dict[str, list[PublishedKey]] = {agency_id: [] for agency_id in agency_ids}
    for row in session.execute(query.order_by(agency_keys.c.use, agency_keys.c.suite, agency_keys.c.seq)):
        found[row.agency].append(_key(row))
    return {agency_id: tuple(lasting) for agency_id, lasting in found.items()}


def sig_key(session: Session, agency_id: str, kid: str, at: datetime) -> PublicKey:
    """Give an agency's artefact key that is good at a moment.

    Raises SignatureRefusedError (`key-not-valid`): unknown, another agency's, of another use, ended or
    revoked.
    """
    (told,) = rounds.ask(session, ask_sig_key(agency_id, kid))
    row = next((row for row in told.rows if row["not_before"] <= at < row["ends_at"]), None)
    if row is None:
        raise SignatureRefusedError("key-not-valid")
    return PublicKey.from_jwk(row["jwk"], KeyUse.SIG)


def current_enc_kid(session: Session, agency_id: str, at: datetime) -> str | None:
    """Name the key to seal to: the newest good `enc` entry of the standard suite, or None."""
    (told,) = rounds.ask(session, ask_enc_kids(agency_id))
    return next((str(row["kid"]) for row in told.rows if row["not_before"] <= at < row["ends_at"]), None)


def client_keys(session: Session, agency_id: str, at: datetime) -> tuple[PublicKey, ...]:
    """Give the keys by which an agency's first OAuth client may sign in at a moment."""
    live = (key for key in live_keys(session, agency_id, at) if key.use == KeyUse.CLIENT.value)
    return tuple(PublicKey.from_jwk(key.jwk, KeyUse.CLIENT) for key in live)


def approvals(session: Session, agency_id: str, deed: Deed, subject: str) -> tuple[Approval, ...]:
    """Give the words that wait for a second person."""
    rows = session.execute(
        sa.select(agency_approvals.c.staff, agency_approvals.c.role, agency_approvals.c.at).where(
            agency_approvals.c.agency == agency_id,
            agency_approvals.c.deed == deed.value,
            agency_approvals.c.subject == subject,
            agency_approvals.c.done_at.is_(None),
        )
    )
    return tuple(Approval(staff=row.staff, role=row.role, at=row.at) for row in rows)


def is_active(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Make a clause for another slice's query: the agency in *column* is active. Its tables stay ours."""
    return sa.exists().where(agencies.c.id == column, agencies.c.state == AgencyState.ACTIVE.value)


def key_window(
    agency_column: sa.ColumnElement[Any], kid_column: sa.ColumnElement[Any]
) -> tuple[sa.ScalarSelect[Any], sa.ScalarSelect[Any]]:
    """Make two values for another slice's query: from when and until when that agency's key is good, none if never.

    It is good at a moment that is not before the first and before the second, as `PublishedKey.is_live` says.
    """
    own = (agency_keys.c.agency == agency_column, agency_keys.c.kid == kid_column, sa.not_(agency_keys.c.removal))
    begins = sa.select(agency_keys.c.not_before).where(*own).scalar_subquery()
    return begins, sa.select(agency_keys.c.ends_at).where(*own).scalar_subquery()


def _is_live(at: datetime) -> sa.ColumnElement[bool]:
    """Say in SQL what `PublishedKey.is_live` says."""
    begun, ended = agency_keys.c.not_before <= at, agency_keys.c.ends_at <= at
    return sa.and_(sa.not_(agency_keys.c.removal), begun, sa.not_(ended))


def _agency(row: Any) -> Agency:
    return Agency(
        id=row.id,
        kind=row.kind,
        name_ja=row.name_ja,
        name_en=row.name_en,
        services=tuple(row.services),
        area=tuple(row.area),
        hours=row.hours,
        answer_days=row.answer_days,
        capacity=row.capacity,
        categories=frozenset(row.categories),
        purposes=frozenset(row.purposes),
        coordinates=row.coordinates,
        may_convene=row.may_convene,
        root=row.root,
        state=AgencyState(row.state),
        version=row.version,
        registered_at=row.registered_at,
        last_verified=row.last_verified,
    )


def _key(row: sa.Row[Any]) -> PublishedKey:
    return PublishedKey(
        agency=row.agency,
        kid=row.kid,
        use=row.use,
        suite=row.suite or None,
        seq=row.seq,
        removal=row.removal,
        jwk=row.jwk,
        not_before=row.not_before,
        not_after=row.not_after,
        ends_at=row.ends_at,
        ended_by=row.ended_by,
        signed=SignedEntry(by_self=row.by_self, by_previous=row.by_previous, by_root=row.by_root),
        published_at=row.published_at,
        log_entry=row.log_entry,
    )


def _logged(key: PublishedKey, entry: LoggedEntry | None, included: Inclusion | None) -> LoggedKey:
    if entry is None or included is None:
        return LoggedKey(key=key, body=None, proof=None)
    proof = LogProof(index=included.index, hashes=included.path, checkpoint=included.checkpoint.note)
    return LoggedKey(key=key, body=entry.body.decode("ascii"), proof=write_proof(proof))
