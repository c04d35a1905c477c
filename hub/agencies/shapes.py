# SPDX-License-Identifier: Apache-2.0
"""The directory as the API shows it, and the one thing it takes: a signed key entry."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from consent.keys import SignedEntry
from hub.agencies.reads import Agency, LoggedKey, PublishedKey
from hub.web.paging import Page, PageQuery
from hub.web.shapes import Shape

Token = Annotated[str, Field(max_length=16 * 1024)]


class DirectoryQuery(PageQuery):
    """`?kind=&purpose=`: only agencies of a kind, only those that accept a purpose."""

    kind: Annotated[str, Field(max_length=64)] | None = None
    purpose: Annotated[str, Field(max_length=64)] | None = None


class SignedEntryShape(Shape):
    """The signatures over one key entry's bytes (protocol §3)."""

    by_self: Token | None = None
    by_previous: Token | None = None
    by_root: Token | None = None

    def signed(self) -> SignedEntry:
        """Give the library's form."""
        return SignedEntry(by_self=self.by_self, by_previous=self.by_previous, by_root=self.by_root)


class CurrentKeyShape(Shape):
    """A key that is good now or will be. Take it only with its entry and the proof that the entry is in the log."""

    use: str
    suite: str | None
    kid: str
    jwk: dict[str, str]
    not_before: datetime
    ends_at: datetime


class AgencyShape(Shape):
    """One agency of the directory (api.md); a suspended one is listed, so that others see why it does not answer."""

    id: str
    kind: str
    name: dict[str, str]
    state: str
    services: tuple[str, ...]
    area: tuple[str, ...]
    hours: str
    answer_days: int | None
    capacity: str
    categories: tuple[str, ...]
    purposes: tuple[str, ...]
    coordinates: bool
    may_convene: bool
    last_verified: datetime | None
    keys: tuple[CurrentKeyShape, ...]
    next_keys: tuple[CurrentKeyShape, ...]


class KeyShape(Shape):
    """One key entry: its signatures, when the key really ends, its entry of the log, and the proof of that entry.

    `logged` is the log entry's text byte for byte, `proof` a C2SP tlog-proof; both come within 60 s.
    """

    use: str
    suite: str | None
    kid: str
    seq: int
    removal: bool
    signed: SignedEntryShape
    published_at: datetime
    ends_at: datetime
    ended_by: str | None
    log_entry: str
    logged: str | None
    proof: str | None


class KeysShape(Shape):
    """All key entries of an agency, chain by chain, with its root key."""

    agency: str
    root: dict[str, str]
    keys: tuple[KeyShape, ...]


AgencyPage = Page[AgencyShape]


def agency_shape(agency: Agency, lasting: tuple[PublishedKey, ...], *, at: datetime) -> AgencyShape:
    """Write one agency with the keys that are good now and, apart, those that begin later."""
    return AgencyShape(
        id=agency.id,
        kind=agency.kind,
        name={"ja": agency.name_ja, "en": agency.name_en},
        state=agency.state.value,
        services=agency.services,
        area=agency.area,
        hours=agency.hours,
        answer_days=agency.answer_days,
        capacity=agency.capacity,
        categories=tuple(sorted(agency.categories)),
        purposes=tuple(sorted(agency.purposes)),
        coordinates=agency.coordinates,
        may_convene=agency.may_convene,
        last_verified=agency.last_verified,
        keys=tuple(_current(key) for key in lasting if key.not_before <= at),
        next_keys=tuple(_current(key) for key in lasting if key.not_before > at),
    )


def key_shape(logged: LoggedKey) -> KeyShape:
    """Write one key entry."""
    key = logged.key
    return KeyShape(
        use=key.use,
        suite=key.suite,
        kid=key.kid,
        seq=key.seq,
        removal=key.removal,
        signed=SignedEntryShape(
            by_self=key.signed.by_self, by_previous=key.signed.by_previous, by_root=key.signed.by_root
        ),
        published_at=key.published_at,
        ends_at=key.ends_at,
        ended_by=key.ended_by,
        log_entry=key.log_entry,
        logged=logged.body,
        proof=logged.proof,
    )


def _current(key: PublishedKey) -> CurrentKeyShape:
    return CurrentKeyShape(
        use=key.use,
        suite=key.suite,
        kid=key.kid,
        jwk=dict(key.jwk),
        not_before=key.not_before,
        ends_at=key.ends_at,
    )
