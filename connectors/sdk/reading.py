# SPDX-License-Identifier: Apache-2.0
"""Read what the hub answers into frozen dataclasses, leniently: a member we do not know is read over, so that a newer
hub still speaks with an older connector; one that is missing, or of another kind, makes the answer unreadable.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from connectors.base.errors import ConnectorError

Shape = TypeVar("Shape")


def read(shape: type[Shape], document: object) -> Shape:
    """Read a parsed JSON value as `shape`, a frozen dataclass.

    *Raises* `ConnectorError("answer-malformed")`; what was in the answer is not repeated.
    """
    try:
        made: Shape = _adapter(cast("Hashable", shape)).validate_python(document)
    except ValidationError:
        raise ConnectorError("answer-malformed") from None
    return made


def plain(shape: type[Shape], value: Shape) -> dict[str, Any]:
    """Write a frozen dataclass as the JSON object that `read` reads."""
    made: dict[str, Any] = _adapter(cast("Hashable", shape)).dump_python(value, mode="json")
    return made


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)
