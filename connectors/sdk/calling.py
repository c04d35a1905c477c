# SPDX-License-Identifier: Apache-2.0
"""How every call of the client is made: the page it asks for, the shape it reads, versions, keys, pages, patience."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final, TypeVar

from connectors.sdk.interface import Body, Hub
from connectors.sdk.reading import read
from connectors.sdk.session import HubSession
from consent import wire

Shape = TypeVar("Shape")

MARGIN: Final = 30.0
"""Seconds that a long poll may take beyond what it waits."""


class Calling(Hub):
    """What the client's parts share: the session, and the ways of asking it."""

    _session: HubSession

    def _get(self, shape: type[Shape], path: str) -> Shape:
        return read(shape, self._session.get(path).body)

    def _post(
        self, shape: type[Shape], path: str, body: Body, idempotency_key: str | None, version: int | None = None
    ) -> Shape:
        tag = None if version is None else tag_of(version)
        key = idempotency_key or new_key()
        return read(shape, self._session.post(path, plain(body), idempotency_key=key, if_match=tag).body)

    def _pages(
        self, shape: type[Shape], path: str, query: Mapping[str, Any] | None = None, *, patience: float = MARGIN
    ) -> Iterator[Shape]:
        """Give what is on all pages; only the first one may have to be waited for."""
        asked = dict(query or {})
        while True:
            body = self._session.get(path, query_of(asked), patience=patience).body
            yield from read(tuple[shape, ...], body.get("items"))  # type: ignore[valid-type]  # a type made here
            cursor = body.get("next_cursor")
            if cursor is None:
                return
            asked = {**asked, "wait": None, "cursor": cursor}


def new_key() -> str:
    """Make an idempotency key."""
    return str(uuid.uuid4())


def tag_of(version: int) -> str:
    """Write a version as an entity tag."""
    return f'"{version}"'


def query_of(asked: Mapping[str, Any]) -> dict[str, str]:
    """Write what is asked for as an address does, without what was not said."""
    given = {name: plain(value) for name, value in asked.items() if value is not None}
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in given.items()}


def plain(value: Any) -> Any:
    """Write moments as RFC 3339 in UTC and days as dates, wherever they stand."""
    if isinstance(value, datetime):
        return wire.write_moment(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
