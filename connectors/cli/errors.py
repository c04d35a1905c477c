# SPDX-License-Identifier: Apache-2.0
"""How a command fails: one sentence on standard error that says what to do, each refused part with reason and remedy,
and an exit code: 1 failed, 2 usage, 3 refused by consent, 4 the hub is away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import click
from typing_extensions import override

from connectors.base.errors import EXIT_FAILED, EXIT_REFUSED_BY_CONSENT, EXIT_USAGE, ConnectorError, HubAwayError
from connectors.casebook.compose import RefusedHereError
from connectors.cli.texts import help_of, is_text, label, text
from connectors.sdk.problems import ConsentRefusedError, PartDecision, ProblemError
from connectors.sync.outbound import Settled
from consent.errors import TsunagiError
from consent.vocabulary.codes import Language

CANCELLED: Final = EXIT_FAILED


@dataclass(frozen=True, slots=True)
class RefusedPart:
    """One part that may not go, as codes."""

    category: str
    reason: str
    remedy: str | None


class CliError(ConnectorError):
    """Something that only the command line can find; its sentence is in the command line's own catalogue."""

    @override
    def says(self, language: str) -> str:
        return text(self.code, "ja" if language == "ja" else "en", **self.places)


class HubRefusedError(CliError):
    """The hub did not take what was sent; by consent if there are decisions."""

    def __init__(self, settled: Settled) -> None:
        """Take what the hub said of it."""
        super().__init__("consent-refused-by-hub" if settled.decisions else "refused-by-hub", rule=settled.code or "")
        self.decisions = settled.decisions
        if settled.decisions:
            self.exit_code = EXIT_REFUSED_BY_CONSENT


class WrongValueError(click.BadParameter):
    """A value that a parameter cannot take; `key` is its sentence in the catalogue."""

    def __init__(self, key: str, **places: str) -> None:
        """Take the sentence and what fills it."""
        super().__init__(key)
        self.key = key
        self.places = places


def refused_parts(error: Exception) -> tuple[RefusedPart, ...]:
    """Give the parts that consent does not carry, whoever found out: this agency or the hub."""
    if isinstance(error, RefusedHereError):
        return tuple(RefusedPart(category, one.reason.value, one.remedy.value) for category, one in error.refused)
    decisions: Sequence[PartDecision] = ()
    if isinstance(error, ConsentRefusedError | HubRefusedError):
        decisions = error.decisions
    return tuple(RefusedPart(one.category, one.reason or "", one.remedy) for one in decisions if not one.permitted)


def exit_code(error: Exception) -> int:
    """Give the exit code of a failure."""
    if isinstance(error, click.UsageError):
        return EXIT_USAGE
    return error.exit_code if isinstance(error, ConnectorError) else EXIT_FAILED


def sentence(error: Exception, language: Language) -> str:
    """Say what happened and what to do."""
    if isinstance(error, HubAwayError):
        return text("hub-away-not-done", language, url=error.places.get("url", ""))
    if isinstance(error, ConnectorError):
        return error.says(language)
    if isinstance(error, TsunagiError):
        key = f"refused:{error.code}"
        where = error.pointer or "/"
        return text(key if is_text(key) else "refused:other", language, rule=error.code, where=where)
    if isinstance(error, click.UsageError):
        return _usage(error, language)
    return text("cancelled", language)


def lines(error: Exception, language: Language) -> list[str]:
    """Say it with what belongs to it: each refused part, each member that was wrong, where to read on."""
    said = [sentence(error, language)]
    said += [part_line(part, language) for part in refused_parts(error)]
    if isinstance(error, ProblemError):
        said += [f"  {one.pointer}: {one.detail or one.code}" for one in error.errors if one.detail not in said]
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "tsunagi"  # the library's parser does not always say
        said.append(text("usage-help", language, command=command))
    return said


def document(error: Exception, language: Language) -> dict[str, Any]:
    """Give the failure as `--json` prints it: `{error: {code, detail, parts[]}}`."""
    code = error.code if isinstance(error, ConnectorError | TsunagiError) else "usage"
    parts = [
        {
            "category": part.category,
            "reason": part.reason,
            "remedy": part.remedy,
            "reason_label": label("decision_reasons", part.reason, language),
            "remedy_label": label("remedy", part.remedy, language),
        }
        for part in refused_parts(error)
    ]
    return {"error": {"code": code, "detail": sentence(error, language), "parts": parts}}


def part_line(part: RefusedPart, language: Language) -> str:
    """Say of one part that it may not go, why, and what would remedy it."""
    return text(
        "part-refused",
        language,
        category=label("categories", part.category, language),
        code=part.category,
        reason=label("decision_reasons", part.reason, language),
        remedy=label("remedy", part.remedy, language),
    )


def _usage(error: click.UsageError, language: Language) -> str:
    places: dict[str, str] = {}
    match error:
        case WrongValueError():
            key, places = error.key, {"name": _named(error), **error.places}
        case click.NoSuchOption():
            key, places = "usage-no-such-option", {"name": error.option_name}
        case click.NoSuchCommand():
            key, places = "usage-no-such-command", {"name": error.command_name}
        case click.MissingParameter():
            name, path = _named(error), error.ctx.command_path.partition(" ")[2] if error.ctx else ""
            key, places = "usage-missing", {"name": name, "what": help_of(path, name, language)}
        case click.BadOptionUsage():
            key, places = "usage-needs-value", {"name": error.option_name}
        case click.BadParameter():
            key, places = "usage-bad-value", {"name": _named(error)}
        case _:
            key = "usage-other"
    return text(key, language, **places)


def _named(error: click.BadParameter) -> str:
    if error.param is None:
        return str(error.param_hint or "")
    if isinstance(error.param, click.Argument):
        return (error.param.name or "").upper()
    return max(error.param.opts, key=len)
