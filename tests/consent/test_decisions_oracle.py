# SPDX-License-Identifier: Apache-2.0
"""A second writing of the rules for `consent`, in other words, against every history of an exhaustive small world.

The library filters scopes step by step. The oracle gives each scope a mark, how near it came to carrying the
part, and reads the answer off the best mark; it shares no code with the library.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain, combinations, product

from consent.decisions import Facts, Permitted, Question, decide
from consent.scopes import Direction, Exclusion, Party, Scope, Withdrawal
from tests.consent.builders import F1, J1, NOW, S1, exclusion, facts, question, registered, scope, uid, withdrawal

HOUR = timedelta(hours=1)
NEAR = ("PARTY", "PURPOSE", "CATEGORY", "SENSITIVE", "NOT_YET_VALID", "EXPIRED", "SUPERSEDED", "SIGNATURE", "WITHDRAWN")
WORDS = {
    "PARTY": "PARTY_NOT_COVERED",
    "PURPOSE": "PURPOSE_NOT_COVERED",
    "CATEGORY": "CATEGORY_NOT_COVERED",
    "SENSITIVE": "SENSITIVE_NOT_EXPLICIT",
    "SIGNATURE": "SIGNATURE_NOT_VALID",
}

SCOPES = (
    scope("a"),
    scope("b", categories=frozenset({"*"})),
    scope("c", categories=frozenset({"health"}), direction=Direction.OUT),
    scope("d", partners=frozenset({"shakyo"}), direction=Direction.IN),
    scope("e", purposes=frozenset({"follow_up"})),
    scope("f", valid_until=NOW),
    scope("g", valid_from=NOW + HOUR),
    scope("h", signature="none", supersedes=frozenset({uid("a")})),
    scope("i", signature="oral_pending", supersedes=frozenset({uid("b")}), purposes=frozenset({"follow_up"})),
    scope("j", hub_parties=frozenset({J1.agency, F1.agency}), partners=frozenset({F1.agency, S1.agency})),
    scope("k", signed_at=NOW, valid_from=NOW, supersedes=frozenset({uid("c"), uid("f")})),
)
REFUSALS: tuple[tuple[Exclusion, ...], ...] = (
    (),
    (exclusion({S1.agency}, {"identity"}),),
    (exclusion({"*"}, {"*"}, from_time=NOW + HOUR),),
    (exclusion({"jiritsu"}, {"*"}, revoked_at=NOW + HOUR),),
)
TAKEN_BACK: tuple[tuple[Withdrawal, ...], ...] = (
    (),
    (withdrawal(NOW - HOUR),),
    (withdrawal(NOW + HOUR, scopes={uid("a")}, to={"shakyo"}),),
    (withdrawal(NOW, to={"*"}, categories={"health"}),),
)
ENDED = {uid("j"): NOW + HOUR}
"""A record whose end the hub knows of without having the one that takes its place among the facts."""
PAIRS: tuple[tuple[Party, Party], ...] = ((J1, S1), (S1, J1), (J1, F1), (S1, F1))


def mark(one: Scope, asked: Question, known: Facts, ended: set[str]) -> str:  # noqa: PLR0911 one return per mark
    """Say how near this scope came: the thing that stopped it, or LIVE."""
    ways = {
        "both": [(asked.sender, asked.recipient), (asked.recipient, asked.sender)],
        "out": [(asked.sender, asked.recipient)],
        "in": [(asked.recipient, asked.sender)],
    }[one.direction.value]
    stars = [
        (hub, partner)
        for hub, partner in ways
        if hub.agency in one.hub_parties
        and partner.agency not in one.hub_parties
        and {partner.agency, partner.kind} & one.partners
    ]
    if not stars:
        return "PARTY"
    if asked.purpose not in one.purposes:
        return "PURPOSE"
    named, swept, special = asked.category in one.categories, "*" in one.categories, asked.category == "health"
    if not named and (special or not swept):
        return "SENSITIVE" if swept else "CATEGORY"
    if any(stops(said, one, asked, known) for said in known.withdrawals):
        return "WITHDRAWN"
    if not signed(one, asked.at):
        return "SIGNATURE"
    if one.id in ended:
        return "SUPERSEDED"
    if asked.at >= one.valid_until:
        return "EXPIRED"
    return "LIVE" if asked.at >= one.valid_from else "NOT_YET_VALID"


def signed(one: Scope, at: datetime) -> bool:
    kept = {"self": 10_000, "self_dictated": 10_000, "legal_rep": 10_000, "oral_pending": 14}.get(one.signature, 0)
    return at - one.signed_at < timedelta(days=kept)


def stops(said: Withdrawal, one: Scope, asked: Question, known: Facts) -> bool:
    if said.at > asked.at or (one.id not in said.scopes and (said.scopes or one.signed_at > said.at)):
        return False
    words = {asked.sender.agency, asked.sender.kind, asked.recipient.agency, asked.recipient.kind}
    if {asked.sender.agency, asked.recipient.agency} - known.intake_side:
        words.add("*")
    return (not said.to or bool(words & said.to)) and (
        not said.categories or bool({asked.category, "*"} & said.categories)
    )


def oracle(asked: Question, known: Facts) -> str:
    there = [r for r in known.scopes if not r.registered_at > asked.at]
    if not there:
        return "NO_CONSENT"
    if known.closed_at and asked.at >= known.closed_at and asked.purpose != "follow_up":
        return "CASE_CLOSED"
    for said in known.exclusions:
        who = {asked.recipient.agency, asked.recipient.kind}
        who |= set() if asked.recipient.agency in known.intake_side else {"*"}
        over = said.revoked_at is not None and asked.at >= said.revoked_at
        if who & said.to and {asked.category, "*"} & said.categories and said.from_time <= asked.at and not over:
            return "EXCLUDED_BY_SUBJECT"
    ended = {old for r in there if signed(r.scope, r.registered_at) for old in r.scope.supersedes}
    ended |= {r.scope.id for r in there if r.superseded_at is not None and not asked.at < r.superseded_at}
    marks = {mark(r.scope, asked, known, ended) for r in there}
    if "LIVE" in marks:
        return "ALLOW"
    nearest = max(marks, key=NEAR.index)
    return WORDS.get(nearest, nearest)


def histories() -> Iterator[Facts]:
    sizes = chain.from_iterable(combinations(SCOPES, size) for size in range(4))
    for chosen in sizes:
        known = tuple(replace(registered(one), superseded_at=ENDED.get(one.id)) for one in chosen)
        for excluded, taken, closed in product(REFUSALS, TAKEN_BACK, (None, NOW)):
            yield replace(facts(), scopes=known, exclusions=excluded, withdrawals=taken, closed_at=closed)


def asked_of_each() -> list[Question]:
    return [
        question(sender=sender, recipient=recipient, purpose=purpose, category=category, at=at)
        for (sender, recipient), purpose, category, at in product(
            PAIRS, ("koguchi_shikin", "follow_up"), ("identity", "health"), (NOW, NOW + 2 * HOUR)
        )
    ]


def test_two_writings_of_the_rules_agree_on_every_history_of_a_small_world() -> None:
    questions = asked_of_each()
    seen: set[str] = set()
    for number, known in enumerate(histories()):
        # a quarter of the questions in turn, shifted so that every kind of history meets every question
        for asked in questions[(number + number // 32) % 4 :: 4]:
            answer = decide(asked, known)
            word = "ALLOW" if isinstance(answer, Permitted) else str(answer.reason)
            assert word == oracle(asked, known), (asked, known)
            seen.add(word)
    assert len(seen) == 13
