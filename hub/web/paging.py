# SPDX-License-Identifier: Apache-2.0
"""Lists are read page by page with a cursor: the key of the last row, never an offset (api: manners).

A cursor is opaque to callers and not a secret: it says where to go on among the caller's own rows, and row-level
security still decides which those are. One that was copied from another agency finds nothing.
"""

import binascii
import json
from base64 import b64decode, urlsafe_b64encode
from typing import Annotated, Final, Generic, TypeVar

from pydantic import Field

from hub.base.errors import MalformedError
from hub.web.shapes import Query, Shape

Item = TypeVar("Item", bound=Shape)

LONGEST_CURSOR: Final = 512
MOST: Final = 200


class PageQuery(Query):
    """`?limit=&cursor=`; lists with filters inherit it."""

    limit: Annotated[int, Field(ge=1, le=MOST)] = 50
    cursor: Annotated[str, Field(max_length=LONGEST_CURSOR)] | None = None


class Page(Shape, Generic[Item]):
    """One page; `next_cursor` is null on the last one."""

    items: tuple[Item, ...]
    next_cursor: str | None = None


def encode_cursor(*key: str | int) -> str:
    """Write the key of the last row of a page as a cursor; times go in as RFC 3339 text."""
    return urlsafe_b64encode(json.dumps(key, separators=(",", ":")).encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str | None, *kinds: type) -> tuple[str | int, ...] | None:
    """Read a cursor back: one value of each of `kinds` (str, int); None when there is no cursor.

    What the values must look like (an id, a time) is the caller's to check, with the same refusal.

    *Raises* MalformedError: bad-cursor.
    """
    if cursor is None:
        return None
    try:
        key = json.loads(b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError, binascii.Error):
        raise bad_cursor() from None
    if not isinstance(key, list) or [type(value) for value in key] != list(kinds):
        raise bad_cursor()
    return tuple(key)


def bad_cursor() -> MalformedError:
    """Make the refusal of a cursor."""
    return MalformedError("bad-cursor", pointer="cursor")
