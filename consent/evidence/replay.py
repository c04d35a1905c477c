# SPDX-License-Identifier: Apache-2.0
"""Make a logged decision again, from the entries before it, and say where the answer differs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from consent.decisions import decide
from consent.errors import DocumentRefusedError
from consent.evidence.entries import Facts as Said
from consent.evidence.entries import moment
from consent.evidence.findings import Code
from consent.questions import (
    Basis,
    ConferenceBasis,
    ConsentBasis,
    EmergencyBasis,
    Facts,
    Permitted,
    Question,
    Reason,
    Refused,
    StatuteBasis,
)
from consent.scopes import Party

_PERMITTED: Final = "permitted"
_TIMES: Final = ("approved_at", "valid_until")


@dataclass(frozen=True, slots=True)
class Difference:
    """A part on which the decision made again says otherwise; `about`: its category and what is said now."""

    code: Code
    about: str


def conference_of(said: Said) -> str | None:
    """Give the conference that a decision stands on, None for every other basis."""
    basis = said.inner("basis")
    return basis.text_or_none("conference") if basis.text("kind") == ConferenceBasis.kind else None


def differences(said: Said, facts: Facts) -> Iterator[Difference]:
    """Decide every part again on these facts and compare with what was logged.

    *Raises* DocumentRefusedError: the question cannot be read, or names a code that does not exist.
    """
    sender, recipient = (_party(said.inner(side)) for side in ("from", "to"))
    basis, purpose, at = basis_of(said), said.text("purpose"), said.moment("at")
    for part in said.inners("parts"):
        category = part.text("category")
        question = Question(sender=sender, recipient=recipient, purpose=purpose, category=category, basis=basis, at=at)
        again = decide(question, facts)
        if _logged(category, again) != _of(part):
            yield Difference(_code(part, again), f"{category}:{_answer(again)}")


def permitted(said: Said) -> bool:
    """Say whether every part was permitted."""
    return all(part.text("outcome") == _PERMITTED for part in said.inners("parts"))


def _logged(category: str, decision: Permitted | Refused) -> dict[str, Any]:
    """Write a decision as the log does."""
    shown: dict[str, Any] = {"category": category, "scope": decision.scope, "path": list(decision.path)}
    if isinstance(decision, Permitted):
        return shown | {"outcome": _PERMITTED, "against_exclusion": decision.against_exclusion}
    return shown | {"outcome": "refused", "reason": decision.reason.value}


def _of(part: Said) -> dict[str, Any]:
    # number and hash of the sealed part stand beside the decision, and are the manifest's
    return {name: value for name, value in part.plain().items() if name not in {"n", "ct"}}


def _code(part: Said, again: Permitted | Refused) -> Code:
    if part.text("outcome") != _PERMITTED or isinstance(again, Permitted):
        return Code.DECISION_DIFFERS
    return Code.AFTER_WITHDRAWAL if again.reason is Reason.WITHDRAWN else Code.WITHOUT_CONSENT


def _answer(decision: Permitted | Refused) -> str:
    return _PERMITTED if isinstance(decision, Permitted) else decision.reason.value


def _party(said: Said) -> Party:
    return Party(agency=said.text("agency"), kind=said.text("kind"))


def basis_of(said: Said) -> Basis:
    """Read the claim that a decision rests on, as it stands in the log.

    *Raises* DocumentRefusedError.
    """
    kept = said.inner("basis").plain()
    members = {name: value for name, value in kept.items() if name != "kind"}
    if not all(value is None or isinstance(value, str) for value in members.values()):
        raise DocumentRefusedError("wrong-type", "/facts/basis")
    try:
        match kept.get("kind"):
            case ConsentBasis.kind:
                return ConsentBasis(**members)
            case EmergencyBasis.kind:
                return EmergencyBasis(**members | _times(members))
            case ConferenceBasis.kind:
                return ConferenceBasis(**members)
            case StatuteBasis.kind:
                return StatuteBasis(**members)
    except TypeError:
        pass
    raise DocumentRefusedError("wrong-type", "/facts/basis")


def _times(members: Mapping[str, str | None]) -> dict[str, datetime]:
    return {name: moment(text) for name in _TIMES if (text := members.get(name)) is not None}
