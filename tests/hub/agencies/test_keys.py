# SPDX-License-Identifier: Apache-2.0
"""An agency's key chains after the first keys: rotation, early ends, and all that does not follow (protocol §3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from consent.errors import SignatureRefusedError, TsunagiError
from consent.jwk import KeyUse, PrivateKey, generate
from consent.keys import KeyEntry, SignedEntry, new_entry, peek_entry, revoke, sign_entry
from hub.agencies import reads, service
from hub.agencies.reads import PublishedKey
from hub.agencies.shapes import agency_shape
from hub.base.db import Database, Duty, now
from hub.base.errors import ConflictError, NotFoundError
from tests.hub.builders import TestAgency, active_agency, new_uuid, officer, operator

YEAR = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Book:
    """One active agency and the moment at which its story goes on."""

    database: Database
    agency: TestAgency
    at: datetime

    def last(self, use: KeyUse) -> KeyEntry:
        with self.database.transaction(self.agency.id) as session:
            chain = [key for key in reads.keys(session, self.agency.id) if key.use == use.value]
        return peek_entry(chain[-1].signed)

    def next_entry(self, key: PrivateKey, **changes: object) -> KeyEntry:
        members = {"agency": self.agency.id, "not_before": self.at, "not_after": self.at + YEAR}
        return new_entry(key.public, after=self.last(key.use), **(members | changes))  # type: ignore[arg-type]

    def publish(self, signed: SignedEntry) -> PublishedKey:
        with self.database.transaction(self.agency.id) as session:
            return service.publish_key(session, self.agency.id, signed, now=now(session))

    def refuses(self, signed: SignedEntry) -> str:
        before = self._snapshot()
        with pytest.raises((TsunagiError, ConflictError)) as refusal:
            self.publish(signed)
        assert self._snapshot() == before
        return str(refusal.value)

    def _snapshot(self) -> tuple[PublishedKey, ...]:
        with self.database.transaction(self.agency.id) as session:
            return reads.keys(session, self.agency.id)


@pytest.fixture
def book(database: Database) -> Book:
    agency = active_agency(database)
    with database.transaction(agency.id) as session:
        return Book(database=database, agency=agency, at=now(session))


def test_a_sig_key_is_rotated_by_the_one_before_and_both_are_good(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    published = book.publish(sign_entry(book.next_entry(newer), by_self=newer, by_previous=book.agency.sig))
    assert (published.seq, published.kid, published.removal) == (2, newer.kid, False)
    with book.database.transaction(book.agency.id) as session:
        for key in (newer, book.agency.sig):
            assert reads.sig_key(session, book.agency.id, key.kid, now(session)) == key.public


def test_an_enc_key_is_rotated_by_the_sig_key_and_becomes_the_one_to_seal_to(book: Book) -> None:
    newer = generate(KeyUse.ENC)
    book.publish(sign_entry(book.next_entry(newer), by_previous=book.agency.sig))
    with book.database.transaction(book.agency.id) as session:
        at = now(session)
        assert reads.current_enc_kid(session, book.agency.id, at) == newer.kid
        assert reads.current_enc_kid(session, book.agency.id, book.at - YEAR) == book.agency.enc.kid
        assert reads.current_enc_kid(session, new_uuid(), at) is None


def test_a_key_published_ahead_is_not_good_before_its_time(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    entry = book.next_entry(newer, not_before=book.at + timedelta(days=1))
    book.publish(sign_entry(entry, by_self=newer, by_previous=book.agency.sig))
    with book.database.transaction(book.agency.id) as session:
        with pytest.raises(SignatureRefusedError, match="key-not-valid"):
            reads.sig_key(session, book.agency.id, newer.kid, now(session))
        later = book.at + timedelta(days=1)
        assert reads.sig_key(session, book.agency.id, newer.kid, later) == newer.public
        with pytest.raises(SignatureRefusedError, match="key-not-valid"):
            reads.sig_key(session, book.agency.id, newer.kid, book.at + YEAR)


def test_the_directory_shows_a_key_published_ahead_apart_until_it_begins(book: Book) -> None:
    newer = generate(KeyUse.ENC)
    begins = book.at + timedelta(days=1)
    book.publish(sign_entry(book.next_entry(newer, not_before=begins), by_previous=book.agency.sig))
    for at, coming in ((begins - timedelta(seconds=1), True), (begins, False)):
        with book.database.transaction(book.agency.id) as session:
            lasting = reads.lasting_keys_of(session, [book.agency.id], at)[book.agency.id]
            known = reads.agency(session, book.agency.id)
        assert known is not None
        shown = agency_shape(known, lasting, at=at)
        assert (newer.kid in {key.kid for key in shown.next_keys}) is coming
        assert (newer.kid in {key.kid for key in shown.keys}) is not coming
        assert book.agency.enc.kid in {key.kid for key in shown.keys}


def test_the_root_takes_over_when_the_key_before_is_gone(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    published = book.publish(sign_entry(book.next_entry(newer), by_self=newer, by_root=book.agency.root))
    assert published.seq == 2


def test_another_agencys_or_another_uses_key_is_no_sig_key(book: Book) -> None:
    with book.database.transaction(book.agency.id) as session:
        for agency, kid in (
            (new_uuid(), book.agency.sig.kid),
            (book.agency.id, book.agency.client.kid),
            (book.agency.id, generate(KeyUse.SIG).kid),
        ):
            with pytest.raises(SignatureRefusedError, match="key-not-valid"):
                reads.sig_key(session, agency, kid, now(session))


def test_an_entry_that_skips_a_number_is_refused(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    entry = replace(book.next_entry(newer), seq=3)
    assert book.refuses(sign_entry(entry, by_self=newer, by_previous=book.agency.sig)) == "key-not-valid at /1"


def test_an_entry_that_follows_another_one_is_refused(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    entry = replace(book.next_entry(newer), prev="0" * 64)
    assert book.refuses(sign_entry(entry, by_self=newer, by_previous=book.agency.sig)) == "key-not-valid at /1"


def test_a_second_first_entry_is_refused(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    entry = new_entry(newer.public, agency=book.agency.id, not_before=book.at, not_after=book.at + YEAR)
    assert book.refuses(sign_entry(entry, by_self=newer, by_root=book.agency.root)) == "key-not-valid at /1"


def test_a_kid_that_is_not_the_keys_thumbprint_is_refused(book: Book) -> None:
    newer, other = generate(KeyUse.SIG), generate(KeyUse.SIG)
    entry = replace(book.next_entry(newer), kid=other.kid)
    by_previous = sign_entry(entry, by_previous=book.agency.sig)
    assert book.refuses(by_previous) == "key-not-valid"


def test_a_key_of_another_kind_than_its_use_is_refused(book: Book) -> None:
    newer = generate(KeyUse.CLIENT)
    entry = replace(book.next_entry(generate(KeyUse.SIG)), kid=newer.kid, jwk=newer.public.jwk())
    assert book.refuses(sign_entry(entry, by_self=newer, by_previous=book.agency.sig)) == "key-not-valid"


def test_a_key_without_proof_of_possession_is_refused(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    assert book.refuses(sign_entry(book.next_entry(newer), by_previous=book.agency.sig)) == "key-not-valid"


def test_signatures_over_different_bytes_are_refused(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    entry = book.next_entry(newer)
    longer = replace(entry, not_after=book.at + 2 * YEAR)
    mixed = replace(
        sign_entry(entry, by_self=newer), by_previous=sign_entry(longer, by_previous=book.agency.sig).by_previous
    )
    assert book.refuses(mixed) == "malformed"


def test_a_stranger_vouches_for_nothing(book: Book) -> None:
    newer, stranger = generate(KeyUse.SIG), generate(KeyUse.SIG)
    entry = book.next_entry(newer)
    assert book.refuses(sign_entry(entry, by_self=newer, by_previous=stranger)) == "key-not-valid"
    root = generate(KeyUse.ROOT)
    assert book.refuses(sign_entry(entry, by_self=newer, by_root=root)) == "key-not-valid"


def test_a_client_key_cannot_vouch_for_a_sig_key_nor_a_sig_key_for_a_client_key(book: Book) -> None:
    sig, client = generate(KeyUse.SIG), generate(KeyUse.CLIENT)
    by_client = sign_entry(book.next_entry(sig), by_self=sig, by_previous=book.agency.client)
    assert book.refuses(by_client) == "key-not-valid"
    by_sig = sign_entry(book.next_entry(client), by_self=client, by_previous=book.agency.sig)
    assert book.refuses(by_sig) == "key-not-valid"


def test_an_enc_entry_that_only_the_root_signed_is_refused(book: Book) -> None:
    newer = generate(KeyUse.ENC)
    signed = sign_entry(book.next_entry(newer), by_root=book.agency.root)
    assert book.refuses(signed) == "key-not-valid at /by_previous"


def test_an_ended_key_vouches_for_nothing(book: Book) -> None:
    second, third = generate(KeyUse.SIG), generate(KeyUse.SIG)
    book.publish(sign_entry(book.next_entry(second), by_self=second, by_previous=book.agency.sig))
    last = book.last(KeyUse.SIG)
    end = revoke(last, after=last, at=book.at)
    book.publish(sign_entry(end, by_previous=book.agency.sig))
    assert book.refuses(sign_entry(book.next_entry(third), by_self=third, by_previous=second)) == "key-not-valid"


def test_a_key_that_is_over_already_is_refused(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    entry = book.next_entry(newer, not_before=book.at - 2 * YEAR, not_after=book.at - YEAR)
    signed = sign_entry(entry, by_self=newer, by_previous=book.agency.sig)
    assert book.refuses(signed) == "key-not-valid at /not_after"


def test_an_entry_for_another_agency_is_refused(book: Book) -> None:
    newer = generate(KeyUse.SIG)
    entry = book.next_entry(newer, agency=new_uuid())
    signed = sign_entry(entry, by_self=newer, by_previous=book.agency.sig)
    assert book.refuses(signed) == "key-not-valid at /agency"


def test_one_key_has_one_use(book: Book) -> None:
    witness = PrivateKey.of(KeyUse.WITNESS, book.agency.sig.native)
    entry = new_entry(witness.public, agency=book.agency.id, not_before=book.at, not_after=book.at + YEAR)
    assert book.refuses(sign_entry(entry, by_self=witness, by_root=book.agency.root)) == "key-exists"


@pytest.mark.parametrize("by", ["sig", "root"])
@pytest.mark.parametrize("use", [KeyUse.SIG, KeyUse.ENC, KeyUse.CLIENT])
def test_a_sig_key_or_the_root_ends_any_key_at_once(book: Book, use: KeyUse, by: str) -> None:
    last = book.last(use)
    end = revoke(last, after=last, at=book.at)
    signed = sign_entry(end, by_previous=book.agency.sig) if by == "sig" else sign_entry(end, by_root=book.agency.root)
    assert book.publish(signed).removal
    with book.database.transaction(book.agency.id) as session:
        live = reads.live_keys(session, book.agency.id, now(session))
        ended = [key for key in reads.keys(session, book.agency.id) if key.kid == last.kid and not key.removal]
    assert use.value not in {key.use for key in live}
    assert [(key.ends_at, key.ended_by) for key in ended] == [(book.at, by)]


def test_what_a_key_signed_before_its_end_stays_good(book: Book) -> None:
    last = book.last(KeyUse.SIG)
    end = revoke(last, after=last, at=book.at)
    book.publish(sign_entry(end, by_root=book.agency.root))
    with book.database.transaction(book.agency.id) as session:
        before = book.at - timedelta(seconds=1)
        assert reads.sig_key(session, book.agency.id, last.kid, before) == book.agency.sig.public
        with pytest.raises(SignatureRefusedError, match="key-not-valid"):
            reads.sig_key(session, book.agency.id, last.kid, book.at)


def test_an_ended_key_is_not_brought_back_by_a_later_end(book: Book) -> None:
    first = book.last(KeyUse.CLIENT)
    end = revoke(first, after=first, at=book.at)
    book.publish(sign_entry(end, by_previous=book.agency.sig))
    back = replace(revoke(first, after=end, at=book.at), not_after=book.at + YEAR)
    assert book.refuses(sign_entry(back, by_previous=book.agency.sig)) == "key-not-valid at /not_after"
    again = sign_entry(back, by_self=book.agency.client, by_root=book.agency.root)
    assert book.refuses(again) == "key-not-valid at /not_after"


def test_a_client_key_ends_nothing(book: Book) -> None:
    last = book.last(KeyUse.SIG)
    end = revoke(last, after=last, at=book.at)
    assert book.refuses(sign_entry(end, by_previous=book.agency.client)) == "key-not-valid"


def test_operator_and_officer_end_a_key_together(book: Book) -> None:
    kid = book.agency.sig.kid
    with book.database.transaction(None, Duty.DIRECTORY) as session:
        service.revoke_key(session, book.agency.id, kid, operator(), now=now(session))
        assert reads.sig_key(session, book.agency.id, kid, now(session)) == book.agency.sig.public
    with book.database.transaction(None, Duty.DIRECTORY) as session:
        service.revoke_key(session, book.agency.id, kid, officer(), now=now(session))
        with pytest.raises(SignatureRefusedError, match="key-not-valid"):
            reads.sig_key(session, book.agency.id, kid, now(session))


def test_they_cannot_end_a_key_that_is_not_there(book: Book) -> None:
    kid = generate(KeyUse.SIG).kid
    with pytest.raises(NotFoundError), book.database.transaction(None, Duty.DIRECTORY) as session:
        service.revoke_key(session, book.agency.id, kid, operator(), now=now(session))


def test_every_change_of_a_key_is_an_entry_of_the_log(book: Book, sequencer_database: Database) -> None:
    newer = generate(KeyUse.SIG)
    published = book.publish(sign_entry(book.next_entry(newer), by_self=newer, by_previous=book.agency.sig))
    first = book.last(KeyUse.CLIENT)
    book.publish(sign_entry(revoke(first, after=first, at=book.at), by_previous=newer))
    with sequencer_database.transaction(None) as session:
        rows = session.execute(sa.text("select id, kind from audit_pending order by arrival")).all()
    kinds = [row.kind for row in rows]
    assert kinds[0] == "agency:registered"
    assert kinds.count("key:published") == 3
    assert kinds.count("agency:confirmed") == 2
    assert kinds[-2:] == ["key:rotated", "key:revoked"]
    assert str(rows[-2].id) == published.log_entry


def test_another_agencys_request_cannot_write_ones_keys(book: Book) -> None:
    newer, other = generate(KeyUse.SIG), active_agency(book.database, "houterasu")
    signed = sign_entry(book.next_entry(newer), by_self=newer, by_previous=book.agency.sig)
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        book.database.transaction(other.id) as session,
    ):
        service.publish_key(session, book.agency.id, signed, now=now(session))
