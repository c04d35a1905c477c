# SPDX-License-Identifier: Apache-2.0
"""Small builders: fictional agencies, and scopes, facts and questions that say only what a test is about."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from consent.decisions import ConsentBasis, Facts, Permitted, Question, Refused, decide
from consent.scopes import Exclusion, Party, Registered, Scope, Withdrawal

SIGNED = datetime(2026, 4, 6, 1, 30, tzinfo=UTC)
NOW = SIGNED + timedelta(days=1)
MICROSECOND = timedelta(microseconds=1)


def uid(name: str) -> str:
    digits = sha256(name.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


J1 = Party(agency=uid("J1"), kind="jiritsu")
J2 = Party(agency=uid("J2"), kind="jiritsu")
F1 = Party(agency=uid("F1"), kind="fukushi_jimusho")
S1 = Party(agency=uid("S1"), kind="shakyo")
S2 = Party(agency=uid("S2"), kind="shakyo")
H1 = Party(agency=uid("H1"), kind="houterasu")
M1 = Party(agency=uid("M1"), kind="iryo")
C1 = Party(agency=uid("C1"), kind="kodomo")


def scope(name: str = "c1", **changes: Any) -> Scope:
    return replace(
        Scope(
            id=uid(name),
            case=uid("case"),
            form="form-1",
            kind="intake_form",
            hub_parties=frozenset({J1.agency}),
            partners=frozenset({S1.agency}),
            purposes=frozenset({"koguchi_shikin"}),
            categories=frozenset({"identity", "contact", "support_record"}),
            valid_from=SIGNED,
            valid_until=SIGNED + timedelta(days=180),
            signature="self",
            signed_at=SIGNED,
            written_by="person",
            form_version="2026-04",
            template="generic-2026-11-23",
            evidence="ab" * 32,
        ),
        **changes,
    )


def registered(record: Scope, at: datetime | None = None) -> Registered:
    return Registered(scope=record, registered_at=at or record.signed_at)


def facts(*records: Scope, **more: Any) -> Facts:
    known = {"intake_side": frozenset({J1.agency})} | more
    return Facts(scopes=tuple(registered(record) for record in records), **known)


def exclusion(to: set[str], categories: set[str], **more: Any) -> Exclusion:
    said = {"id": uid("x1"), "case": uid("case"), "from_time": SIGNED} | more
    return Exclusion(to=frozenset(to), categories=frozenset(categories), **said)


def withdrawal(at: datetime = NOW, **more: Any) -> Withdrawal:
    return Withdrawal(id=uid("w1"), at=at, **{name: frozenset(value) for name, value in more.items()})


def question(**changes: Any) -> Question:
    asked = Question(
        sender=J1,
        recipient=S1,
        purpose="koguchi_shikin",
        category="identity",
        basis=ConsentBasis(),
        at=NOW,
    )
    return replace(asked, **changes)


def ask(known: Facts, **changes: Any) -> str:
    """Decide and say it in one word: "ALLOW" or the reason."""
    answer = decide(question(**changes), known)
    return "ALLOW" if isinstance(answer, Permitted) else str(answer.reason)


def permitted(known: Facts, **changes: Any) -> Permitted:
    answer = decide(question(**changes), known)
    assert isinstance(answer, Permitted)
    return answer


def refused(known: Facts, **changes: Any) -> Refused:
    answer = decide(question(**changes), known)
    assert isinstance(answer, Refused)
    return answer
