# SPDX-License-Identifier: Apache-2.0
"""Registering a signed consent: each refusal by name, none changes anything, the same bytes are the same answer."""

from dataclasses import replace

import pytest

from consent import wire
from consent.receipts import ConsentRecord, StatusRecord, sign_statement
from consent.signing import Typ, sign
from tests.hub.builders import new_agency, new_uuid
from tests.hub.casework import (
    DAY,
    HOUR,
    closed,
    consent,
    logged,
    new_handle,
    opened_case,
    present,
    registered,
    rows,
    scope,
    status,
)

FACTS = (
    "consents",
    "withdrawals",
    "exclusions",
    "consent_statuses",
    "case_parties",
    "audit_pending",
    "outbox",
    "events",
)


@pytest.fixture
def case(client, intake):
    return opened_case(client, intake)


def register(client, agency, token):
    return client.by(agency.id).say("/v1/consents", {"record": token})


def state_of(hub_database):
    return {table: rows(hub_database, f"select count(*) from {table}") for table in FACTS}  # noqa: S608 - our names


def refused(client, agency, token):
    answer = register(client, agency, token)
    return answer.status_code, answer.get_json()["code"]


# ── what is kept ──


def test_a_signed_consent_is_kept_byte_for_byte(client, intake, council, case, hub_database):
    token = consent(intake, scope(case, intake, council.id))
    answer = register(client, intake, token)
    assert answer.status_code == 201
    made = answer.get_json()
    assert (made["record"], made["partner"], made["withdrawn"]) == (token, council.id, False)
    assert client.by(intake.id).get(f"/v1/consents/{made['id']}").get_json() == made
    assert logged(hub_database, "consent:registered") == 1


def test_a_registration_tells_the_partner_and_puts_out_what_must_follow_now_and_at_its_end(
    client, intake, council, case, hub_database
):
    made = registered(client, intake, case, council.id)
    told = rows(hub_database, "select agency::text, event, about from events")
    assert told == [(council.id, "consent:registered", made["id"])]
    works = rows(hub_database, "select topic, due_at > now() + interval '1 day' from outbox order by seq")
    assert works == [
        ("consent:changed", False), ("consent:lapsed", True), ("consent:changed", True), ("consent:ending", True),
    ]  # fmt: skip


def test_the_entry_in_the_log_holds_the_terms_and_is_for_those_it_names(client, intake, council, case, hub_database):
    made = registered(client, intake, case, council.id)
    ((parties, body),) = rows(
        hub_database,
        "select parties::text[], convert_from(body, 'utf8') from audit_pending where kind = 'consent:registered'",
    )
    assert set(parties) == {intake.id, council.id}
    facts = wire.parse(body)["facts"]
    assert facts["hash"] == made["hash"]
    assert facts["categories"] == ["identity", "income_assets"]
    assert facts["signature"] == "self"


def test_the_same_record_again_is_the_same_answer_and_is_logged_once(client, intake, council, case, hub_database):
    token = consent(intake, scope(case, intake, council.id))
    first, again = register(client, intake, token), register(client, intake, token)
    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert logged(hub_database, "consent:registered") == 1


def test_the_same_record_again_answers_even_after_the_case_was_closed(client, intake, council, case):
    token = consent(intake, scope(case, intake, council.id))
    first = register(client, intake, token)
    closed(client, intake, case)
    assert register(client, intake, token).get_json() == first.get_json()


def test_another_record_under_the_same_id_is_a_clash(client, intake, council, case):
    wanted = scope(case, intake, council.id)
    register(client, intake, consent(intake, wanted))
    other = replace(wanted, categories=frozenset({"health"}))
    assert refused(client, intake, consent(intake, other)) == (409, "id-clash")


def test_two_agencies_may_use_the_same_id_and_neither_notices(client, intake, stranger, council, case):
    made = registered(client, intake, case, council.id)
    theirs = opened_case(client, stranger)
    other = registered(client, stranger, theirs, council.id, id=made["id"])
    assert other["agency"] == stranger.id
    assert client.by(intake.id).get(f"/v1/consents/{made['id']}").get_json()["agency"] == intake.id


def test_a_recipient_kind_may_stand_for_the_partner(client, intake, case):
    assert registered(client, intake, case, "houterasu")["partner"] == "houterasu"


def test_a_form_that_nobody_signed_can_be_registered(client, intake, council, case):
    # it permits nothing, and says so: the decision is made elsewhere
    assert registered(client, intake, case, council.id, signature="family_unverified")["withdrawn"] is False


# ── what is refused ──


