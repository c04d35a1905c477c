# SPDX-License-Identifier: Apache-2.0
"""Do sender, hub and receiver agree? Random small worlds, one question each: `python -m bench.agree --n 1000000`.

The sender on the intake side knows all that the hub knows; the receiver only what names it (consent.md, "How it is
decided"). Sender and hub must give the same answer to the letter. The receiver must permit what the hub hands over,
and nothing that the hub refuses, but for one thing that it cannot see and that the hub tells apart: a record that was
ended by another partner's. Those are counted by themselves; the hub never hands such a part over.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, TypeVar

from consent.decisions import (
    ConferenceBasis,
    ConsentBasis,
    EmergencyBasis,
    Facts,
    Permitted,
    Question,
    Refused,
    StatuteBasis,
    decide,
)
from consent.questions import Basis
from consent.scopes import (
    ANY,
    VALID_SIGNATURES,
    Conference,
    Direction,
    Exclusion,
    Party,
    Registered,
    Scope,
    Withdrawal,
)

Thing = TypeVar("Thing")
Answer = Permitted | Refused

START: Final = datetime(2026, 4, 6, tzinfo=UTC)
HUBS: Final = tuple(Party(agency=name, kind="jiritsu") for name in ("j1", "j2"))
PARTNERS: Final = tuple(
    Party(agency=name, kind=kind)
    for name, kind in (("s1", "shakyo"), ("s2", "shakyo"), ("h1", "houterasu"), ("c1", "kodomo"))
)
EVERYBODY: Final = HUBS + PARTNERS
NAMED: Final = (*(party.agency for party in PARTNERS), "shakyo")
PURPOSES: Final = ("koguchi_shikin", "follow_up", "shien_kaigi")
CATEGORIES: Final = ("identity", "contact", "health")
SIGNATURES: Final = ("self", "self", "self", "self", "legal_rep", "oral_pending", "none")
CASE: Final = "case"


def world(chance: Random) -> Facts:
    """Make up all that is known of one case: up to five records, each for one partner, as they are registered."""
    records = tuple(_record(chance, f"r{n}") for n in range(chance.randrange(6)))
    owner = HUBS[0].agency
    signed = (record.scope for record in records if record.scope.signature in VALID_SIGNATURES)
    return Facts(
        intake_side=frozenset({owner}).union(*(scope.hub_parties for scope in signed)),
        closed_at=_day(chance) if chance.random() < 0.15 else None,
        scopes=records,
        exclusions=tuple(_exclusion(chance, f"x{n}") for n in range(chance.choice((0, 0, 0, 1, 2)))),
        withdrawals=tuple(_withdrawal(chance, f"w{n}", len(records)) for n in range(chance.choice((0, 0, 1, 2)))),
        conferences=tuple(_conference(chance, f"m{n}") for n in range(chance.choice((0, 0, 1)))),
    )


def asked(chance: Random, known: Facts) -> Question:
    """Ask something; three times in four about two parties that a record joins, for a purpose of its own."""
    sender, recipient = chance.sample(EVERYBODY, 2)
    purpose = chance.choice(PURPOSES)
    if known.scopes and chance.random() < 0.75:
        scope = chance.choice(known.scopes).scope
        hub = next(party for party in HUBS if party.agency in scope.hub_parties)
        partner = next(party for party in PARTNERS if {party.agency, party.kind} & scope.partners)
        sender, recipient = (hub, partner) if chance.random() < 0.7 else (partner, hub)
        purpose = chance.choice(sorted(scope.purposes))
    return Question(
        sender=sender,
        recipient=recipient,
        purpose=purpose,
        category=chance.choice(CATEGORIES),
        basis=_basis(chance),
        at=_day(chance, 8, 40),
    )


def as_the_sender_holds_it(known: Facts, chance: Random) -> Facts:
    """Give the same facts as another machine lists them: in another order."""
    return replace(
        known,
        scopes=_shuffled(known.scopes, chance),
        exclusions=_shuffled(known.exclusions, chance),
        withdrawals=_shuffled(known.withdrawals, chance),
        conferences=_shuffled(known.conferences, chance),
    )


def _shuffled(things: tuple[Thing, ...], chance: Random) -> tuple[Thing, ...]:
    return tuple(chance.sample(things, len(things)))


def as_the_receiver_sees_it(known: Facts, me: Party) -> Facts:
    """Give what names this agency, and of what was taken back only what is about it (consent.md, "What is stored")."""
    mine = tuple(r for r in known.scopes if _is_named(r.scope, me))
    own = {record.scope.id for record in mine}
    signed = (record.scope for record in mine if record.scope.signature in VALID_SIGNATURES)
    hub_side = any(me.agency in record.scope.hub_parties for record in mine)
    taken = (_about(one, own, me, whole=hub_side) for one in known.withdrawals)
    return Facts(
        intake_side=frozenset({HUBS[0].agency}).union(*(scope.hub_parties for scope in signed)),
        closed_at=known.closed_at,
        scopes=mine,
        exclusions=tuple(x for x in known.exclusions if {me.agency, me.kind, ANY} & x.to),
        withdrawals=tuple(one for one in taken if one is not None),
        conferences=tuple(m for m in known.conferences if me.agency in m.members),
    )


def _is_named(scope: Scope, me: Party) -> bool:
    return me.agency in scope.hub_parties or bool({me.agency, me.kind} & scope.partners)


def _about(taken: Withdrawal, own: set[str], me: Party, *, whole: bool) -> Withdrawal | None:
    if taken.scopes and not taken.scopes & own:
        return None
    if whole or not taken.to:
        return taken
    about = taken.to & {me.agency, me.kind, ANY}
    return replace(taken, to=about) if about else None


def is_unseen_end(question: Question, known: Facts, seen: Facts) -> bool:
    """Say whether the receiver would refuse too if it saw the other partners' records that ended something."""
    shown = {record.scope.id for record in seen.scopes}
    enders = tuple(record for record in known.scopes if record.scope.id not in shown and record.scope.supersedes)
    return isinstance(decide(question, replace(seen, scopes=seen.scopes + enders)), Refused)


