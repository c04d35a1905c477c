# SPDX-License-Identifier: Apache-2.0
"""The one strict parser for documents from outside, and the plain values they are made of.

What is signed is bytes: documents are read once, strictly, and never written again to be verified
(protocol §1). Here live JSON, base64url and the small types (ids, digests, moments); what a document means
lives with its shape.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field as DataclassField
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Annotated, Any, NoReturn, TypeVar, cast, dataclass_transform

from pydantic import (
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    ValidationError,
)
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from consent.errors import DocumentRefusedError

MAX_DEPTH = 16
MAX_INTEGER = 2**53
MAX_BYTES = 20 * 1024 * 1024
"""A request may have 20 MiB (protocol §2); a caller that expects less says so."""

Shape = TypeVar("Shape")
_Class = TypeVar("_Class", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True)
def document(cls: _Class) -> _Class:
    """Make a frozen, slotted dataclass whose JSON form has exactly its members, each of exactly its type."""
    made: Any = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    made.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)
    return made  # type: ignore[no-any-return]


def parse(text: str | bytes, *, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Read one JSON object (protocol §1).

    Raises:
        DocumentRefusedError: `too-large` (over `limit` bytes); `malformed-json`: not JSON in UTF-8, not an
            object, a duplicate member, NaN or Infinity, deeper than 16, an integer beyond ±2⁵³; `bad-text`:
            U+0000 or a lone surrogate.
    """
    if len(text) > limit:
        raise DocumentRefusedError("too-large")
    try:
        plain = text.decode("utf-8") if isinstance(text, bytes) else text
        made = _DECODER.decode(plain)
    except (ValueError, RecursionError):
        raise DocumentRefusedError("malformed-json") from None
    if not isinstance(made, dict):
        raise DocumentRefusedError("malformed-json")
    # only an escape, or text that was no bytes before, can bring in what cannot be stored
    texts = "\\" in plain or not (isinstance(text, bytes) or plain.isascii())
    if texts or plain.count("{") + plain.count("[") > MAX_DEPTH:
        _check_within(made, texts=texts)
    return made


def read(shape: type[Shape], text: str | bytes, *, limit: int = MAX_BYTES) -> Shape:
    """Read a document of exactly this shape: a `document` dataclass or a strict pydantic model.

    Raises:
        DocumentRefusedError: what `parse` raises; `unknown-member`, `missing-member`, `wrong-type`,
            `unknown-code`, `bad-date`, `too-large` with the place, which names only members that we know.
    """
    plain = parse(text, limit=limit)
    _require_members(shape, plain)
    try:
        return cast("Shape", _adapter(shape).validate_json(text, strict=True))
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False, include_context=False)[0], plain) from None


def compact(value: object) -> bytes:
    """Write a `document` or plain JSON value as compact ASCII JSON, members in the order given."""
    plain = value
    if is_dataclass(value):
        plain = _adapter(type(value)).dump_python(value, mode="json", by_alias=True)
    return _ENCODER.encode(plain).encode("ascii")


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def to_base64url(raw: bytes) -> str:
    """Write bytes in base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_LAST_CHARACTERS = {2: b"AQgw", 3: b"AEIMQUYcgkosw048"}


def from_base64url(text: str) -> bytes:
    """Read base64url strictly: no padding, no other alphabet, no white space, no stray bits at the end.

    Raises:
        DocumentRefusedError: `wrong-type`.
    """
    try:
        letters = text.encode("ascii")
        rest = len(letters) % 4
        stray = rest in _LAST_CHARACTERS and letters[-1] not in _LAST_CHARACTERS[rest]
        if stray or b"+" in letters or b"/" in letters or b"=" in letters:
            raise DocumentRefusedError("wrong-type")
        return binascii.a2b_base64(letters.translate(_TO_STANDARD) + b"=" * (-rest % 4), strict_mode=True)
    except ValueError:
        raise DocumentRefusedError("wrong-type") from None


def read_moment(value: object) -> datetime:
    """Read an RFC 3339 time in UTC, written with Z; an aware datetime passes.

    Raises:
        PydanticCustomError: `bad-date` or `wrong-type`; inside a document it becomes a DocumentRefusedError.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str):
        refuse_value("wrong-type")
    if not _MOMENT.fullmatch(value):
        refuse_value("bad-date")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        refuse_value("bad-date")


