# SPDX-License-Identifier: Apache-2.0
"""What a value may be: a code (or its label), a day, a moment, an id, a staff id, words typed or read from a file."""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import click
from typing_extensions import override

from connectors.cli.errors import CliError, WrongValueError
from connectors.cli.texts import LANGUAGE, code_of, codes, language_of_the_shell
from consent.calendar import JST
from consent.wire import is_id

CODE: Final = "CODE"
_STAFF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)
_MEDIA: Final = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,63}", re.ASCII)


class _Kind(click.ParamType[Any, Any]):
    """A kind of value that fails with a sentence of the catalogue."""

    name = "value"

    def wrong(self, key: str, param: click.Parameter | None, ctx: click.Context | None, **places: str) -> Any:
        """Refuse the value; it is not repeated."""
        error = WrongValueError(key, **places)
        error.param, error.ctx = param, ctx
        raise error


class Code(_Kind):
    """A code of one list, or its label in either language."""

    name = "code"

    def __init__(self, code_list: str, *also: str) -> None:
        """Take the list, and what else may stand in its place (`*`)."""
        self.code_list = code_list
        self._also = also

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = value if value in self._also else code_of(self.code_list, value)
        if found is None:
            language = (ctx.meta.get(LANGUAGE) if ctx else None) or language_of_the_shell()
            known = [f"{code} ({row[language]})" for code, row in codes(self.code_list).items()]
            self.wrong("code-unknown", param, ctx, known=", ".join([*self._also, *known]))
        return str(found)


class Day(_Kind):
    """A day, `YYYY-MM-DD`."""

    name = "day"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return date.fromisoformat(value)
        except ValueError:
            day: date = self.wrong("day-malformed", param, ctx)
            return day


class At(_Kind):
    """A moment; without an offset it is Japan's time, a bare day its beginning there."""

    name = "moment"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            at = self.wrong("moment-malformed", param, ctx)
        return (at if at.tzinfo else at.replace(tzinfo=JST)).astimezone(UTC)


class Id(_Kind):
    """An id as the program prints it."""

    name = "id"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not is_id(value):
            self.wrong("id-malformed", param, ctx)
        return str(value)


class Number(_Kind):
    """A number from 1 on."""

    name = "number"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not (str(value).isascii() and str(value).isdecimal() and int(value) > 0):
            self.wrong("number-malformed", param, ctx)
        return int(value)


class Staff(_Kind):
    """An agency's opaque id of somebody who works there: never a name."""

    name = "staff"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not _STAFF.fullmatch(value):
            self.wrong("staff-malformed", param, ctx)
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What was typed, or read from a file."""

    body: bytes = field(repr=False)
    media: str = "text/plain"


class Pair(_Kind):
    """`name=value`."""

    name = "pair"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, equals, said = value.partition("=")
        if not equals or not name:
            self.wrong("pair-malformed", param, ctx)
        return name, said


def content(said: str) -> Content:
    """Take words as they are typed, or after `@` the content of a file.

    *Raises* `CliError("file-unreadable")`.
    """
    if not said.startswith("@"):
        return Content(body=said.encode("utf-8"))
    path = Path(said[1:])
    guessed = mimetypes.guess_type(path.name)[0] or ""
    return Content(body=read_file(path), media=guessed if _MEDIA.fullmatch(guessed) else "application/octet-stream")


def read_file(path: Path) -> bytes:
    """Read a file that was named.

    *Raises* `CliError("file-unreadable")`.
    """
    try:
        return path.read_bytes()
    except OSError:
        raise CliError("file-unreadable", file=str(path)) from None
