# SPDX-License-Identifier: Apache-2.0
"""How long one decision takes, by the number of scopes that a case has and by how far the rules are walked.

The goal is 20 µs at 50 scopes: a message of 16 parts is decided twice at the hub, under the lock of its case.
"""

import json
import platform
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time
from timeit import Timer

from consent.decisions import ConsentBasis, Facts, Permitted, Question, decide
from consent.scopes import Party, Registered, Scope

SIZES = (1, 5, 50, 500)
GOAL_MICROSECONDS = 20
SIGNED = datetime(2026, 4, 6, tzinfo=UTC)
NOW = SIGNED + timedelta(days=1)
HUB = Party(agency="hub", kind="jiritsu")
PARTNER = Party(agency="partner", kind="shakyo")
SCOPE = Scope(
    id="scope",
    case="case",
    form="form",
    kind="intake_form",
    hub_parties=frozenset({HUB.agency}),
    partners=frozenset({PARTNER.agency}),
    purposes=frozenset({"koguchi_shikin"}),
    categories=frozenset({"identity", "contact"}),
    valid_from=SIGNED,
    valid_until=SIGNED + timedelta(days=90),
    signature="self",
    signed_at=SIGNED,
    written_by="person",
    form_version="bench",
    template="bench",
    evidence="",
)
QUESTION = Question(
    sender=HUB, recipient=PARTNER, purpose="koguchi_shikin", category="identity", basis=ConsentBasis(), at=NOW
)


def case(size: int, **others: object) -> Facts:
    """Build a case whose last scope carries the part; `others` is what is different in all the scopes before it."""
    scopes = [replace(SCOPE, id=f"scope-{n}", **others) for n in range(size - 1)] + [SCOPE]
    records = tuple(Registered(scope=one, registered_at=SIGNED) for one in scopes)
    return Facts(intake_side=frozenset({HUB.agency}), scopes=records)


def microseconds(question: Question, facts: Facts) -> float:
    """Measure one decision: the median of seven rounds of processor time, which neighbours do not disturb."""
    timer = Timer(lambda: decide(question, facts), timer=process_time)
    rounds, _ = timer.autorange()
    return median(timer.repeat(7, max(1, rounds // 4))) / max(1, rounds // 4) * 1e6


def shapes(size: int) -> dict[str, tuple[Question, Facts]]:
    """Name the cases worth knowing: as a form is split, and the two ends of it."""
    return {
        "each scope another partner": (QUESTION, case(size, partners=frozenset({"someone else"}))),
        "every scope carries it": (QUESTION, case(size)),
        "all but one have ended": (QUESTION, case(size, valid_until=SIGNED)),
        "none names the recipient": (replace(QUESTION, recipient=Party(agency="x", kind="iryo")), case(size)),
    }


def main() -> None:
    """Print the table and the JSON line."""
    figures: dict[str, dict[int, float]] = {}
    print("one decision, µs".ljust(30) + "".join(f"{size:>8} scopes" for size in SIZES))
    for size in SIZES:
        for name, (question, facts) in shapes(size).items():
            assert isinstance(decide(question, facts), Permitted) is (name != "none names the recipient")
            figures.setdefault(name, {})[size] = round(microseconds(question, facts), 2)
    for name, row in figures.items():
        print(name.ljust(30) + "".join(f"{row[size]:>15.2f}" for size in SIZES))
    print(
        json.dumps(
            {
                "bench": "decide",
                "unit": "us",
                "goal_at_50": GOAL_MICROSECONDS,
                "python": platform.python_version(),
                "figures": figures,
            }
        )
    )


if __name__ == "__main__":
    main()
