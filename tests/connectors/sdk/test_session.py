# SPDX-License-Identifier: Apache-2.0
"""The session against a real HTTP server: proofs that bind each request, retries that never act twice."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from connectors.base.errors import HubAwayError
from connectors.sdk.problems import ConsentRefusedError, ProblemError
from connectors.sdk.session import HubSession
from consent import keys, wire
from consent.keys import KeyUse
from tests.connectors.sdk.hub_on_loopback import LoopbackHub, Say, loopback
from tests.connectors.story import NOW, Clock, refused

KEY = keys.generate(KeyUse.CLIENT)
BUSY = Say(status=503, body={"code": "busy"})


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with loopback() as made:
        made.answers = [Say(body={"fine": True})]
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def transport() -> Iterator[requests.Session]:
    with requests.Session() as made:
        yield made


@pytest.fixture
def session(hub: LoopbackHub, clock: Clock, pauses: list[float], transport: requests.Session) -> HubSession:
    return HubSession(
        url=hub.url, client_id="agency", key=lambda: KEY, clock=clock, transport=transport, pause=pauses.append
    )


def claims(token: str) -> dict[str, object]:
    return json.loads(wire.from_base64url(token.split(".")[1]))


def header(token: str) -> dict[str, object]:
    return json.loads(wire.from_base64url(token.split(".", maxsplit=1)[0]))


# ── tokens and proofs ──


def test_each_request_carries_the_token_and_a_proof_of_its_own(hub: LoopbackHub, session: HubSession) -> None:
    session.get("/v1/cases", {"limit": "2"})
    session.post("/v1/cases", {"case": "x"}, idempotency_key="k")
    first, second = hub.asked
    assert hub.tokens == 1
    assert first.headers["authorization"] == "DPoP token-1"
    said = [claims(asked.headers["dpop"]) for asked in (first, second)]
    assert [(one["htm"], one["htu"]) for one in said] == [
        ("GET", f"{hub.url}/v1/cases"),
        ("POST", f"{hub.url}/v1/cases"),
    ]
    assert said[0]["ath"] == wire.to_base64url(hashlib.sha256(b"token-1").digest())
    assert said[0]["jti"] != said[1]["jti"]
    assert header(first.headers["dpop"])["typ"] == "dpop+jwt"


def test_a_token_is_renewed_before_it_ends(hub: LoopbackHub, session: HubSession, clock: Clock) -> None:
    session.get("/v1/cases")
    clock.on(seconds=279)
    session.get("/v1/cases")
    assert hub.tokens == 1
    clock.on(seconds=1)
    session.get("/v1/cases")
    assert hub.tokens == 2


def test_a_rotated_client_key_signs_the_next_token_request(hub: LoopbackHub, clock: Clock) -> None:
    held = [KEY]
    signed_by: list[object] = []

    def note(asked) -> None:
        if asked.path == "/oauth/token":
            form = dict(pair.split("=") for pair in asked.body.decode().split("&"))
            signed_by.append(header(form["client_assertion"])["kid"])

    hub.when_asked = note
    with requests.Session() as transport:
        session = HubSession(url=hub.url, client_id="agency", key=lambda: held[-1], clock=clock, transport=transport)
        session.get("/v1/cases")
        held.append(keys.generate(KeyUse.CLIENT))
        clock.on(minutes=5)
        session.get("/v1/cases")
    assert signed_by == [key.kid for key in held]


def test_an_unauthorised_answer_asks_for_a_new_token_once(hub: LoopbackHub, session: HubSession) -> None:
    hub.answers = [Say(status=401, body={"code": "invalid-token"}), Say(body={"fine": True})]
    assert session.get("/v1/cases").body == {"fine": True}
    assert hub.tokens == 2
    hub.answers = [Say(status=401, body={"code": "invalid-token"})]
    with pytest.raises(ProblemError, match="invalid-token"):
        session.get("/v1/cases")
    assert hub.tokens == 3


def test_an_agency_that_is_not_let_in_is_told_so(hub: LoopbackHub, session: HubSession) -> None:
    hub.token_answers = [Say(status=401, body={"error": "invalid_client"})]
    with refused("not-authorised"):
        session.get("/v1/cases")
    assert hub.asked == []


def test_a_netrc_file_of_the_user_does_not_replace_the_token(
    hub: LoopbackHub, session: HubSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session.get("/v1/cases")
    assert hub.asked[0].headers["authorization"] == "DPoP token-1"


# ── trouble on the way ──


def test_a_lost_answer_is_asked_for_again_with_the_same_key_and_bytes(
    hub: LoopbackHub, session: HubSession, pauses: list[float]
) -> None:
    hub.answers = [Say(silence=True), BUSY, Say(body={"fine": True})]
    session.post("/v1/consents", {"record": "𠮷"}, idempotency_key="key-1")
    assert len(hub.asked) == 3
    assert {asked.headers["idempotency-key"] for asked in hub.asked} == {"key-1"}
    assert len({asked.body for asked in hub.asked}) == 1
    # the hub takes each proof once, so that a captured one is worth nothing
    assert len({claims(asked.headers["dpop"])["jti"] for asked in hub.asked}) == 3
    assert pauses == [0.2, 0.5]


def test_a_hub_that_says_when_is_taken_at_its_word_within_reason(
    hub: LoopbackHub, session: HubSession, pauses: list[float]
) -> None:
    def later(seconds: str) -> Say:
        return Say(status=429, body={"code": "too-many"}, headers={"Retry-After": seconds})

    hub.answers = [later("2"), later("3600"), later("Wed, 21 Oct 2026 07:28:00 GMT"), Say(body={"fine": True})]
    assert session.get("/v1/cases").status == 200
    assert pauses == [2.0, 5.0, 1.0]


def test_a_hub_that_goes_on_being_busy_counts_as_away(hub: LoopbackHub, session: HubSession) -> None:
    hub.answers = [BUSY]
    with pytest.raises(HubAwayError) as caught:
        session.get("/v1/cases")
    assert len(hub.asked) == 4
    assert caught.value.exit_code == 4


def test_the_environments_proxy_carries_requests_and_is_asked_for_once(
    hub: LoopbackHub, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", hub.url)
    monkeypatch.delenv("no_proxy", raising=False)
    session = HubSession(url="http://127.0.0.1:9", client_id="agency", key=lambda: KEY, clock=clock)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert session.get("/v1/cases").body == {"fine": True}
    assert claims(hub.asked[0].headers["dpop"])["htu"] == "http://127.0.0.1:9/v1/cases"
    session.close()


def test_a_hub_that_is_not_there_counts_as_away(clock: Clock, transport: requests.Session) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    session = HubSession(
        url=nobody, client_id="a", key=lambda: KEY, clock=clock, transport=transport, pause=lambda _: None
    )
    with pytest.raises(HubAwayError) as caught:
        session.get("/v1/cases")
    assert nobody in caught.value.says("ja")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_followed_elsewhere(hub: LoopbackHub, session: HubSession, status: int) -> None:
    hub.answers = [Say(status=status, headers={"Location": "https://elsewhere.example/v1/cases"})]
    with refused("answer-malformed"):
        session.get("/v1/cases")


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(Say(body=b"<html>captive portal</html>"), id="no JSON"),
        pytest.param(Say(body=["a", "list"]), id="no object"),
        pytest.param(Say(status=500, body=b"oops", kind="text/plain"), id="no problem document"),
        pytest.param(Say(status=400, body={"code": 7}, kind="application/problem+json"), id="another kind of problem"),
    ],
)
def test_an_answer_that_cannot_be_read_is_said_to_be_so(hub: LoopbackHub, session: HubSession, said: Say) -> None:
    hub.answers = [said]
    with refused("answer-malformed"):
        session.get("/v1/cases")


# ── what the hub refuses ──


def test_a_refusal_carries_the_whole_problem(hub: LoopbackHub, session: HubSession) -> None:
    problem = {
        "type": "urn:tsunagi:unknown-code",
        "status": 422,
        "code": "unknown-code",
        "detail": "知らないコードです。",
        "request_id": "r-1",
        "errors": [{"pointer": "/purpose", "code": "unknown-code", "detail": "知らないコードです。"}],
        "a-later-member": True,
    }
    hub.answers = [Say(status=422, body=problem, kind="application/problem+json")]
    with pytest.raises(ProblemError) as caught:
        session.post("/v1/decisions", {}, idempotency_key="k")
    assert (caught.value.status, caught.value.code, caught.value.request_id) == (422, "unknown-code", "r-1")
    assert caught.value.errors[0].pointer == "/purpose"
    assert caught.value.says("ja") == "知らないコードです。"
    assert len(hub.asked) == 1


def test_a_refusal_by_consent_names_every_part(hub: LoopbackHub, session: HubSession) -> None:
    decisions = [
        {"category": "identity", "outcome": "permitted", "basis": "consent", "consent": "c-1"},
        {"category": "health", "outcome": "refused", "reason": "EXCLUDED_BY_SUBJECT", "remedy": "respect_exclusion"},
    ]
    problem = {"code": "consent-refused", "decision_id": "d-1", "decisions": decisions}
    hub.answers = [Say(status=403, body=problem, kind="application/problem+json")]
    with pytest.raises(ConsentRefusedError) as caught:
        session.post("/v1/referrals", {}, idempotency_key="k")
    assert [one.permitted for one in caught.value.decisions] == [True, False]
    assert caught.value.decisions[1].remedy == "respect_exclusion"
    assert caught.value.decision_id == "d-1"
    assert caught.value.exit_code == 3


def test_a_version_seen_goes_along(hub: LoopbackHub, session: HubSession) -> None:
    session.post("/v1/x", {}, idempotency_key="k", if_match='"3"')
    session.patch("/v1/x", {}, idempotency_key="k", if_match='"4"')
    assert [asked.headers["if-match"] for asked in hub.asked] == ['"3"', '"4"']


def test_what_is_no_json_is_given_as_bytes(hub: LoopbackHub, session: HubSession) -> None:
    hub.answers = [Say(body="— 札\n".encode(), kind="text/plain; charset=utf-8", headers={"ETag": '"7"'})]
    answer = session.get("/v1/audit/checkpoint")
    assert answer.raw.decode() == "— 札\n"
    assert (answer.body, answer.etag) == ({}, '"7"')


@pytest.mark.parametrize(
    "url", ["http://hub.example", "ftp://127.0.0.1", "hub.example", "http://127.0.0.1.hub.example"]
)
def test_plain_http_is_for_this_machine_only(url: str) -> None:
    with refused("url-not-https"):
        HubSession(url=url, client_id="a", key=lambda: KEY, clock=lambda: NOW)