def unchecked(agency, wanted):
    """Sign what the library itself would not: only the hub stands in the way."""
    return sign(wire.compact(ConsentRecord.of(wanted, agency.id)), typ=Typ.CONSENT, key=agency.sig)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_from": present() + 2 * DAY, "valid_until": present() + DAY}, "bad-scope"),
        ({"valid_until": present() + 370 * DAY}, "bad-scope"),
        ({"signed_at": present() + HOUR}, "bad-scope"),
        ({"signed_at": present() - 40 * DAY}, "needs-second-signer"),
        ({"written_by": "counsellor:k7"}, "proxy-reason-required"),
        ({"signature": "legal_rep"}, "proxy-reason-required"),
        ({"categories": frozenset({"koguchi_shikin"})}, "unknown-code"),
        ({"purposes": frozenset({"identity"})}, "unknown-code"),
        ({"partners": frozenset({"yakuba"})}, "unknown-code"),
        ({"partners": frozenset({new_uuid()})}, "unknown-agency"),
        ({"partners": frozenset({"shakyo", "houterasu"})}, "bad-scope"),
        ({"case": new_handle()}, "unknown-case"),
    ],
    ids=[
        "CON-06 ends before it begins",
        "CON-06 longer than twelve months",
        "CON-07 signed in the future",
        "CON-07 signed forty days ago",
        "CON-20 written by staff",
        "CON-20 a representative",
        "CON-16 a purpose in place of a category",
        "CON-16 a category in place of a purpose",
        "a kind that is not in the vocabulary",
        "an agency that does not exist",
        "two partners in one record",
        "a case that was not opened",
    ],
)
def test_a_scope_that_does_not_hold_is_refused_and_changes_nothing(
    client, intake, council, case, hub_database, changes, code
):
    token = unchecked(intake, scope(case, intake, council.id, **changes))
    before = state_of(hub_database)
    assert refused(client, intake, token) == (422, code)
    assert state_of(hub_database) == before


def test_a_second_signer_lets_a_late_form_in_and_a_reason_lets_a_proxy_in(client, intake, council, case):
    registered(client, intake, case, council.id, signed_at=present() - 40 * DAY, witness="supervisor:k1")
    registered(client, intake, case, council.id, written_by="counsellor:k7", proxy_reason="cannot_write")


def test_the_signer_must_be_on_the_intake_side(client, intake, council, lawyers, case):
    wanted = scope(case, intake, council.id, hub_parties=frozenset({lawyers.id}))
    assert refused(client, intake, consent(intake, wanted)) == (422, "bad-scope")


def test_a_hub_party_that_does_not_exist_is_refused(client, intake, council, case):
    wanted = scope(case, intake, council.id, hub_parties=frozenset({intake.id, new_uuid()}))
    assert refused(client, intake, consent(intake, wanted)) == (422, "unknown-agency")


def test_another_agencys_case_cannot_carry_my_consent(client, stranger, council, case):
    token = consent(stranger, scope(case, stranger, council.id))
    assert refused(client, stranger, token) == (422, "unknown-case")


def test_a_closed_case_takes_no_new_consent(client, intake, council, case):
    closed(client, intake, case)
    token = consent(intake, scope(case, intake, council.id))
    assert refused(client, intake, token) == (409, "case-closed")


@pytest.mark.parametrize(
    "forgery",
    ["another agency's key", "an unknown key", "another agency's record", "another agency's record under my key"],
)
def test_a_forged_signer_is_refused_and_changes_nothing(client, intake, stranger, council, case, hub_database, forgery):
    record = ConsentRecord.of(scope(case, intake, council.id), intake.id)
    tokens = {
        "another agency's key": sign_statement(record, stranger.sig),
        "an unknown key": sign_statement(record, new_agency().sig),
        "another agency's record": sign_statement(replace(record, agency=stranger.id), stranger.sig),
        "another agency's record under my key": sign_statement(replace(record, agency=stranger.id), intake.sig),
    }
    before = state_of(hub_database)
    assert refused(client, intake, tokens[forgery]) == (400, "bad-signature")
    assert state_of(hub_database) == before


def test_a_record_altered_after_signing_is_refused(client, intake, council, case):
    wanted = scope(case, intake, council.id)
    header, _, signature = consent(intake, wanted).split(".")
    altered = wire.compact(ConsentRecord.of(replace(wanted, evidence="ee" * 32), intake.id))
    token = f"{header}.{wire.to_base64url(altered)}.{signature}"
    assert refused(client, intake, token) == (400, "bad-signature")


def test_a_valid_signature_under_another_typ_is_refused(client, intake, council, case):
    payload = wire.compact(ConsentRecord.of(scope(case, intake, council.id), intake.id))
    assert refused(client, intake, sign(payload, typ=Typ.STATUS, key=intake.sig)) == (400, "wrong-type")


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "äöü"])
def test_what_is_no_signed_text_at_all_is_refused(client, intake, token):
    status_code, code = refused(client, intake, token)
    assert status_code == 400
    assert code in {"malformed", "malformed-json", "header-not-allowed"}


