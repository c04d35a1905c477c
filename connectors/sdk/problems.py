# SPDX-License-Identifier: Apache-2.0
"""What the hub refuses, as errors that carry the whole problem (RFC 9457), so that nobody parses texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.base.errors import EXIT_REFUSED_BY_CONSENT, ConnectorError


@dataclass(frozen=True, slots=True, kw_only=True)
class PartDecision:
    """The hub's decision on one part: `outcome` is `permitted` or `refused`; `reason` and `remedy` are codes."""

    category: str
    outcome: str
    reason: str | None
    remedy: str | None
    consent: str | None

    @property
    def permitted(self) -> bool:
        """Whether this part may be shared."""
        return self.outcome == "permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldError:
    """One thing wrong with what was sent: where (a JSON pointer) and which rule (a code)."""

    pointer: str
    code: str
    detail: str


class ProblemError(ConnectorError):
    """The hub answered with a problem. `status` is the HTTP status, `code` the rule, `detail` the hub's sentence."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        """Take the status and the problem document as parsed."""
        super().__init__(str(document.get("code", "unexpected")))
        self.status = status
        self.document = document
        self.detail = str(document.get("detail", ""))
        self.request_id = str(document.get("request_id", ""))
        self.errors = tuple(
            FieldError(
                pointer=str(error.get("pointer", "")),
                code=str(error.get("code", "")),
                detail=str(error.get("detail", "")),
            )
            for error in document.get("errors", ())
        )

    def says(self, language: str) -> str:
        """Say the hub's own sentence (asked for in the session's language); the code where it gave none."""
        return self.detail or super().says(language)


class ConsentRefusedError(ProblemError):
    """Consent does not reach: `decisions` has one entry for each part, with reason and remedy (consent.md)."""

    exit_code = EXIT_REFUSED_BY_CONSENT

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        """Take the problem `consent-refused` with its decisions."""
        super().__init__(status, document)
        self.decision_id = str(document.get("decision_id", ""))
        self.decisions = decisions_of(document.get("decisions", ()))

    def says(self, language: str) -> str:
        """Say it in our own words; the parts are listed by the caller."""
        return ConnectorError("consent-refused").says(language)


def decisions_of(items: Any) -> tuple[PartDecision, ...]:
    """Read a list of decisions as the hub writes them."""
    return tuple(
        PartDecision(
            category=str(item["category"]),
            outcome=str(item["outcome"]),
            reason=item.get("reason"),
            remedy=item.get("remedy"),
            consent=item.get("consent"),
        )
        for item in items
    )


def problem_of(status: int, document: Mapping[str, Any]) -> ProblemError:
    """Make the error that fits the problem's code."""
    if document.get("code") == "consent-refused":
        return ConsentRefusedError(status, document)
    return ProblemError(status, document)