def write_moment(moment: datetime) -> str:
    """Write an aware time in UTC with Z, to the microsecond where it has any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def refuse_value(code: str) -> NoReturn:
    """Refuse one value inside a document from a validator, with a code of ours."""
    raise PydanticCustomError("refused", "{code}", {"code": code})


@dataclass(frozen=True)
class Code:
    """Annotate a `str` that must be one of a closed set; another string is refused as unknown-code."""

    is_known: Callable[[str], bool]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._validate)

    def _validate(self, value: object) -> str:
        if not isinstance(value, str):
            refuse_value("wrong-type")
        if not self.is_known(value):
            refuse_value("unknown-code")
        return value


@dataclass(frozen=True)
class Codes:
    """Annotate a `frozenset[str]` of such codes: in JSON an array without repetition, written in order."""

    is_known: Callable[[str], bool]
    least: int = 0
    most: int = 64

    def __get_pydantic_core_schema__(self, _source: Any, _handler: GetCoreSchemaHandler) -> CoreSchema:
        in_order = core_schema.plain_serializer_function_ser_schema(sorted)
        return core_schema.no_info_plain_validator_function(self._validate, serialization=in_order)

    def _validate(self, value: object) -> frozenset[str]:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            refuse_value("wrong-type")
        if len(value) > self.most:
            refuse_value("too-large")
        if len(value) < self.least or len(set(value)) != len(value):
            refuse_value("wrong-type")
        if not all(self.is_known(each) for each in value):
            refuse_value("unknown-code")
        return frozenset(value)


_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")

Version = Annotated[int, Field(ge=1, le=1)]
Id = Annotated[str, Field(pattern=f"^{_ID.pattern}$")]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""SHA-256 in lower-case hexadecimal."""
Kid = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$")]
Opaque = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$")]
"""A name that means something only to the agency that wrote it: a staff id, a form's version."""
Moment = Annotated[datetime, PlainValidator(read_moment), PlainSerializer(write_moment, return_type=str)]


def is_id(text: str) -> bool:
    """Say whether this is a UUID in lower-case canonical form."""
    return _ID.fullmatch(text) is not None


def _require_members(shape: type[Any], plain: dict[str, Any]) -> None:
    """Let no default fill a member of a whole document: what is signed says everything itself."""
    if shape not in _MEMBERS:
        _MEMBERS[shape] = tuple(_member(part) for part in fields(shape)) if is_dataclass(shape) else ()
    for name in _MEMBERS[shape]:
        if name not in plain:
            raise DocumentRefusedError("missing-member", f"/{name}")


def _member(part: DataclassField[Any]) -> str:
    """Give the name of a field in JSON."""
    names = [meta.alias for meta in getattr(part.type, "__metadata__", ()) if isinstance(meta, FieldInfo)]
    return next(filter(None, names), part.name)


_MEMBERS: dict[type[Any], tuple[str, ...]] = {}
_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(shape: Any) -> TypeAdapter[Any]:
    if shape not in _ADAPTERS:
        _ADAPTERS[shape] = TypeAdapter(shape)
    return _ADAPTERS[shape]


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise DocumentRefusedError("malformed-json")
    return made


def _refuse_number(_: str) -> NoReturn:
    raise DocumentRefusedError("malformed-json")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise DocumentRefusedError("malformed-json")
    return number


def _bounded(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_INTEGER:
        raise DocumentRefusedError("malformed-json")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_duplicates, parse_constant=_refuse_number, parse_float=_finite, parse_int=_bounded
)


def _check_within(top: dict[str, Any], *, texts: bool) -> None:
    """Walk without recursion, a level at a time: the depth is the sender's, the stack is ours."""
    level: list[Any] = [top]
    for _ in range(MAX_DEPTH):
        inner = [each for value in level for each in _elements(value)]
        if texts:
            for each in inner:
                if isinstance(each, str):
                    _check_text(each)
        level = [each for each in inner if isinstance(each, dict | list)]
        if not level:
            return
    raise DocumentRefusedError("malformed-json")


def _elements(value: dict[str, Any] | list[Any]) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value
        yield from value.values()
    else:
        yield from value


def _check_text(text: str) -> None:
    if "\0" in text:
        raise DocumentRefusedError("bad-text")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DocumentRefusedError("bad-text") from None


_CODES: Mapping[str, str] = {
    "missing": "missing-member",
    "union_tag_not_found": "missing-member",
    "unexpected_keyword_argument": "unknown-member",
    "extra_forbidden": "unknown-member",
    "enum": "unknown-code",
    "literal_error": "unknown-code",
    "union_tag_invalid": "unknown-code",
    "too_long": "too-large",
    "string_too_long": "too-large",
    "json_invalid": "malformed-json",
}


def _refusal(error: ErrorDetails, plain: dict[str, Any]) -> DocumentRefusedError:
    kind = error["type"]
    found = error["msg"] if kind == "refused" else _CODES.get(kind, "wrong-type")
    if kind in {"enum", "literal_error"} and not isinstance(error["input"], str):
        found = "wrong-type"
    return DocumentRefusedError(found, _pointer(error["loc"], plain, found))


def _pointer(place: tuple[int | str, ...], plain: Any, found: str) -> str:
    """Follow pydantic's place through the document; a step not there is a union's tag or what is missing."""
    steps: list[str] = []
    at = plain
    for step in place[:-1] if found == "unknown-member" else place:
        if isinstance(at, dict) and step in at:
            at = at[str(step)]
        elif isinstance(at, list) and isinstance(step, int) and step < len(at):
            at = at[step]
        elif step is not place[-1] or found != "missing-member":
            continue
        steps.append(str(step))
    return "".join(f"/{step}" for step in steps)
