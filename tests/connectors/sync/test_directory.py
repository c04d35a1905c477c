# SPDX-License-Identifier: Apache-2.0
"""A key is taken only when it is vouched for up to a root seen before, and when the log holds its entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.casebook import directory
from connectors.sdk.answers import AgencyKeys, PublishedKey
from connectors.sync.connector import Connector
from connectors.sync.directory import Suspect, verify_keys
from connectors.testing.memory import Member
from connectors.testing.statements import Statements
from consent import keys
from consent.errors import SignatureRefusedError, TsunagiError
from consent.keys import KeyUse
from tests.connectors.story import NOW, PASSPHRASE, Network, refused


def known(connector: Connector, agency: str) -> directory.KnownAgency:
    with connector.casebook.transaction() as connection:
        return directory.agency(connection, agency)


def published(connector: Connector, agency: str) -> AgencyKeys:
    return connector.hub.agency_keys(agency)


def member(network: Network, connector: Connector) -> Member:
    return network.hub.members[connector.agency]


# ── what is as it should be ──


def test_everybody_is_known_after_one_round_with_verified_keys(j1: Connector, s1: Connector) -> None:
    seen = known(j1, s1.agency)
    assert (seen.kind, seen.state) == ("shakyo", "active")
    assert {key.use for key in seen.keys} == {"sig", "enc", "client"}
    assert {key.kid for key in seen.keys} == {held.private.kid for held in s1.keystore.held}


def test_a_second_round_asks_for_nothing_that_is_known(
    j1: Connector, s1: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(Statements, "agency_keys")
    assert j1.fetch_directory().changed == 0


def test_a_key_that_has_not_begun_is_learnt_by_whoever_comes_by_and_used_from_its_beginning(
    j1: Connector, s1: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.clock.on(hours=1)
    signed = s1.keystore.rotate(KeyUse.ENC, now=network.clock(), passphrase=PASSPHRASE)
    s1.hub.publish_key(signed)
    entry = keys.peek_entry(signed)
    assert network.clock() < entry.not_before
    assert entry.kid not in {key.kid for key in s1.hub.agency(s1.agency).keys}
    assert j1.fetch_directory().changed == 1
    with monkeypatch.context() as offline:
        offline.delattr(Statements, "agency_keys")
        assert j1.fetch_directory().changed == 0
        with j1.casebook.transaction() as connection:
            assert directory.sealing_key(connection, s1.agency, now=network.clock()).kid != entry.kid
            assert directory.sealing_key(connection, s1.agency, now=entry.not_before).kid == entry.kid


def test_a_rotated_key_is_learnt_and_the_old_one_goes_on_for_its_time(
    j1: Connector, s1: Connector, network: Network
) -> None:
    signed = s1.keystore.rotate(KeyUse.ENC, now=NOW, passphrase=PASSPHRASE)
    s1.hub.publish_key(signed)
    assert j1.fetch_directory().changed == 1
    network.clock.on(days=2)
    with j1.casebook.transaction() as connection:
        newest = directory.sealing_key(connection, s1.agency, now=network.clock())
    assert newest.kid == s1.own_key().kid == keys.peek_entry(signed).kid


def test_a_rotated_signing_key_vouches_from_the_key_before_it(j1: Connector, s1: Connector, network: Network) -> None:
    s1.hub.publish_key(s1.keystore.rotate(KeyUse.SIG, now=NOW, passphrase=PASSPHRASE))
    network.clock.on(days=2)
    j1.fetch_directory()
    newest = s1.keystore.current(KeyUse.SIG, network.clock())
    with j1.casebook.transaction() as connection:
        assert directory.signing_key(connection, s1.agency, newest.kid, at=network.clock()) == newest.public


def test_an_end_that_the_hub_sets_is_believed_without_proof(j1: Connector, s1: Connector, network: Network) -> None:
    at = NOW + timedelta(hours=1)
    theirs = member(network, s1)
    theirs.keys = [replace(key, ends_at=at) if key.use == "enc" else key for key in theirs.keys]
    current = tuple(replace(key, ends_at=at) if key.use == "enc" else key for key in theirs.agency.keys)
    theirs.agency = replace(theirs.agency, keys=current)
    assert j1.fetch_directory().changed == 1
    with j1.casebook.transaction() as connection:
        directory.sealing_key(connection, s1.agency, now=NOW)
        with refused("recipient-without-key"):
            directory.sealing_key(connection, s1.agency, now=at)


def test_a_new_name_is_learnt(j1: Connector, s1: Connector, network: Network) -> None:
    theirs = member(network, s1)
    theirs.agency = replace(theirs.agency, name={"ja": "架空の社協", "en": "Council"})
    j1.fetch_directory()
    assert known(j1, s1.agency).name_ja == "架空の社協"


# ── what is not ──


def test_another_root_than_the_one_first_seen_is_an_alarm_and_changes_nothing(
    j1: Connector, s1: Connector, network: Network
) -> None:
    before = known(j1, s1.agency)
    theirs, impostor = member(network, s1), member(network, network.join("shakyo"))
    theirs.agency = replace(theirs.agency, state="suspended")
    # the impostor's root does not vouch for the keys that are there
    theirs.root = impostor.root
    assert Suspect(agency=s1.agency, code="key-entry-bad") in j1.fetch_directory().suspects
    theirs.keys = []
    assert Suspect(agency=s1.agency, code="root-changed") in j1.fetch_directory().suspects
    assert known(j1, s1.agency) == before


def test_the_others_are_still_fetched_when_one_is_not_to_be_believed(
    j1: Connector, s1: Connector, network: Network
) -> None:
    theirs = member(network, s1)
    theirs.root, theirs.agency = keys.generate(KeyUse.ROOT).public.jwk(), replace(theirs.agency, state="suspended")
    third = network.join("houterasu")
    fetched = j1.fetch_directory()
    assert [one.agency for one in fetched.suspects] == [s1.agency]
    assert known(j1, third.agency)


def test_a_key_under_our_own_name_that_we_never_made_is_an_alarm(j1: Connector, s1: Connector) -> None:
    foreign = replace_held(j1)
    fetched = foreign.fetch_directory()
    assert fetched.suspects == (Suspect(agency=j1.agency, code="own-keys-foreign"),)


def replace_held(connector: Connector) -> Connector:
    """Be the same agency with one key less, as if the directory had one more, and with an empty memory of it."""
    connector.keystore.held = connector.keystore.held[:-1]
    with connector.casebook.transaction() as connection:
        connection.exec_driver_sql("delete from agencies")
    return connector


def test_a_key_that_another_process_of_ours_published_is_no_alarm(j1: Connector, s1: Connector) -> None:
    earlier = j1.keystore.held
    j1.rotate_key(KeyUse.ENC, PASSPHRASE)
    j1.keystore.held = earlier
    assert j1.fetch_directory().suspects == ()


def test_a_key_whose_entry_is_not_in_the_log_yet_waits_for_the_next_round(
    j1: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = network.join("shakyo")
    with monkeypatch.context() as behind:
        behind.setattr(Statements, "_proof", lambda *_: None)
        j1.fetch_directory()
        assert known(j1, late.agency).keys == ()
    j1.fetch_directory()
    assert len(known(j1, late.agency).keys) == 3


def test_a_key_with_the_log_entry_of_another_is_not_taken(
    j1: Connector, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = network.join("shakyo")
    theirs = member(network, late)
    first = theirs.keys[0].log_entry
    theirs.keys = [replace(key, log_entry=first) for key in theirs.keys]
    assert Suspect(agency=late.agency, code="proof-bad") in j1.fetch_directory().suspects


# ── the chain ──


def _entry(key: keys.PrivateKey, agency: str, *, root: keys.PrivateKey | None) -> keys.SignedEntry:
    entry = keys.new_entry(key.public, agency=agency, not_before=NOW, not_after=NOW + timedelta(days=1))
    return keys.sign_entry(entry, by_self=key, by_root=root or keys.generate(KeyUse.ROOT))


def shown(signed: keys.SignedEntry, **changes: object) -> PublishedKey:
    entry = keys.peek_entry(signed)
    made = PublishedKey(
        use=entry.use.value,
        suite=entry.suite,
        kid=entry.kid,
        seq=entry.seq,
        removal=False,
        signed=signed,
        published_at=NOW,
        ends_at=entry.not_after,
        log_entry="x",
    )
    return replace(made, **changes)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda all_: replace(all_, keys=all_.keys[1:]), id="enc without the sig key that vouches"),
        pytest.param(
            lambda all_: replace(all_, keys=(replace(all_.keys[0], kid=all_.keys[1].kid), *all_.keys[1:])),
            id="another kid than the entry's",
        ),
        pytest.param(
            lambda all_: replace(all_, keys=tuple(replace(key, published_at=NOW - timedelta(1)) for key in all_.keys)),
            id="vouched for before the voucher began",
        ),
        pytest.param(
            lambda all_: replace(all_, keys=(replace(all_.keys[0], ends_at=NOW), *all_.keys[1:])),
            id="vouched for by a key that had ended",
        ),
        pytest.param(lambda all_: replace(all_, root=keys.generate(KeyUse.ROOT).public.jwk()), id="another root"),
    ],
)
def test_a_chain_that_does_not_hold_is_refused(j1: Connector, s1: Connector, spoil) -> None:
    right = published(j1, s1.agency)
    assert len(verify_keys(right, agency=s1.agency)) == 3
    with pytest.raises(TsunagiError):
        verify_keys(spoil(right), agency=s1.agency)


def test_entries_of_another_agency_are_refused(j1: Connector, s1: Connector) -> None:
    with pytest.raises(SignatureRefusedError):
        verify_keys(published(j1, s1.agency), agency=j1.agency)


def test_a_removal_by_the_root_ends_the_key_and_what_it_vouches_for_afterwards() -> None:
    root, sig, enc = keys.generate(KeyUse.ROOT), keys.generate(KeyUse.SIG), keys.generate(KeyUse.ENC)
    agency = "01890000-0000-7000-8000-000000000001"
    first = _entry(sig, agency, root=root)
    entry = keys.peek_entry(first)
    stolen_at = NOW + timedelta(hours=1)
    removal = keys.sign_entry(keys.revoke(entry, after=entry, at=stolen_at), by_root=root)
    later = keys.new_entry(enc.public, agency=agency, not_before=NOW, not_after=NOW + timedelta(days=1))
    by_thief = keys.sign_entry(later, by_previous=sig)
    both = (shown(first), shown(removal, removal=True, published_at=stolen_at))
    (ended,) = verify_keys(AgencyKeys(agency=agency, root=root.public.jwk(), keys=both), agency=agency)
    assert ended.is_valid_at(stolen_at - timedelta(seconds=1))
    assert not ended.is_valid_at(stolen_at)
    with pytest.raises(SignatureRefusedError):
        verify_keys(
            AgencyKeys(agency=agency, root=root.public.jwk(), keys=(*both, shown(by_thief, published_at=stolen_at))),
            agency=agency,
        )
