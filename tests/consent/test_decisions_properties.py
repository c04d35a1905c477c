# SPDX-License-Identifier: Apache-2.0
"""What holds for every history and every question."""

import os
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from consent.decisions import RULES, EmergencyBasis, Facts, Permitted, Question, Reason, Refused, decide
from consent.errors import ScopeRefusedError
from consent.scopes import Direction, Exclusion, Registered, Withdrawal, is_within, narrow
from consent.vocabulary.codes import EMERGENCY_MINIMUM, REMEDIES, SENSITIVE
from tests.consent.builders import uid
from tests.consent.strategies import (
    CATEGORIES,
    NAMED,
    PURPOSES,
    bases,
    emergencies,
    exclusions,
    histories,
    likely,
    moments,
    questions,
    records,
    some,
    withdrawals,
)

many = settings(max_examples=int(os.environ.get("TSUNAGI_EXAMPLES", "150")), deadline=None)
cases = likely()


def allows(question: Question, known: Facts) -> bool:
    return isinstance(decide(question, known), Permitted)


def step(question: Question, known: Facts) -> int:
    """How far the rules were walked; past the last one when permitted."""
    answer = decide(question, known)
    return len(answer.path) + isinstance(answer, Permitted)


@many
@given(cases)
def test_refusing_is_the_default(case: tuple[Question, Facts]) -> None:
    asked, known = case
    assert not allows(asked, Facts(intake_side=known.intake_side))
    answer = decide(asked, known)
    if isinstance(answer, Permitted):
        rest = replace(known, scopes=tuple(r for r in known.scopes if r.scope.id != answer.scope))
        carrier = next(r.scope for r in known.scopes if r.scope.id == answer.scope)
        assert asked.purpose in carrier.purposes
        assert asked.category in carrier.categories or asked.category not in SENSITIVE
        assert carrier.valid_from <= asked.at < carrier.valid_until
        # taking away what carried it leaves a refusal, unless another scope carries it too
        others = decide(asked, rest)
        assert isinstance(others, Refused) or others.scope != answer.scope


@many
@given(cases)
def test_an_exclusion_beats_any_scope(case: tuple[Question, Facts]) -> None:
    asked, known = case
    for to in (asked.recipient.agency, asked.recipient.kind):
        said = Exclusion(
            id=uid("x"),
            case=uid("case"),
            to=frozenset({to}),
            categories=frozenset({asked.category}),
            from_time=asked.at - timedelta(days=1),
        )
        answer = decide(asked, replace(known, exclusions=(*known.exclusions, said)))
        assert isinstance(answer, Refused)
        assert answer.reason in {Reason.NO_CONSENT, Reason.CASE_CLOSED, Reason.EXCLUDED_BY_SUBJECT}


@many
@given(cases, exclusions)
def test_one_exclusion_more_never_permits_more(case: tuple[Question, Facts], more: Exclusion) -> None:
    asked, known = case
    assert allows(asked, known) or not allows(asked, replace(known, exclusions=(*known.exclusions, more)))


@many
@given(cases, withdrawals)
def test_one_withdrawal_more_never_permits_more(case: tuple[Question, Facts], more: Withdrawal) -> None:
    asked, known = case
    after = replace(known, withdrawals=(*known.withdrawals, more))
    assert allows(asked, known) or not allows(asked, after)
    if asked.at < more.at:
        assert decide(asked, after) == decide(asked, known)


@many
@given(cases, withdrawals, st.integers(0, 30))
def test_a_withdrawal_once_effective_stays_effective(case: tuple[Question, Facts], said: Withdrawal, days: int) -> None:
    asked, known = case
    known = replace(known, withdrawals=(said,))
    answer = decide(asked, known)
    if isinstance(answer, Refused) and answer.reason == Reason.WITHDRAWN:
        only = replace(known, scopes=tuple(r for r in known.scopes if r.scope.id == answer.scope))
        assert not allows(replace(asked, at=asked.at + timedelta(days=days)), only)


@many
@given(cases, records)
def test_one_scope_more_never_takes_a_permission_away(case: tuple[Question, Facts], more: Registered) -> None:
    asked, known = case
    harmless = replace(more, scope=replace(more.scope, id=uid("one more"), supersedes=frozenset()))
    after = replace(known, scopes=(*known.scopes, harmless))
    assert step(asked, after) >= step(asked, known)


