# SPDX-License-Identifier: Apache-2.0
"""Reading a request strictly: its body, its parameters and the headers that the API gives a meaning to."""

import hashlib
import re
from typing import Final, TypeVar

from flask import Request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from consent import wire
from consent.errors import DocumentRefusedError
from hub.base.errors import HubError, MalformedError, NotFoundError, StaleError
from hub.base.ids import is_id

Model = TypeVar("Model", bound=BaseModel)

KEY: Final = re.compile(r"[\x21-\x7e]{1,255}", re.ASCII)
STRONG: Final = re.compile(r'"([\x21\x23-\x7e]{1,128})"', re.ASCII)
LANGUAGES: Final = ("ja", "en")
MOST_LANGUAGES: Final = 16


class PreconditionRequiredError(HubError):
    """A change of state must say which version it saw (If-Match)."""

    status = 428
    default = "precondition-required"


def body(request: Request, shape: type[Model] | None, *, limit: int) -> tuple[Model | None, bytes]:
    """Read the body as `shape` (None: there is to be no body) and give its bytes too.

    *Raises* UnsupportedMediaType; DocumentRefusedError of `consent.wire`.
    """
    raw = request.get_data(cache=False)
    if shape is None:
        if raw and wire.parse(raw, limit=limit):
            raise DocumentRefusedError("unknown-member")
        return None, raw
    parameters = {name: value.lower() for name, value in request.mimetype_params.items()}
    if request.mimetype != "application/json" or parameters not in ({}, {"charset": "utf-8"}):
        raise UnsupportedMediaType
    if request.content_encoding:
        raise UnsupportedMediaType
    return wire.read(shape, raw, limit=limit), raw


def query(request: Request, shape: type[Model] | None) -> Model | None:
    """Read the parameters as `shape`; where none are known, none may be there.

    *Raises* MalformedError: bad-query or bad-cursor.
    """
    given = {name: values[0] for name, values in request.args.lists() if len(values) == 1}
    if len(given) != len(request.args) or any("\0" in value for value in given.values()):
        raise MalformedError("bad-query")
    if shape is None:
        if given:
            raise MalformedError("bad-query")
        return None
    try:
        return shape.model_validate_strings(given)
    except ValidationError as error:
        place = error.errors(include_url=False, include_context=False, include_input=False)[0]["loc"]
        known = str(place[0]) if place and place[0] in shape.model_fields else ""
        raise MalformedError("bad-cursor" if known == "cursor" else "bad-query", pointer=known) from None


def path_ids(path: dict[str, object], plain: frozenset[str]) -> None:
    """See that every text in the path is an id, save those named `plain`.

    *Raises* NotFoundError: what is not an id names nothing (bad-input HTT-22).
    """
    for name, value in path.items():
        if isinstance(value, str) and name not in plain and not is_id(value):
            raise NotFoundError


def idempotency_key(request: Request) -> str:
    """Read the Idempotency-Key.

    *Raises* MalformedError: idempotency-key-required (also when it is not 1–255 visible ASCII characters).
    """
    key = request.headers.get("Idempotency-Key", "")
    if not KEY.fullmatch(key):
        raise MalformedError("idempotency-key-required")
    return key


def fingerprint(request: Request, raw: bytes) -> bytes:
    """Tell two uses of a key apart: SHA-256 of method, path and parameters, and body."""
    asked = f"{request.method}\n{request.full_path}\n".encode("utf-8", "surrogatepass")
    return hashlib.sha256(hashlib.sha256(asked).digest() + hashlib.sha256(raw).digest()).digest()


def if_match(request: Request, *, needed: bool) -> str | None:
    """Read the one strong tag of If-Match, without its quotes; None when there is none and none is needed.

    *Raises* PreconditionRequiredError: it is needed and missing. StaleError: it can match no version of ours.
    """
    text = request.headers.get("If-Match")
    if text is None or text.strip() == "*":
        if needed:
            raise PreconditionRequiredError
        return None
    found = STRONG.fullmatch(text.strip())
    if found is None:
        raise StaleError
    return found.group(1)


def language(request: Request) -> str:
    """Choose `ja` or `en` by Accept-Language; Japanese when it names neither."""
    best, chosen = 0.0, LANGUAGES[0]
    for entry in request.headers.get("Accept-Language", "").split(",", MOST_LANGUAGES)[:MOST_LANGUAGES]:
        tag, _, quality = entry.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        weight = _weight(quality)
        if name in LANGUAGES and weight > best:
            best, chosen = weight, name
    return chosen


def _weight(quality: str) -> float:
    found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", quality, re.ASCII)
    return float(found.group(1)) if found else (0.0 if quality else 1.0)
