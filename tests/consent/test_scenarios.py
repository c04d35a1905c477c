# SPDX-License-Identifier: Apache-2.0
"""The eight acceptance scenarios, decided purely: every part of every event gets the answer that the file expects."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from consent.calendar import JST, Calendar, end_of_day, moment
from consent.decisions import (
    Basis,
    ConferenceBasis,
    ConsentBasis,
    EmergencyBasis,
    Facts,
    Permitted,
    Question,
    decide_parts,
)
from consent.scopes import Conference, Direction, Exclusion, Party, Registered, Withdrawal, check_exclusion, check_scope
from consent.vocabulary.codes import EMERGENCY_MINIMUM, SENSITIVE
from tests.consent.builders import scope, uid

FOLDER = Path(__file__).parents[2] / "deploy" / "demo" / "scenarios"
FILES = sorted(FOLDER.glob("S*.json"))
KINDS = {
    "J1": "jiritsu", "F1": "fukushi_jimusho", "S1": "shakyo", "H1": "houterasu", "H2": "bengoshi", "K1": "kakei",
    "W1": "hellowork", "P1": "shuro_junbi", "M1": "iryo", "C1": "kodomo", "B1": "houkatsu", "L1": "lifeline",
    "R1": "sumai",
}  # fmt: skip
ANSWERS = {"consent": "ALLOW", "emergency": "ALLOW:EMERGENCY", "shien_kaigi": "ALLOW:CONFERENCE"}


def time(text: str) -> datetime:
    return moment(text) if "T" not in text else datetime.fromisoformat(text).replace(tzinfo=JST)


def ids(names: list[str]) -> frozenset[str]:
    return frozenset(name if name == "*" else uid(name) for name in names)


class Story:
    """What the hub knows after the events so far."""

    def __init__(self, hub_party: str) -> None:
        self.intake_side = frozenset({uid(hub_party)})
        self.closed_at: datetime | None = None
        self.scopes: list[Registered] = []
        self.exclusions: list[Exclusion] = []
        self.withdrawals: list[Withdrawal] = []
        self.conferences: list[Conference] = []

    def facts(self) -> Facts:
        return Facts(
            intake_side=self.intake_side,
            closed_at=self.closed_at,
            scopes=tuple(self.scopes),
            exclusions=tuple(self.exclusions),
            withdrawals=tuple(self.withdrawals),
            conferences=tuple(self.conferences),
        )

    def consent_grant(self, event: dict[str, Any], at: datetime) -> None:
        said = event["scope"]
        dictated = said["signature"] != "self"
        for partner in said["partners"]:
            record = scope(
                f"{said['id']} {partner}",
                hub_parties=ids(said["hub"]),
                partners=ids([partner]),
                purposes=frozenset(said["purposes"]),
                categories=frozenset(said["categories"]),
                direction=Direction.BOTH if said["both"] else Direction.OUT,
                valid_from=time(said["valid_from"]),
                valid_until=time(said["valid_until"]),
                signature=said["signature"],
                signed_at=at,
                written_by="counsellor:u-101" if dictated else "person",
                proxy_reason="asked" if dictated else None,
                supersedes=frozenset(
                    known.scope.id for known in self.scopes if known.scope.form in event.get("supersedes", ())
                ),
                form=said["id"],
            )
            check_scope(record, at)
            self.scopes.append(Registered(scope=record, registered_at=at))

    def consent_withdraw(self, event: dict[str, Any], at: datetime) -> None:
        said = event["withdrawal"]
        taken = frozenset(known.scope.id for known in self.scopes if known.scope.form == said["scope"])
        self.withdrawals.append(
            Withdrawal(
                id=uid(f"withdrawal {event['n']}"),
                scopes=taken,
                to=ids(said.get("to", [])),
                categories=frozenset(said.get("categories", ())),
                at=time(said["at"]),
            )
        )

    def exclusion(self, event: dict[str, Any], at: datetime) -> None:
        said = event["exclusion"]
        refusal = Exclusion(
            id=uid(f"exclusion {event['n']}"),
            case=uid("case"),
            to=ids(said["to"]),
            categories=frozenset(said["categories"]),
            from_time=time(said["from_time"]),
        )
        check_exclusion(refusal)
        self.exclusions.append(refusal)

    def closure(self, event: dict[str, Any], at: datetime) -> None:
        self.closed_at = time(event["closed_at"])


def basis_of(event: dict[str, Any]) -> Basis:
    kind = event.get("basis", "consent")
    if kind == "shien_kaigi":
        return ConferenceBasis(conference=uid(event["conference"]))
    if kind == "consent":
        return ConsentBasis()
    said = event["justification"]
    until = said.get("valid_until")
    return EmergencyBasis(
        threat="life" if said["threat"] else None,
        difficulty="unreachable" if said["why_consent_difficult"] else None,
        requester=said["requester"],
        approver=said["approver"],
        approver_role="supervisor",
        valid_until=time(until) if until else None,
    )


def answers(event: dict[str, Any], known: Facts, at: datetime) -> dict[str, str]:
    asked = Question(
        sender=Party(agency=uid(event["from"]), kind=KINDS[event["from"]]),
        recipient=Party(agency=uid(event["to"]), kind=KINDS[event["to"]]),
        purpose=event["purpose"],
        category="identity",
        basis=basis_of(event),
        at=at,
    )
    return {
        category: ANSWERS[answer.basis] if isinstance(answer, Permitted) else f"DENY:{answer.reason}"
        for category, answer in decide_parts(asked, known, event["categories"])
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_part_of_the_story_is_decided_as_expected(path: Path) -> None:
    told = json.loads(path.read_text("utf-8"))
    assert frozenset(told["sensitive"]) == SENSITIVE
    assert frozenset(told["emergency_minimum"]) == EMERGENCY_MINIMUM
    story = Story(told["hub_party"])
    decided = 0
    for event in told["events"]:
        at = time(event["at"])
        if event["type"] in {"share", "pickup", "report_back"}:
            got = answers(event, story.facts(), at)
            assert got == event["expect"], event["n"]
            refused = any(answer.startswith("DENY") for answer in got.values())
            assert event["message_outcome"] == ("REFUSE" if refused else "ACCEPT"), event["n"]
            decided += 1
        elif hasattr(story, event["type"]):
            getattr(story, event["type"])(event, at)
        else:
            assert event["expect_record"] in {"RECORDED", "TASK"}, event["n"]
    assert decided >= 4


def test_all_eight_stories_are_there() -> None:
    assert [path.stem.partition("-")[0] for path in FILES] == ["S01", "S02", "S04", "S05", "S07", "S08", "S09", "S11"]


def test_the_review_of_s04_is_due_by_the_end_of_the_next_business_day() -> None:
    friday = time("2026-07-10T18:12")
    monday = moment("2026-07-13").astimezone(JST).date()
    assert Calendar().add_business_days(friday, 1) == end_of_day(monday)
    assert Calendar().add_business_days(friday, 1) - friday > timedelta(days=3)
