# SPDX-License-Identifier: Apache-2.0
"""Key entries: who vouches, what a chain is, and how a root key is said aloud (protocol §3)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent import signing, wire
from consent.errors import DocumentRefusedError, SealRefusedError, SignatureRefusedError, TsunagiError
from consent.jwk import PublicKey
from consent.keys import (
    KeyEntry,
    KeyUse,
    PrivateKey,
    SignedEntry,
    Suite,
    check_chain,
    entry_hash,
    fingerprint_words,
    generate,
    new_entry,
    peek_entry,
    read_entry,
    revoke,
    same_words,
    sign_entry,
)
from consent.signing import Typ
from tests.consent.messages import NOW, OTHER, SENDER, numbered

ROOT = generate(KeyUse.ROOT)
SIG, SIG2 = generate(KeyUse.SIG), generate(KeyUse.SIG)
ENC = generate(KeyUse.ENC)
CLIENT = generate(KeyUse.CLIENT)
YEAR = timedelta(days=365)


def entry(key: PrivateKey = SIG, after: KeyEntry | None = None, **changes: Any) -> KeyEntry:
    made = new_entry(key.public, agency=SENDER, not_before=NOW, not_after=NOW + YEAR, after=after)
    return replace(made, **changes)


FIRST = entry()
SECOND = entry(SIG2, FIRST)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(TsunagiError) as refused:
        act()
    return refused.value.code


def forged(made: KeyEntry, **signers: PrivateKey) -> SignedEntry:
    return sign_entry(made, **signers)


def test_the_first_entry_is_vouched_by_the_root_and_proves_possession() -> None:
    signed = sign_entry(FIRST, by_self=SIG, by_root=ROOT)
    assert read_entry(signed, root=ROOT.public) == FIRST
    assert peek_entry(signed) == FIRST


def test_the_next_entry_is_vouched_by_the_key_before() -> None:
    signed = sign_entry(SECOND, by_self=SIG2, by_previous=SIG)
    assert read_entry(signed, previous=SIG.public) == SECOND


def test_an_enc_key_cannot_sign_so_the_current_sig_key_vouches_alone() -> None:
    made = entry(ENC)
    assert made.suite is Suite.A
    assert read_entry(sign_entry(made, by_previous=SIG), previous=SIG.public).key() == ENC.public


def test_a_client_key_proves_possession_with_its_own_algorithm() -> None:
    made = entry(CLIENT)
    assert read_entry(sign_entry(made, by_self=CLIENT, by_root=ROOT), root=ROOT.public) == made


def test_without_proof_of_possession_a_new_key_is_not_valid() -> None:
    signed = sign_entry(SECOND, by_previous=SIG)
    assert refusal(lambda: read_entry(signed, previous=SIG.public)) == "key-not-valid"


def test_a_revocation_needs_no_proof_of_possession() -> None:
    gone = revoke(FIRST, after=SECOND, at=NOW + timedelta(days=3))
    signed = sign_entry(gone, by_root=ROOT)
    assert refusal(lambda: read_entry(signed, root=ROOT.public)) == "key-not-valid"
    assert read_entry(signed, root=ROOT.public, removal=True) == gone
    check_chain([FIRST, SECOND, gone])
    assert not gone.is_valid_at(NOW + timedelta(days=3))


def test_a_key_cannot_be_revoked_before_it_began() -> None:
    gone = revoke(FIRST, after=FIRST, at=NOW - YEAR)
    assert gone.not_after == gone.not_before
    assert not gone.is_valid_at(NOW)
    check_chain([FIRST, gone])


def test_an_entry_that_nobody_vouches_for_is_not_valid() -> None:
    assert refusal(lambda: read_entry(sign_entry(FIRST, by_self=SIG), root=ROOT.public)) == "key-not-valid"
    assert refusal(lambda: read_entry(SignedEntry(), root=ROOT.public)) == "key-not-valid"
    assert refusal(lambda: peek_entry(SignedEntry())) == "malformed"


def test_a_voucher_whose_key_is_not_trusted_is_refused() -> None:
    signed = sign_entry(SECOND, by_self=SIG2, by_previous=SIG, by_root=ROOT)
    assert refusal(lambda: read_entry(signed, previous=SIG.public)) == "key-not-valid"
    assert refusal(lambda: read_entry(signed, previous=SIG2.public, root=ROOT.public)) == "key-not-valid"
    assert read_entry(signed, previous=SIG.public, root=ROOT.public) == SECOND


def test_signatures_over_different_entries_are_refused() -> None:
    one, two = sign_entry(FIRST, by_self=SIG), sign_entry(replace(FIRST, agency=OTHER), by_root=ROOT)
    mixed = SignedEntry(by_self=one.by_self, by_root=two.by_root)
    assert refusal(lambda: read_entry(mixed, root=ROOT.public)) == "malformed"


def test_a_key_signs_only_its_own_entry_as_itself() -> None:
    assert refusal(lambda: sign_entry(FIRST, by_self=SIG2)) == "key-not-valid"


def test_proof_of_possession_by_another_key_is_refused() -> None:
    token = sign_entry(SECOND, by_previous=SIG).by_previous
    signed = SignedEntry(by_self=token, by_previous=token)
    assert refusal(lambda: read_entry(signed, previous=SIG.public)) == "key-not-valid"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"suite": Suite.A}, "wrong-type"),
        ({"seq": 0}, "wrong-type"),
        ({"seq": 2}, "wrong-type"),
        ({"prev": "0" * 64}, "wrong-type"),
        ({"use": KeyUse.ROOT}, "wrong-type"),
        ({"use": KeyUse.CLIENT}, "key-not-valid"),
        ({"kid": SIG2.kid}, "key-not-valid"),
        ({"jwk": SIG2.public.jwk()}, "key-not-valid"),
        ({"jwk": {**SIG.public.jwk(), "d": "x"}}, "key-not-valid"),
        ({"jwk": {name: SIG.public.jwk()[name] for name in ("kty", "crv", "x")}}, "key-not-valid"),
        ({"agency": "not an id"}, "wrong-type"),
    ],
    ids=range(11),
)
def test_an_entry_that_does_not_fit_together_is_refused(changes: dict[str, Any], expected: str) -> None:
    signed = forged(replace(FIRST, **changes), by_root=ROOT)
    assert refusal(lambda: read_entry(signed, root=ROOT.public, removal=True)) == expected


def test_an_enc_entry_names_a_suite_and_b_is_not_supported_yet() -> None:
    none, b = (forged(entry(ENC, suite=suite), by_previous=SIG) for suite in (None, Suite.B))
    assert refusal(lambda: read_entry(none, previous=SIG.public)) == "wrong-type"
    with pytest.raises(SealRefusedError, match="suite-not-supported at /suite"):
        read_entry(b, previous=SIG.public)


def test_an_entry_in_another_spelling_is_refused() -> None:
    payload = wire.compact(FIRST).replace(b'"v":1', b'"v": 1')
    token = signing.sign(payload, typ=Typ.KEY, key=ROOT)
    with pytest.raises(DocumentRefusedError, match="malformed-json"):
        read_entry(SignedEntry(by_root=token), root=ROOT.public, removal=True)


def test_a_key_is_valid_from_its_beginning_until_just_before_its_end() -> None:
    second = timedelta(seconds=1)
    assert [FIRST.is_valid_at(at) for at in (NOW - second, NOW, NOW + YEAR - second, NOW + YEAR)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert FIRST.require_valid_at(NOW) == SIG.public
    with pytest.raises(SignatureRefusedError, match="key-not-valid"):
        FIRST.require_valid_at(NOW + YEAR)


def test_a_chain_is_linked_from_its_first_entry() -> None:
    check_chain([])
    check_chain([FIRST, SECOND, entry(generate(KeyUse.SIG), SECOND)])
    assert SECOND.prev == entry_hash(FIRST)


@pytest.mark.parametrize(
    "chain",
    numbered(
        [SECOND],
        [FIRST, FIRST],
        [FIRST, replace(SECOND, prev="0" * 64)],
        [FIRST, replace(SECOND, seq=3)],
        [FIRST, replace(SECOND, agency=OTHER)],
        [FIRST, entry(CLIENT, FIRST)],
        [FIRST, replace(SECOND, not_after=NOW - YEAR)],
        [replace(FIRST, not_after=NOW + YEAR * 2), SECOND],
        [entry(ENC), entry(ENC, entry(ENC), suite=Suite.B)],
    ),
)
def test_a_broken_chain_is_not_valid(chain: list[KeyEntry]) -> None:
    with pytest.raises(SignatureRefusedError, match=f"key-not-valid at /{len(chain) - 1}"):
        check_chain(chain)


def test_a_root_is_said_in_twelve_words_in_either_language() -> None:
    # BIP 39 of the first 16 bytes of the thumbprint in RFC 8037, appendix A.3
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    root = PublicKey.from_jwk(jwk, KeyUse.ROOT)
    english = "movie stone sausage fat best rebuild genuine limit ignore above future easily"
    japanese = (
        "だんな　ふみん　ばいか　こふん　うせつ　にりんしゃ　しあい　そもそも　すはだ　あかちゃん　さめる　けとる"
    )
    assert " ".join(fingerprint_words(root, "en")) == english
    assert "　".join(fingerprint_words(root, "ja")) == japanese


def test_the_words_heard_are_compared_in_either_language_and_spelling() -> None:
    english, japanese = fingerprint_words(ROOT.public, "en"), fingerprint_words(ROOT.public, "ja")
    assert same_words(ROOT.public, "  ".join(english).upper())
    assert same_words(ROOT.public, "　".join(japanese))
    assert not same_words(ROOT.public, " ".join(english[:-1]))
    assert not same_words(ROOT.public, " ".join((*english[:-1], japanese[-1])))
    assert not same_words(generate(KeyUse.ROOT).public, " ".join(english))
    assert not same_words(ROOT.public, "")


@settings(max_examples=60, deadline=None)
@given(at=st.integers(0, 400), letter=st.characters())
def test_one_changed_letter_of_a_signed_entry_is_refused(at: int, letter: str) -> None:
    signed = sign_entry(FIRST, by_self=SIG, by_root=ROOT)
    token = signed.by_root or ""
    changed = token[:at] + letter + token[at + 1 :]
    if changed != token:
        with pytest.raises(TsunagiError):
            read_entry(replace(signed, by_root=changed), root=ROOT.public)