@many
@given(
    cases,
    st.data(),
    some(NAMED),
    some(PURPOSES),
    some((*CATEGORIES, "*")),
    st.sampled_from(Direction),
    moments,
)
def test_narrowing_never_adds_a_permission(
    case: tuple[Question, Facts],
    data: st.DataObject,
    partners: frozenset[str],
    purposes: frozenset[str],
    categories: frozenset[str],
    direction: Direction,
    since: object,
) -> None:
    asked, known = case
    record = data.draw(st.sampled_from(known.scopes))
    cuts = {
        "partners": partners,
        "purposes": purposes,
        "categories": categories,
        "direction": direction,
        "valid_from": since,
    }
    chosen = data.draw(st.sets(st.sampled_from(sorted(cuts))))
    try:
        smaller = narrow(record.scope, **{name: cuts[name] for name in chosen})
    except ScopeRefusedError:
        return
    assert is_within(smaller, record.scope)
    narrowed = tuple(replace(r, scope=smaller) if r is record else r for r in known.scopes)
    assert allows(asked, known) or not allows(asked, replace(known, scopes=narrowed))


@many
@given(cases, st.randoms(use_true_random=False), st.lists(records, max_size=3))
def test_a_decision_depends_on_what_was_known_then_and_on_nothing_else(
    case: tuple[Question, Facts], shuffler: object, later: list[Registered]
) -> None:
    asked, known = case
    answer = decide(asked, known)
    assert decide(asked, known) == answer
    mixed = list(known.scopes)
    shuffler.shuffle(mixed)
    assert type(decide(asked, replace(known, scopes=tuple(mixed)))) is type(answer)
    unknown_then = tuple(replace(r, registered_at=asked.at + timedelta(seconds=1)) for r in later)
    assert decide(asked, replace(known, scopes=(*known.scopes, *unknown_then))) == answer


@many
@given(cases)
def test_the_receiver_who_knows_less_gives_the_same_permission(case: tuple[Question, Facts]) -> None:
    asked, known = case
    me = asked.recipient
    mine = [r for r in known.scopes if {me.agency, me.kind} & r.scope.partners or me.agency in r.scope.hub_parties]
    ends = {r.scope.id for r in mine}
    seen = tuple(r for r in known.scopes if r in mine or r.scope.supersedes & ends)
    about_me = tuple(x for x in known.exclusions if {me.agency, me.kind, "*"} & x.to)
    view = replace(known, scopes=seen, exclusions=about_me)
    assert allows(asked, view) == allows(asked, known)


@many
@given(cases, st.data())
def test_who_knows_fewer_scopes_never_permits_more(case: tuple[Question, Facts], data: st.DataObject) -> None:
    asked, known = case
    ending = {r.scope.id for r in known.scopes if r.scope.supersedes}
    kept = data.draw(st.sets(st.sampled_from([r.scope.id for r in known.scopes])))
    fewer = tuple(r for r in known.scopes if r.scope.id in kept | ending)
    assert allows(asked, known) or not allows(asked, replace(known, scopes=fewer))


@many
@given(questions(bases), histories)
def test_every_answer_names_its_rules_and_every_refusal_its_remedy(asked: Question, known: Facts) -> None:
    answer = decide(asked, known)
    kind = asked.basis.kind
    rules = (kind, *RULES[kind])
    assert answer.path == rules[: len(answer.path)]
    if isinstance(answer, Permitted):
        assert (answer.basis, answer.path) == (kind, rules)
        assert (answer.scope is not None) == (kind == "consent")
    else:
        assert len(answer.path) > 1
        assert answer.remedy == REMEDIES[kind][answer.reason]


@many
@given(questions(emergencies), histories)
def test_an_emergency_never_leaves_its_narrow_door(asked: Question, known: Facts) -> None:
    basis = asked.basis
    assert isinstance(basis, EmergencyBasis)
    if allows(asked, known):
        assert asked.category in EMERGENCY_MINIMUM
        assert basis.requester != basis.approver
        assert asked.at - (basis.approved_at or asked.at) < timedelta(hours=72)
