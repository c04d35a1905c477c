# SPDX-License-Identifier: Apache-2.0
"""Why the hub refuses, grouped from the caller's side; `hub/web/problems.py` turns these into answers.

An error carries codes, pointers and ids only. What a caller sent never goes in: texts of errors reach logs.
`keep=True` asks the work around the service to commit what was written, e.g. the audit entry of the refusal itself.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from hub.base.sentences import sentence


class ConfigurationError(Exception):
    """Refuse to start, with a sentence that says what to do."""

    def __init__(self, code: str, /, **gaps: Any) -> None:
        """Keep the code of the sentence and what fills its gaps (names and places, never secrets)."""
        super().__init__(code)
        self.code = code
        self.gaps = gaps

    def __str__(self) -> str:
        """Say what to do, in the operator's language."""
        return sentence(self.code, **self.gaps)


class HubError(Exception):
    """Refuse a piece of work with a stable `code`.

    - `pointer`: JSON pointer into the request, if the refusal is about one place in it
    - `keep`: commit what the service wrote before refusing
    - `extra`: further members of the problem document, e.g. `decisions`
    - `headers`: headers of the answer, e.g. `Retry-After`
    """

    status: ClassVar[int] = 500
    default: ClassVar[str] = "internal"

    def __init__(
        self,
        code: str | None = None,
        *,
        pointer: str = "",
        keep: bool = False,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Keep the code (or the class's own) and what goes with it."""
        self.code = code or self.default
        super().__init__(self.code)
        self.pointer = pointer
        self.keep = keep
        self.extra: Mapping[str, Any] = extra or {}
        self.headers: Mapping[str, str] = headers or {}

    def __str__(self) -> str:
        """Say the code and the place, never the input."""
        return f"{self.code} at {self.pointer}" if self.pointer else self.code


class MalformedError(HubError):
    """The request cannot be read."""

    status = 400
    default = "malformed-json"


class UnauthorizedError(HubError):
    """Nobody we know is calling."""

    status = 401
    default = "unauthorized"


class ForbiddenError(HubError):
    """We know the caller, and the caller may not."""

    status = 403
    default = "forbidden"


class NotFoundError(HubError):
    """There is no such thing, or it is another agency's: the answer is the same, byte for byte (api: manners)."""

    status = 404
    default = "not-found"


class ConflictError(HubError):
    """The thing stands otherwise than the request needs."""

    status = 409
    default = "conflict"


class GoneError(HubError):
    """The thing was there and is not any more: destroyed, or waited for too long."""

    status = 410
    default = "gone"


class StaleError(HubError):
    """The caller looked at an older version (If-Match)."""

    status = 412
    default = "stale"


class TooLargeError(HubError):
    """The request is larger than we take."""

    status = 413
    default = "too-large"


class InvalidError(HubError):
    """The request can be read and does not hold."""

    status = 422
    default = "invalid"


class UnavailableError(HubError):
    """Not now: something the hub stands on is away or full. The answer carries `Retry-After` (api: manners)."""

    status = 503
    default = "unavailable"


class ClashError(HubError):
    """Two transactions met and the database chose the other one; doing the work again is right."""

    status = 503
    default = "unavailable"
