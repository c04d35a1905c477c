# SPDX-License-Identifier: Apache-2.0
"""An agency joins: what a registration must hold, and that two people with two roles must agree (protocol
§3).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import ProgrammingError

from consent.errors import DocumentRefusedError, SignatureRefusedError
from consent.jwk import KeyUse, generate
from consent.keys import fingerprint_words, new_entry, sign_entry
from consent.registration import write_registration
from consent.wire import from_base64url
from hub.agencies import reads, service
from hub.agencies.reads import Agency
from hub.agencies.rules import APPROVAL_LASTS, AgencyState
from hub.base.db import Database, Duty, now
from hub.base.errors import ConflictError, HubError, InvalidError
from tests.hub.builders import (
    ALWAYS,
    TestAgency,
    active_agency,
    new_agency,
    new_uuid,
    officer,
    operator,
    pending_agency,
)


def register(database: Database, agency: TestAgency, *, checked: bool = False, **changes: Any) -> Agency:
    with database.transaction(None, Duty.DIRECTORY) as session:
        document = write_registration(agency.registration(**changes))
        return service.register(session, document, now=now(session), name_was_checked=checked)


def found(database: Database, agency: TestAgency) -> Agency:
    with database.transaction(None, Duty.DIRECTORY) as session:
        known = reads.agency(session, agency.id)
    assert known is not None
    return known


def refused(database: Database, agency: TestAgency, **changes: Any) -> str:
    with pytest.raises((HubError, SignatureRefusedError, DocumentRefusedError)) as refusal:
        register(database, agency, **changes)
    with database.transaction(None, Duty.DIRECTORY) as session:
        assert reads.keys(session, agency.id) == ()
    return str(refusal.value)


def test_a_registered_agency_waits_and_is_nobody_yet(database: Database) -> None:
    agency = new_agency("houterasu")
    assert register(database, agency).state is AgencyState.PENDING
    with database.transaction(None, Duty.DIRECTORY) as session:
        assert reads.party(session, agency.id) is None
        assert reads.directory(session, after=None, limit=10) == ()


def test_what_an_agency_says_of_itself_is_kept_as_written(database: Database) -> None:
    agency = new_agency("jiritsu")
    name = "架空﨑神市 ㍿窓口"  # NFC and NFKC would both change it
    kept = register(
        database,
        agency,
        name_ja=name,
        services=("家計の相談",),
        area=("架空市",),
        hours="平日 9–17",
        answer_days=2,
        capacity="limited",
        categories=frozenset({"identity"}),
        purposes=frozenset({"kakei_kaizen"}),
        coordinates=True,
    )
    assert kept.name_ja == name
    assert (kept.services, kept.area, kept.hours) == (("家計の相談",), ("架空市",), "平日 9–17")
    assert (kept.answer_days, kept.capacity, kept.coordinates) == (2, "limited", True)
    assert (kept.categories, kept.purposes) == ({"identity"}, {"kakei_kaizen"})
    assert kept.may_convene is False


def test_an_operator_and_an_officer_make_an_agency_active(database: Database) -> None:
    agency = active_agency(database, "shakyo")
    known = found(database, agency)
    assert known.state is AgencyState.ACTIVE
    assert known.last_verified is not None
    with database.transaction(None, Duty.DIRECTORY) as session:
        party = reads.party(session, agency.id)
    assert party is not None
    assert (party.agency, party.kind) == (agency.id, "shakyo")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_words_are_taken_in_either_language_however_they_are_typed(database: Database, language: Any) -> None:
    agency = pending_agency(database)
    words = "　".join(fingerprint_words(agency.root.public, language)).upper()
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.confirm(session, agency.id, operator(), words, now=now(session))


def test_the_fingerprint_is_taken_in_hexadecimal_in_any_grouping(database: Database) -> None:
    agency = pending_agency(database)
    digits = _hexadecimal(agency.root.kid)
    grouped = ":".join(digits[place : place + 4] for place in range(0, len(digits), 4)).upper()
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.confirm(session, agency.id, operator(), grouped, now=now(session))


def _hexadecimal(kid: str) -> str:
    return from_base64url(kid).hex()


@pytest.mark.parametrize("heard", ["", "あいこくしん", "00" * 32])
def test_a_wrong_fingerprint_confirms_nothing(database: Database, heard: str) -> None:
    agency = pending_agency(database)
    with (
        pytest.raises(InvalidError, match="fingerprint-wrong"),
        database.transaction(None, Duty.DIRECTORY) as session,
    ):
        service.confirm(session, agency.id, operator(), heard, now=now(session))


def test_another_agencys_words_confirm_nothing(database: Database) -> None:
    agency, other = pending_agency(database), pending_agency(database)
    with (
        pytest.raises(InvalidError, match="fingerprint-wrong"),
        database.transaction(None, Duty.DIRECTORY) as session,
    ):
        service.confirm(session, agency.id, operator(), other.words, now=now(session))


def test_an_operator_alone_activates_nobody(database: Database) -> None:
    agency = pending_agency(database)
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.confirm(session, agency.id, operator(), agency.words, now=now(session))
        service.confirm(session, agency.id, operator(), agency.words, now=now(session))
    assert found(database, agency).state is AgencyState.PENDING


def test_an_officer_alone_activates_nobody(database: Database) -> None:
    agency = pending_agency(database)
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.confirm(session, agency.id, officer(), agency.words, now=now(session))
    assert found(database, agency).state is AgencyState.PENDING


def test_one_person_cannot_speak_twice(database: Database) -> None:
    agency, person = pending_agency(database), operator()
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.confirm(session, agency.id, person, agency.words, now=now(session))
    with (
        pytest.raises(ConflictError, match="already-approved"),
        database.transaction(None, Duty.DIRECTORY) as session,
    ):
        service.confirm(session, agency.id, person, agency.words, now=now(session))


def test_one_person_with_both_roles_is_still_one_person(database: Database) -> None:
    agency, person = pending_agency(database), operator()
    with database.transaction(None, Duty.DIRECTORY) as session:
        service.confirm(session, agency.id, person, agency.words, now=now(session))
    with (
        pytest.raises(ConflictError, match="already-approved"),
        database.transaction(None, Duty.DIRECTORY) as session,
    ):
        service.confirm(session, agency.id, replace(person, role="officer"), agency.words, now=now(session))


def test_a_word_given_long_ago_does_not_count_any_more(database: Database) -> None:
    agency = pending_agency(database)
    with database.transaction(None, Duty.DIRECTORY) as session:
        at = now(session)
        service.confirm(session, agency.id, operator(), agency.words, now=at)
        service.confirm(session, agency.id, officer(), agency.words, now=at + APPROVAL_LASTS + timedelta(seconds=1))
    assert found(database, agency).state is AgencyState.PENDING


def test_an_active_agency_is_not_confirmed_again(database: Database) -> None:
    agency = active_agency(database)
    with (
        pytest.raises(ConflictError, match="agency-not-pending"),
        database.transaction(None, Duty.DIRECTORY) as session,
    ):
        service.confirm(session, agency.id, operator(), agency.words, now=now(session))


def test_the_same_id_is_not_registered_twice(database: Database) -> None:
    agency = pending_agency(database)
    with pytest.raises(ConflictError, match="agency-exists"):
        register(database, agency, checked=True)


@pytest.mark.parametrize(
    ("known", "new"),
    [
        ("ABC福祉", "ＡＢＣ福祉"),  # full-width letters
        ("Pace福祉", "Расе福祉"),  # Cyrillic letters
        ("架空カフェ", "架空力フェ"),  # 力 (power) for カ (ka)
        ("架空 福祉", "架空　福祉"),
        ("架空センター", "架空センタ一"),  # 一 (one) for ー
    ],
)  # fmt: skip
def test_a_name_that_reads_like_anothers_needs_an_operators_word(database: Database, known: str, new: str) -> None:
    register(database, new_agency(), name_ja=known)
    agency = new_agency()
    assert refused(database, agency, name_ja=new) == "confusable-name"
    assert register(database, agency, name_ja=new, checked=True).name_ja == new


def test_an_english_name_is_looked_at_as_well(database: Database) -> None:
    register(database, new_agency(), name_en="Kakuu Welfare")
    assert refused(database, new_agency(), name_en="Kаkuu Welfаre") == "confusable-name"  # Cyrillic а


@pytest.mark.parametrize("name", [" ", "架空\u200b福祉", "架空\n福祉", "\u202e架空"])
def test_a_name_that_hides_something_is_refused(database: Database, name: str) -> None:
    assert refused(database, new_agency(), name_ja=name) == "bad-name at /name_ja"


def test_only_a_counselling_agency_coordinates(database: Database) -> None:
    found_wrong = refused(database, new_agency("shakyo"), coordinates=True)
    assert found_wrong == "coordinates-not-allowed at /coordinates"


def test_an_unknown_kind_is_refused(database: Database) -> None:
    assert refused(database, replace(new_agency(), kind="bank")) == "unknown-code at /kind"


def test_an_agency_needs_sig_enc_and_client_keys(database: Database) -> None:
    agency = new_agency()
    sig, enc, _ = agency.first_entries()
    witness = generate(KeyUse.WITNESS)
    entry = new_entry(witness.public, agency=agency.id, not_before=ALWAYS[0], not_after=ALWAYS[1])
    third = sign_entry(entry, by_self=witness, by_root=agency.root)
    assert refused(database, agency, entries=(sig, enc, third)) == "keys-missing at /entries"


def test_a_first_key_without_the_roots_signature_is_refused(database: Database) -> None:
    agency = new_agency()
    sig, enc, client = agency.first_entries()
    without = replace(sig, by_root=None)
    assert refused(database, agency, entries=(without, enc, client)).startswith("key-not-valid")


def test_a_root_other_than_the_registered_one_vouches_for_nothing(database: Database) -> None:
    agency, other = new_agency(), generate(KeyUse.ROOT)
    assert refused(database, agency, root=other.public.jwk()).startswith("key-not-valid")


def test_an_enc_key_that_no_sig_key_signed_is_refused(database: Database) -> None:
    agency = new_agency()
    sig, _, client = agency.first_entries()
    entry = new_entry(agency.enc.public, agency=agency.id, not_before=ALWAYS[0], not_after=ALWAYS[1])
    by_root = sign_entry(entry, by_root=agency.root)
    assert refused(database, agency, entries=(sig, by_root, client)) == "key-not-valid at /by_previous"
    by_stranger = sign_entry(entry, by_previous=generate(KeyUse.SIG))
    assert refused(database, agency, entries=(sig, by_stranger, client)).startswith("key-not-valid")


def test_keys_of_another_agency_are_refused(database: Database) -> None:
    agency = new_agency()
    other = replace(agency, id=new_uuid())
    assert refused(database, agency, entries=other.first_entries()) == "key-not-valid at /agency"


def test_requests_of_agencies_cannot_write_the_directory(database: Database) -> None:
    agency = new_agency()
    with pytest.raises(ProgrammingError, match="row-level security"), database.transaction(agency.id) as session:
        service.register(session, write_registration(agency.registration()), now=now(session))


def test_a_transaction_of_nobody_sees_no_agency(database: Database) -> None:
    agency = active_agency(database)
    with database.transaction(None) as session:
        assert reads.agency(session, agency.id) is None
        assert reads.keys(session, agency.id) == ()