def judge(question: Question, known: Facts, chance: Random) -> str:
    """Say in one word how the three agree about one question."""
    hub = decide(question, known)
    sender = decide(question, as_the_sender_holds_it(known, chance))
    if _said(sender) != _said(hub):
        return "sender differs"
    seen = as_the_receiver_sees_it(known, question.recipient)
    receiver = decide(question, seen)
    if isinstance(hub, Permitted) and isinstance(receiver, Refused):
        return "receiver narrower"
    if isinstance(hub, Refused) and isinstance(receiver, Permitted):
        return "unseen end" if is_unseen_end(question, known, seen) else "receiver wider"
    return "permitted" if isinstance(hub, Permitted) else f"refused {hub.reason.value}"


def _said(answer: Answer) -> tuple[object, ...]:
    """Give what must be equal; which of several live records carried it follows the order of listing."""
    if isinstance(answer, Permitted):
        return True, answer.basis, answer.against_exclusion
    return False, answer.reason, answer.remedy, answer.path


def _record(chance: Random, name: str) -> Registered:
    signed, begins = _day(chance), _day(chance)
    earlier = [f"r{n}" for n in range(int(name[1:]))]
    scope = Scope(
        id=name,
        case=CASE,
        form="form",
        kind="intake_form",
        hub_parties=chance.choice((frozenset({"j1"}), frozenset({"j1"}), frozenset({"j1", "j2"}))),
        partners=frozenset({chance.choice(NAMED)}),
        purposes=_some(chance, PURPOSES),
        categories=_some(chance, (*CATEGORIES, ANY)),
        direction=chance.choice((Direction.BOTH, Direction.BOTH, Direction.OUT, Direction.IN)),
        valid_from=begins,
        valid_until=begins + timedelta(days=chance.randrange(1, 40)),
        signature=chance.choice(SIGNATURES),
        signed_at=signed,
        written_by="person",
        form_version="1",
        template="generic",
        evidence="",
        supersedes=frozenset({chance.choice(earlier)}) if earlier and chance.random() < 0.25 else frozenset(),
    )
    return Registered(scope=scope, registered_at=signed + timedelta(days=chance.choice((0, 0, 1, 5))))


def _exclusion(chance: Random, name: str) -> Exclusion:
    return Exclusion(
        id=name,
        case=CASE,
        to=_some(chance, (*NAMED, "j2", ANY)),
        categories=_some(chance, (*CATEGORIES, ANY)),
        from_time=_day(chance),
        revoked_at=_day(chance) if chance.random() < 0.3 else None,
    )


def _withdrawal(chance: Random, name: str, records: int) -> Withdrawal:
    ids = tuple(f"r{n}" for n in range(records))
    return Withdrawal(
        id=name,
        scopes=_some(chance, ids) if ids and chance.random() < 0.7 else frozenset(),
        to=_some(chance, NAMED) if chance.random() < 0.4 else frozenset(),
        categories=_some(chance, CATEGORIES) if chance.random() < 0.4 else frozenset(),
        at=_day(chance),
    )


def _conference(chance: Random, name: str) -> Conference:
    members = frozenset(party.agency for party in chance.sample(EVERYBODY, chance.randrange(2, 6)))
    return Conference(id=name, members=members, until=_day(chance, 10, 40))


def _basis(chance: Random) -> Basis:
    drawn = chance.random()
    if drawn < 0.8:
        return ConsentBasis()
    if drawn < 0.87:
        return ConferenceBasis(conference=chance.choice(("m0", "m1", None)))
    if drawn < 0.93:
        return StatuteBasis(ground=chance.choice(("child_abuse", "assistance_inquiry", None)))
    return EmergencyBasis(
        threat=chance.choice(("life", None)),
        difficulty="unreachable",
        requester="u-1",
        approver=chance.choice(("u-1", "u-2", "u-2")),
        approver_role="supervisor",
        approved_at=chance.choice((None, _day(chance, 8, 40))),
        valid_until=None,
    )


def _some(chance: Random, values: tuple[Thing, ...]) -> frozenset[Thing]:
    return frozenset(chance.sample(values, chance.randrange(1, min(3, len(values)) + 1)))


def _day(chance: Random, first: int = 0, last: int = 30) -> datetime:
    return START + timedelta(days=chance.randrange(first, last))


def count(worlds: int, seed: int) -> Counter[str]:
    """Judge so many worlds; the counts by word."""
    chance, found = Random(seed), Counter[str]()
    for _ in range(worlds):
        known = world(chance)
        found[judge(asked(chance, known), known, chance)] += 1
    return found


def main() -> int:
    """Judge, print the table and one JSON line; 1 when the three do not agree somewhere."""
    parser = argparse.ArgumentParser(prog="python -m bench.agree")
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    began = time.perf_counter()
    found = count(wanted.n, wanted.seed)
    seconds = round(time.perf_counter() - began, 1)
    for word, number in found.most_common():
        print(f"{word:<32}{number:>12,}")
    bad = {word: found[word] for word in ("sender differs", "receiver wider", "receiver narrower")}
    figures = {"bench": "agree", "worlds": wanted.n, "seed": wanted.seed, "disagreements": bad, "seconds": seconds}
    print(json.dumps(figures | {"unseen_ends": found["unseen end"], "python": platform.python_version()}))
    return 1 if any(bad.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