@pytest.mark.parametrize("payload", [b"[1]", b"not json", b'{"v":1,"v":1}'])
def test_a_signed_text_that_is_no_document_is_refused(client, intake, payload):
    token = sign(payload, typ=Typ.CONSENT, key=intake.sig)
    assert refused(client, intake, token) == (400, "malformed-json")


def test_more_codes_than_there_can_be_are_too_many(client, intake, council, case):
    plain = wire.parse(wire.compact(ConsentRecord.of(scope(case, intake, council.id), intake.id)))
    token = sign(wire.compact({**plain, "categories": ["identity"] * 65}), typ=Typ.CONSENT, key=intake.sig)
    assert refused(client, intake, token) == (413, "too-large")


def test_an_unknown_member_inside_the_signed_record_is_refused(client, intake, council, case):
    plain = wire.parse(wire.compact(ConsentRecord.of(scope(case, intake, council.id), intake.id)))
    token = sign(wire.compact({**plain, "name": "架空田 一郎"}), typ=Typ.CONSENT, key=intake.sig)
    assert refused(client, intake, token) == (422, "unknown-member")


# ── who sees a record ──


def test_a_partner_fetches_the_record_that_names_it_and_no_other(client, intake, council, lawyers, stranger, case):
    mine = registered(client, intake, case, council.id)
    theirs = registered(client, intake, case, lawyers.id)
    assert client.by(council.id).get(f"/v1/consents/{mine['id']}").get_json()["record"] == mine["record"]
    listed = client.by(council.id).get(f"/v1/consents?case={case}").get_json()["items"]
    assert [item["id"] for item in listed] == [mine["id"]]
    hidden = client.by(council.id).get(f"/v1/consents/{theirs['id']}")
    nothing = client.by(council.id).get(f"/v1/consents/{new_uuid()}")
    assert (hidden.status_code, hidden.data) == (404, nothing.data)
    assert client.by(stranger.id).get(f"/v1/consents/{mine['id']}").status_code == 404
    assert client.by(stranger.id).get(f"/v1/consents?case={case}").status_code == 404


def test_an_agency_of_the_kind_that_a_record_names_fetches_it(client, intake, council, lawyers, case):
    made = registered(client, intake, case, "bengoshi")
    assert client.by(lawyers.id).get(f"/v1/consents/{made['id']}").status_code == 200
    assert client.by(council.id).get(f"/v1/consents/{made['id']}").status_code == 404


def test_the_intake_side_lists_every_record_page_by_page(client, intake, council, lawyers, case):
    made = [registered(client, intake, case, partner.id)["id"] for partner in (council, lawyers)]
    first = client.by(intake.id).get(f"/v1/consents?case={case}&limit=1").get_json()
    rest = client.by(intake.id).get(f"/v1/consents?case={case}&limit=1&cursor={first['next_cursor']}").get_json()
    assert [item["id"] for item in (*first["items"], *rest["items"])] == made
    assert rest["next_cursor"] is None


def test_a_list_needs_a_case(client, intake):
    assert client.by(intake.id).get("/v1/consents").status_code == 400


# ── the status ──


def renew(client, agency, known, token):
    return client.by(agency.id).say(f"/v1/consents/{known['id']}/status", {"record": token})


def test_the_newest_status_is_kept_and_served_to_the_partner(client, intake, council, case, hub_database):
    made = registered(client, intake, case, council.id)
    older = status(intake, case, made, present() - 2 * HOUR)
    newer = status(intake, case, made, present() - HOUR)
    for token in (older, newer, older, newer):
        assert renew(client, intake, made, token).status_code == 200
    served = client.by(council.id).get(f"/v1/consents/{made['id']}").get_json()["status"]
    assert served["record"] == newer
    assert logged(hub_database, "consent:status_renewed") == 2


def test_a_status_of_the_future_of_another_record_or_of_a_withdrawn_consent_is_refused(
    client, intake, council, lawyers, case
):
    made, other = registered(client, intake, case, council.id), registered(client, intake, case, lawyers.id)
    future = status(intake, case, made, present() + HOUR)
    assert renew(client, intake, made, future).get_json()["code"] == "bad-date"
    assert renew(client, intake, made, status(intake, case, other, present())).get_json()["code"] == "record-mismatch"
    wrong_hash = status(intake, case, made, present(), hash="00" * 32)
    assert renew(client, intake, made, wrong_hash).get_json()["code"] == "record-mismatch"
    client.by(intake.id).say(f"/v1/consents/{made['id']}/withdraw")
    answer = renew(client, intake, made, status(intake, case, made, present()))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "consent-withdrawn")


def test_a_partner_cannot_renew_a_status(client, intake, council, case):
    made = registered(client, intake, case, council.id)
    record = StatusRecord(
        id=new_uuid(),
        agency=council.id,
        case=case,
        consent=made["id"],
        hash=made["hash"],
        as_of=present(),
        next_by=present() + HOUR,
    )
    assert renew(client, council, made, sign_statement(record, council.sig)).status_code == 404
