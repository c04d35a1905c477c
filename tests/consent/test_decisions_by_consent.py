# SPDX-License-Identifier: Apache-2.0
"""`basis: consent`: one test per refusal that the rule names, the order of the reasons, and the edges of time."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from consent.calendar import moment
from consent.decisions import RULES, Facts, decide_parts
from consent.errors import DocumentRefusedError
from consent.scopes import Direction, Party
from tests.consent.builders import (
    F1,
    H1,
    J1,
    J2,
    MICROSECOND,
    NOW,
    S1,
    S2,
    SIGNED,
    ask,
    exclusion,
    facts,
    permitted,
    question,
    refused,
    registered,
    scope,
    uid,
    withdrawal,
)


def test_a_live_scope_permits_and_is_named() -> None:
    answer = permitted(facts(scope()))
    assert (answer.basis, answer.scope, answer.against_exclusion) == ("consent", uid("c1"), False)
    assert answer.path == ("consent", *RULES["consent"])


# ── 1 to 6: what is covered ──


def test_without_any_scope_there_is_no_consent() -> None:
    answer = refused(facts())
    assert (answer.reason, answer.remedy, answer.scope) == ("NO_CONSENT", "ask_consent", None)
    assert answer.path == ("consent", "any_scope")


def test_an_unsigned_form_is_a_scope_that_never_permits() -> None:
    assert ask(facts(scope(signature="none"))) == "SIGNATURE_NOT_VALID"


def test_a_record_registered_later_is_not_known_yet() -> None:
    known = Facts(intake_side=frozenset({J1.agency}), scopes=(registered(scope(), NOW),))
    assert ask(known, at=NOW - MICROSECOND) == "NO_CONSENT"
    assert ask(known, at=NOW) == "ALLOW"


def test_a_closed_case_shares_nothing_but_follow_up() -> None:
    open_until = facts(scope(purposes=frozenset({"koguchi_shikin", "follow_up"})), closed_at=NOW)
    assert ask(open_until, at=NOW - MICROSECOND) == "ALLOW"
    assert ask(open_until) == "CASE_CLOSED"
    assert ask(open_until, purpose="follow_up") == "ALLOW"


def test_follow_up_after_closure_still_needs_a_scope_that_says_so() -> None:
    assert ask(facts(scope(), closed_at=NOW), purpose="follow_up") == "PURPOSE_NOT_COVERED"


@pytest.mark.parametrize("to", [S1.agency, S1.kind, "*"])
@pytest.mark.parametrize("category", ["identity", "*"])
def test_an_exclusion_beats_any_scope(to: str, category: str) -> None:
    answer = refused(facts(scope(), exclusions=(exclusion({to}, {category}),)))
    assert (answer.reason, answer.remedy) == ("EXCLUDED_BY_SUBJECT", "respect_exclusion")


def test_an_exclusion_of_everything_covers_sensitive_categories_too() -> None:
    known = facts(scope(categories=frozenset({"health"})), exclusions=(exclusion({"*"}, {"*"}),))
    assert ask(known, category="health") == "EXCLUDED_BY_SUBJECT"


def test_an_exclusion_binds_recipients_and_leaves_the_sender_free() -> None:
    known = facts(scope(), exclusions=(exclusion({S1.agency}, {"support_record"}),))
    assert ask(known, sender=S1, recipient=J1, category="support_record") == "ALLOW"


def test_an_exclusion_of_everyone_leaves_out_the_intake_side() -> None:
    known = facts(scope(), exclusions=(exclusion({"*"}, {"*"}),))
    assert ask(known, sender=S1, recipient=J1) == "ALLOW"


def test_an_exclusion_that_names_the_intake_agency_binds_it() -> None:
    known = facts(scope(), exclusions=(exclusion({J1.agency}, {"identity"}),))
    assert ask(known, sender=S1, recipient=J1) == "EXCLUDED_BY_SUBJECT"


def test_an_exclusion_counts_from_its_beginning_until_it_is_revoked() -> None:
    said = exclusion({S1.agency}, {"*"}, from_time=NOW, revoked_at=NOW + timedelta(hours=1))
    known = facts(scope(), exclusions=(said,))
    assert ask(known, at=NOW - MICROSECOND) == "ALLOW"
    assert ask(known, at=NOW) == "EXCLUDED_BY_SUBJECT"
    assert ask(known, at=NOW + timedelta(hours=1) - MICROSECOND) == "EXCLUDED_BY_SUBJECT"
    assert ask(known, at=NOW + timedelta(hours=1)) == "ALLOW"


def test_an_exclusion_outlives_a_later_broader_consent() -> None:
    later = scope("c2", categories=frozenset({"*"}), signed_at=SIGNED + timedelta(hours=1))
    assert ask(facts(scope(), later, exclusions=(exclusion({S1.agency}, {"contact"}),)), category="contact") == (
        "EXCLUDED_BY_SUBJECT"
    )


def test_partners_are_not_joined_with_each_other() -> None:
    known = facts(scope(partners=frozenset({S1.agency, H1.agency})))
    assert ask(known, sender=S1, recipient=H1) == "PARTY_NOT_COVERED"


def test_two_hub_parties_are_not_joined() -> None:
    both = frozenset({J1.agency, J2.agency})
    known = facts(scope(hub_parties=both, partners=frozenset({"jiritsu"})))
    assert ask(known, sender=J1, recipient=J2) == "PARTY_NOT_COVERED"


def test_an_agency_is_not_joined_with_itself() -> None:
    known = facts(scope(partners=frozenset({"jiritsu"})))
    assert ask(known, sender=J1, recipient=J1) == "PARTY_NOT_COVERED"


def test_a_kind_names_every_agency_of_that_kind() -> None:
    known = facts(scope(partners=frozenset({"shakyo"})))
    assert ask(known, recipient=S2) == "ALLOW"
    assert ask(known, recipient=F1) == "PARTY_NOT_COVERED"


def test_con_18_another_capacity_of_the_same_organisation_is_another_agency() -> None:
    lender = Party(agency=uid("S1 as lender"), kind="shakyo")
    assert ask(facts(scope()), recipient=lender) == "PARTY_NOT_COVERED"


@pytest.mark.parametrize(
    ("direction", "out", "back"),
    [
        (Direction.BOTH, "ALLOW", "ALLOW"),
        (Direction.OUT, "ALLOW", "PARTY_NOT_COVERED"),
        (Direction.IN, "PARTY_NOT_COVERED", "ALLOW"),
        ("sideways", "PARTY_NOT_COVERED", "PARTY_NOT_COVERED"),
    ],
)
def test_information_flows_only_in_the_direction_of_the_scope(direction: Direction, out: str, back: str) -> None:
    known = facts(scope(direction=direction))
    assert ask(known) == out
    assert ask(known, sender=S1, recipient=J1) == back


def test_con_15_another_purpose_is_not_covered() -> None:
    assert ask(facts(scope()), purpose="sogo_shien_shikin") == "PURPOSE_NOT_COVERED"


def test_another_category_is_not_covered() -> None:
    assert ask(facts(scope()), category="debt_arrears") == "CATEGORY_NOT_COVERED"
    assert ask(facts(scope()), category="health") == "CATEGORY_NOT_COVERED"


def test_everything_never_carries_a_sensitive_category() -> None:
    broad = scope(categories=frozenset({"*"}))
    assert ask(facts(broad), category="debt_arrears") == "ALLOW"
    assert ask(facts(broad), category="safety") == "SENSITIVE_NOT_EXPLICIT"
    ticked = scope("c2", categories=frozenset({"safety"}))
    assert ask(facts(broad, ticked), category="safety") == "ALLOW"


def test_purpose_and_category_must_stand_in_the_same_scope() -> None:
    one = scope("c1", purposes=frozenset({"koguchi_shikin"}), categories=frozenset({"identity"}))
    other = scope("c2", purposes=frozenset({"sogo_shien_shikin"}), categories=frozenset({"debt_arrears"}))
    assert ask(facts(one, other), category="debt_arrears") == "CATEGORY_NOT_COVERED"


# ── 7 and 8: what is live ──


@pytest.mark.parametrize("signature", ["self", "self_dictated", "legal_rep"])
def test_a_valid_signature_permits(signature: str) -> None:
    assert ask(facts(scope(signature=signature))) == "ALLOW"


@pytest.mark.parametrize("signature", ["family_unverified", "none", "something_else"])
def test_any_other_signature_never_permits(signature: str) -> None:
    answer = refused(facts(scope(signature=signature)))
    assert (answer.reason, answer.scope, answer.remedy) == ("SIGNATURE_NOT_VALID", uid("c1"), "get_signature")


def test_an_oral_consent_counts_for_fourteen_days() -> None:
    known = facts(scope(signature="oral_pending", valid_from=SIGNED - timedelta(days=1)))
    end = SIGNED + timedelta(days=14)
    assert ask(known, at=SIGNED) == "ALLOW"
    assert ask(known, at=end - MICROSECOND) == "ALLOW"
    assert ask(known, at=end) == "SIGNATURE_NOT_VALID"


def test_con_01_the_end_is_not_part_of_the_period() -> None:
    known = facts(scope(valid_until=NOW))
    assert ask(known, at=NOW - MICROSECOND) == "ALLOW"
    assert ask(known, at=NOW) == "EXPIRED"


def test_con_02_the_beginning_is_part_of_the_period() -> None:
    known = facts(scope(valid_from=NOW))
    assert ask(known, at=NOW) == "ALLOW"
    assert ask(known, at=NOW - MICROSECOND) == "NOT_YET_VALID"


def test_a_withdrawal_is_effective_at_its_moment() -> None:
    known = facts(scope(), withdrawals=(withdrawal(NOW),))
    assert ask(known, at=NOW - MICROSECOND) == "ALLOW"
    assert ask(known, at=NOW) == "WITHDRAWN"


@pytest.mark.parametrize("to", [S1.agency, "shakyo", "*"])
def test_a_withdrawal_for_an_agency_stops_it_as_recipient_and_as_sender(to: str) -> None:
    known = facts(scope(partners=frozenset({S1.agency, F1.agency})), withdrawals=(withdrawal(to={to}),))
    assert ask(known) == "WITHDRAWN"
    assert ask(known, sender=S1, recipient=J1) == "WITHDRAWN"
    assert ask(known, recipient=F1) == ("WITHDRAWN" if to == "*" else "ALLOW")


def test_a_withdrawal_of_a_category_leaves_the_others() -> None:
    known = facts(scope(), withdrawals=(withdrawal(categories={"contact"}),))
    assert ask(known, category="contact") == "WITHDRAWN"
    assert ask(known) == "ALLOW"


def test_a_withdrawal_of_one_scope_leaves_another_that_carries_the_same() -> None:
    known = facts(scope(), scope("c2"), withdrawals=(withdrawal(scopes={uid("c1")}),))
    assert permitted(known).scope == uid("c2")


def test_what_is_signed_after_taking_back_everything_is_a_new_consent() -> None:
    again = scope("c2", signed_at=NOW + MICROSECOND, valid_from=NOW)
    known = facts(scope(), again, withdrawals=(withdrawal(NOW),))
    assert ask(known, at=NOW) == "WITHDRAWN"
    assert permitted(known, at=NOW + timedelta(hours=1)).scope == uid("c2")


def test_what_was_signed_at_the_very_moment_of_taking_back_everything_is_withdrawn() -> None:
    assert ask(facts(scope(signed_at=NOW), withdrawals=(withdrawal(NOW),))) == "WITHDRAWN"


def test_what_was_signed_before_and_registered_after_taking_back_everything_is_withdrawn() -> None:
    late = registered(scope(), NOW + timedelta(hours=1))
    known = replace(facts(), scopes=(late,), withdrawals=(withdrawal(NOW),))
    assert ask(known, at=NOW + timedelta(hours=2)) == "WITHDRAWN"


def newer(**changes: object) -> object:
    ends = {"purposes": frozenset({"follow_up"}), "supersedes": frozenset({uid("c1")}), "signed_at": NOW}
    return scope("c2", **(ends | changes))


def test_a_record_ends_what_it_supersedes_the_moment_it_is_registered() -> None:
    known = facts(scope(), newer(valid_from=NOW + timedelta(days=30)))
    assert ask(known, at=NOW - MICROSECOND) == "ALLOW"
    answer = refused(known, at=NOW)
    assert (answer.reason, answer.scope, answer.remedy) == ("SUPERSEDED", uid("c1"), "prepare_again")


@pytest.mark.parametrize("signature", ["none", "family_unverified"])
def test_a_record_without_a_valid_signature_ends_nothing(signature: str) -> None:
    assert ask(facts(scope(), newer(signature=signature)), at=NOW) == "ALLOW"


def test_what_an_oral_record_ended_stays_ended_when_it_lapses() -> None:
    known = facts(scope(), newer(signature="oral_pending"))
    assert ask(known, at=NOW + timedelta(days=20)) == "SUPERSEDED"


def test_an_oral_record_registered_after_its_fourteen_days_ends_nothing() -> None:
    late = registered(newer(signature="oral_pending"), NOW + timedelta(days=14))
    known = replace(facts(), scopes=(registered(scope()), late))
    assert ask(known, at=NOW + timedelta(days=15)) == "ALLOW"


FLAWS = {
    "WITHDRAWN": {"name": "withdrawn"},
    "SIGNATURE_NOT_VALID": {"name": "unsigned", "signature": "none"},
    "SUPERSEDED": {"name": "ended"},
    "EXPIRED": {"name": "old", "valid_until": NOW},
    "NOT_YET_VALID": {"name": "young", "valid_from": NOW + MICROSECOND},
}


@pytest.mark.parametrize("most", range(len(FLAWS)))
def test_the_most_telling_reason_is_given(most: int) -> None:
    left = list(FLAWS.items())[most:]
    records = [scope(**flaw) for _, flaw in reversed(left)]
    ender = scope("ender", purposes=frozenset({"follow_up"}), supersedes=frozenset({uid("ended")}))
    known = facts(*records, ender, withdrawals=(withdrawal(scopes={uid("withdrawn")}),))
    reason, flaw = left[0]
    assert refused(known).reason == reason
    assert refused(known).scope == uid(flaw["name"])


def test_the_first_failure_names_the_reason() -> None:
    # everything is wrong at once; mending one thing after another brings up the next reason
    known = facts()
    steps: list[tuple[str, Facts]] = [("NO_CONSENT", known)]
    closed = {"closed_at": NOW}
    shut = {"exclusions": (exclusion({S1.agency}, {"health"}),)}
    wrong_party = scope(partners=frozenset({F1.agency}), valid_until=NOW)
    wrong_purpose = scope(purposes=frozenset({"follow_up"}), valid_until=NOW)
    wrong_category = scope(categories=frozenset({"*"}), valid_until=NOW)
    ended = scope(categories=frozenset({"health"}), valid_until=NOW)
    steps += [
        ("CASE_CLOSED", facts(wrong_party, **closed, **shut)),
        ("EXCLUDED_BY_SUBJECT", facts(wrong_party, **shut)),
        ("PARTY_NOT_COVERED", facts(wrong_party)),
        ("PURPOSE_NOT_COVERED", facts(wrong_party, wrong_purpose)),
        ("SENSITIVE_NOT_EXPLICIT", facts(wrong_party, wrong_purpose, wrong_category)),
        ("EXPIRED", facts(wrong_party, wrong_purpose, wrong_category, ended)),
    ]
    assert [ask(given, category="health") for _, given in steps] == [reason for reason, _ in steps]
    walked = [len(refused(given, category="health").path) for _, given in steps]
    assert walked == sorted(walked)


# ── codes, parts ──


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"category": "koguchi_shikin"}, "/category"),
        ({"category": "*"}, "/category"),
        ({"purpose": "identity"}, "/purpose"),
        ({"sender": Party(agency=J1.agency, kind="unheard_of")}, "/sender/kind"),
        ({"recipient": Party(agency=S1.agency, kind="")}, "/recipient/kind"),
    ],
)
def test_con_16_an_unknown_code_is_an_error_and_never_ignored(changes: dict[str, object], pointer: str) -> None:
    with pytest.raises(DocumentRefusedError) as caught:
        ask(facts(scope()), **changes)
    assert (caught.value.code, caught.value.pointer) == ("unknown-code", pointer)


def test_an_unknown_basis_is_an_error() -> None:
    class Whim:
        kind = "whim"

    with pytest.raises(DocumentRefusedError, match="unknown-code at /basis/kind"):
        ask(facts(scope()), basis=Whim())


def test_each_part_is_decided_for_itself_in_the_order_given() -> None:
    answers = decide_parts(question(), facts(scope()), ["health", "identity"])
    assert [(category, type(answer).__name__) for category, answer in answers] == [
        ("health", "Refused"),
        ("identity", "Permitted"),
    ]


def test_con_04_a_consent_until_a_bare_date_ends_at_midnight_in_japan() -> None:
    known = facts(
        scope(signed_at=moment("2026-03-01"), valid_from=moment("2026-03-01"), valid_until=moment("2026-03-31"))
    )
    assert ask(known, at=datetime.fromisoformat("2026-03-30T14:59:59Z")) == "ALLOW"
    assert ask(known, at=datetime.fromisoformat("2026-03-30T15:00:00Z")) == "EXPIRED"
