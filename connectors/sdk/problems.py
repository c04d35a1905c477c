# SPDX-License-Identifier: Apache-2.0
"""What the hub refuses, as errors that carry the whole problem (RFC 9457), so that nobody parses texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base.errors import EXIT_REFUSED_BY_CONSENT, ConnectorError
from connectors.sdk.reading import read


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDecision:
    """The hub's decision on one part: `outcome` is `permitted` or `refused`; `reason` and `remedy` are codes.

    `consent` is the record it stands on or is about, `version` that of the form behind it.
    """

    category: str
    outcome: str
    basis: str | None = None
    reason: str | None = None
    remedy: str | None = None
    consent: str | None = None
    version: str | None = None

    @property
    def permitted(self) -> bool:
        """Whether this part may be shared."""
        return self.outcome == "permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing wrong with what was sent: where (a JSON pointer) and which rule (a code)."""

    pointer: str = ""
    code: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    code: str = "unexpected"
    detail: str = ""
    request_id: str = ""
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    decision_id: str = ""
    decisions: tuple[PartDecision, ...] = ()


class ProblemError(ConnectorError):
    """The hub answered with a problem. `status` is the HTTP status, `code` the rule, `detail` the hub's sentence."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        """Take the status and the problem document as parsed.

        *Raises* `ConnectorError("answer-malformed")` where it is none.
        """
        problem = read(_Problem, document)
        super().__init__(problem.code)
        self.status = status
        self.document = document
        self.detail = problem.detail
        self.request_id = problem.request_id
        self.errors = problem.errors

    def says(self, language: str) -> str:
        """Say the hub's own sentence (asked for in the session's language); the code where it gave none."""
        return self.detail or super().says(language)


class ConsentRefusedError(ProblemError):
    """Consent does not reach: `decisions` has one entry for each part, with reason and remedy (consent.md)."""

    exit_code = EXIT_REFUSED_BY_CONSENT

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        """Take the problem `consent-refused` with its decisions."""
        super().__init__(status, document)
        refusal = read(_Refusal, document)
        self.decision_id = refusal.decision_id
        self.decisions = refusal.decisions

    def says(self, language: str) -> str:
        """Say it in our own words; the parts are listed by the caller."""
        return ConnectorError("consent-refused").says(language)


def problem_of(status: int, document: Mapping[str, Any]) -> ProblemError:
    """Make the error that fits the problem's code."""
    if document.get("code") == "consent-refused":
        return ConsentRefusedError(status, document)
    return ProblemError(status, document)
