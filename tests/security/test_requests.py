# SPDX-License-Identifier: Apache-2.0
"""Bad requests to real endpoints of the whole hub (HTT rows): refused by name, and nothing changed.

What belongs to every request alike has its tests beside `hub/web`.
"""

import pytest

from tests.hub.builders import ISSUER, proof
from tests.security.stage import Stage

BODIES = {
    "HTT-01 nothing": (b"", 400, "malformed-json"),
    "HTT-01 null": (b"null", 400, "malformed-json"),
    "HTT-01 list": (b"[]", 400, "malformed-json"),
    "HTT-01 no JSON": (b"manifest=x", 400, "malformed-json"),
    "HTT-03": (b'{"manifest":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "malformed-json"),
    "HTT-05 NaN": (b'{"manifest":NaN,"parts":[]}', 400, "malformed-json"),
    "HTT-05 1e999": (b'{"manifest":1e999,"parts":[]}', 400, "malformed-json"),
    "HTT-06": (b'{"manifest":"\\ud800","parts":[]}', 422, "bad-text"),
    "HTT-08": (b'{"manifest":"x","parts":[],"admin":true}', 422, "unknown-member"),
    "HTT-10": (b'{"manifest":1,"parts":[]}', 422, "wrong-type"),
}


def posted(wall: Stage, raw: bytes, content_type: str = "application/json", **more: str):
    by = wall.by(wall.story.j1)
    sent = {"Content-Type": content_type, **more}
    token = by.token()
    head = {
        "Authorization": f"DPoP {token}",
        "DPoP": proof(by.dpop_key, "POST", "/v1/referrals", at=by.clock(), token=token),
        "Idempotency-Key": "one",
    }
    with wall.app.test_client() as client:
        return client.post("/v1/referrals", base_url=ISSUER, data=raw, headers={**head, **sent})


@pytest.mark.parametrize(("raw", "status", "code"), BODIES.values(), ids=list(BODIES))
def test_a_bad_body_changes_nothing(wall: Stage, raw, status, code) -> None:
    before = wall.facts()
    answer = posted(wall, raw)
    assert wall.refused(answer, status, code)
    assert b"admin" not in answer.data
    assert wall.facts() == before


@pytest.mark.parametrize("content_type", ["text/plain", "", "application/json; charset=shift_jis"])
def test_htt_11_another_media_type_is_not_read(wall: Stage, content_type) -> None:
    before = wall.facts()
    assert wall.refused(posted(wall, b'{"manifest":"x","parts":[]}', content_type), 415, "unsupported-media-type")
    assert wall.facts() == before


@pytest.mark.parametrize(
    "path",
    ["/v1/referrals/%2e%2e/admin", "//v1/referrals", "/v1/referrals;x=1", "/v1/referrals.", "/v1/referrals/"],
)
def test_htt_16_tricks_with_the_path_of_a_real_endpoint_find_nothing(wall: Stage, path) -> None:
    with wall.app.test_client() as client:
        answer = client.get(path, base_url=ISSUER)
    assert wall.refused(answer, 404, "not-found")


def test_htt_18_a_key_used_for_another_referral_is_a_mismatch_and_the_first_stays(stage: Stage) -> None:
    stage.story.consent()
    first, other = stage.story.seal("identity"), stage.story.seal("identity")
    by = stage.by(stage.story.j1)

    def send(sealed):
        return by.post("/v1/referrals", {"manifest": sealed.manifest, "parts": list(sealed.parts)}, key="one")

    made = send(first)
    before = stage.facts()
    assert stage.refused(send(other), 409, "idempotency-mismatch")
    assert send(first).data == made.data
    assert stage.facts() == before


def test_htt_20_a_stale_move_changes_nothing(stage: Stage) -> None:
    stage.story.consent()
    sealed = stage.story.seal("identity")
    referral = stage.submit(sealed.manifest, sealed.parts).get_json()["id"]
    before, by = stage.facts(), stage.by(stage.story.s1)
    body = {"worker": "u-201", "worker_role": "counsellor", "next_on": "2026-04-08"}
    assert stage.refused(by.post(f"/v1/referrals/{referral}/accept", body, if_match="99"), 412, "stale")
    assert stage.refused(by.post(f"/v1/referrals/{referral}/accept", body), 428, "precondition-required")
    assert stage.facts() == before


@pytest.mark.parametrize("name", ["x", "1" * 36, "0190a000-0000-7000-8000-00000000000A"])
def test_htt_22_what_is_no_id_answers_like_what_is_not_there(wall: Stage, name) -> None:
    by = wall.by(wall.story.f1)
    missing = by.get("/v1/referrals/0190a000-0000-7000-8000-00000000000a")
    answer = by.get(f"/v1/referrals/{name}")
    assert wall.refused(answer, 404, "not-found")
    assert answer.data == missing.data
