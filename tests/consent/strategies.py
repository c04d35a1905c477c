# SPDX-License-Identifier: Apache-2.0
"""A small world for hypothesis: few agencies, codes and moments, so that they meet often."""

from datetime import timedelta

from hypothesis import strategies as st

from consent.decisions import ConferenceBasis, ConsentBasis, EmergencyBasis, Facts, Question, StatuteBasis
from consent.scopes import Conference, Direction, Exclusion, Registered, Scope, Withdrawal
from tests.consent.builders import H1, J1, J2, S1, S2, SIGNED, scope, uid

PARTIES = (J1, J2, S1, S2, H1)
PURPOSES = ("koguchi_shikin", "saimu_seiri", "follow_up", "shien_kaigi")
CATEGORIES = ("identity", "contact", "health", "safety")
NAMES = tuple(f"c{n}" for n in range(6))
NAMED = (*(party.agency for party in PARTIES), "shakyo", "houterasu")

parties = st.sampled_from(PARTIES)
moments = st.integers(0, 30).map(lambda days: SIGNED + timedelta(days=days))
beginnings = st.integers(0, 8).map(lambda days: SIGNED + timedelta(days=days))
questioned = st.integers(4, 34).map(lambda days: SIGNED + timedelta(days=days))


def some(values: tuple[str, ...], smallest: int = 1, largest: int = 3) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(values), min_size=smallest, max_size=largest)


scopes: st.SearchStrategy[Scope] = st.builds(
    scope,
    st.sampled_from(NAMES),
    hub_parties=st.sampled_from([frozenset({J1.agency}), frozenset({J1.agency, J2.agency})]),
    partners=some(NAMED),
    purposes=some(PURPOSES),
    categories=some((*CATEGORIES, "*")),
    direction=st.sampled_from(Direction),
    valid_from=beginnings,
    valid_until=moments.map(lambda at: at + timedelta(days=20)),
    signature=st.sampled_from(["self", "self", "self", "legal_rep", "oral_pending", "none"]),
    signed_at=beginnings,
    supersedes=st.one_of(st.just(frozenset()), some(tuple(map(uid, NAMES)), 0, 1)),
)
records: st.SearchStrategy[Registered] = scopes.flatmap(
    lambda one: st.integers(0, 5).map(
        lambda days: Registered(scope=one, registered_at=one.signed_at + timedelta(days=days))
    )
)
exclusions: st.SearchStrategy[Exclusion] = st.builds(
    Exclusion,
    id=st.just(uid("x")),
    case=st.just(uid("case")),
    to=some((*NAMED, "*")),
    categories=some((*CATEGORIES, "*")),
    from_time=moments,
    revoked_at=st.one_of(st.none(), moments),
)
withdrawals: st.SearchStrategy[Withdrawal] = st.builds(
    Withdrawal,
    id=st.just(uid("w")),
    scopes=some(tuple(map(uid, NAMES)), 0),
    to=some((*NAMED, "*"), 0),
    categories=some((*CATEGORIES, "*"), 0),
    at=moments,
)
conferences: st.SearchStrategy[Conference] = st.builds(
    Conference,
    id=st.sampled_from([uid("m1"), uid("m2")]),
    members=some(tuple(party.agency for party in PARTIES), 0, 5),
    until=moments,
)
histories: st.SearchStrategy[Facts] = st.builds(
    Facts,
    intake_side=st.sampled_from([frozenset({J1.agency}), frozenset({J1.agency, J2.agency})]),
    closed_at=st.one_of(st.none(), st.none(), st.none(), moments),
    scopes=st.lists(records, min_size=1, max_size=5, unique_by=lambda record: record.scope.id).map(tuple),
    exclusions=st.lists(exclusions, max_size=1).map(tuple),
    withdrawals=st.lists(withdrawals, max_size=1).map(tuple),
    conferences=st.lists(conferences, max_size=2).map(tuple),
)
emergencies = st.builds(
    EmergencyBasis,
    threat=st.sampled_from([None, "life"]),
    difficulty=st.just("unreachable"),
    requester=st.just("u-1"),
    approver=st.sampled_from(["u-1", "u-2"]),
    approver_role=st.sampled_from(["supervisor", "counsellor"]),
    approved_at=st.one_of(st.none(), moments),
    valid_until=st.one_of(st.none(), moments),
)
bases = st.one_of(
    st.just(ConsentBasis()),
    emergencies,
    st.builds(ConferenceBasis, conference=st.sampled_from([None, uid("m1"), uid("m2")])),
    st.builds(StatuteBasis, ground=st.sampled_from([None, "child_abuse", "assistance_inquiry"])),
)


def questions(basis: st.SearchStrategy[object]) -> st.SearchStrategy[Question]:
    return st.builds(
        Question,
        sender=parties,
        recipient=parties,
        purpose=st.sampled_from(PURPOSES),
        category=st.sampled_from(CATEGORIES),
        basis=basis,
        at=questioned,
    )


@st.composite
def likely(draw: st.DrawFn) -> tuple[Question, Facts]:
    """Draw a question by consent about a history, in most cases one that a scope of it seems to carry."""
    known = draw(histories)
    if draw(st.integers(0, 3)) == 0:
        return draw(questions(st.just(ConsentBasis()))), known
    one = draw(st.sampled_from(known.scopes)).scope
    partners = [party for party in PARTIES if {party.agency, party.kind} & one.partners]
    hub = [party for party in PARTIES if party.agency in one.hub_parties]
    pair = [draw(st.sampled_from(hub)), draw(st.sampled_from(partners))]
    if one.direction is Direction.IN:
        pair.reverse()
    category = draw(st.sampled_from(sorted(one.categories)))
    return (
        Question(
            sender=pair[0],
            recipient=pair[1],
            purpose=draw(st.sampled_from(sorted(one.purposes))),
            category="identity" if category == "*" else category,
            basis=ConsentBasis(),
            at=draw(questioned),
        ),
        known,
    )
