# SPDX-License-Identifier: Apache-2.0
"""A caller that costs as little as it can: one kept connection, a token, a proof for each request.

The connectors' own client checks and remembers much more; here only the hub is to be measured.
"""

from __future__ import annotations

import json
import secrets
import socket
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from bench.pair import Agency, Loop
from consent.calendar import JST
from consent.jwk import KeyUse, PrivateKey, generate
from consent.signing import sign_jwt

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
STAFF = "bench-worker"
RENEW_SECONDS = 240.0


class UnexpectedAnswerError(Exception):
    """The hub answered something else than the loop needs; the run is void."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    etag: str | None


Send = Callable[[str, str, Mapping[str, str], bytes], Answer]
"""Sends method, path, headers and body."""


class Line:
    """One kept HTTP/1.1 connection."""

    def __init__(self, origin: str) -> None:
        """Connect to the hub's public origin."""
        place = urlsplit(origin)
        self._host = place.netloc
        self._socket = socket.create_connection((place.hostname or "", place.port or 80))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send one request and read its whole answer."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        got = b""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._more()
        status, *rows = got[:end].decode("latin-1").split("\r\n")
        told = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
        pieces, need = [got[end + 4 :]], int(told.get("content-length", "0"))
        while sum(map(len, pieces)) < need:
            pieces.append(self._more())
        return Answer(int(status.split(" ")[1]), b"".join(pieces), told.get("etag"))

    def _more(self) -> bytes:
        got = self._socket.recv(1 << 17)
        if not got:
            raise UnexpectedAnswerError("closed")
        return got


class Caller:
    """One agency's calls."""

    def __init__(self, origin: str, agency: Agency, send: Send) -> None:
        """Take the hub's public origin, who calls, and the way there."""
        self._origin, self._agency, self._send = origin, agency, send
        self._dpop = generate(KeyUse.CLIENT)
        self._token, self._ath, self._until = "", "", 0.0
        self.took: dict[str, list[float]] = {}

    def call(
        self, name: str, method: str, path: str, *, body: bytes = b"", if_match: str | None = None, expect: int = 200
    ) -> Answer:
        """Send a request, remember under `name` how long it took, and see that it was answered as expected."""
        self._renew()
        headers = {
            "Authorization": f"DPoP {self._token}",
            "DPoP": _proof(self._dpop, method, self._origin + path.partition("?")[0], self._ath),
        }
        if method == "POST":
            headers |= {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
        if if_match is not None:
            headers["If-Match"] = if_match
        began = time.perf_counter()
        answer = self._send(method, path, headers, body)
        self.took.setdefault(name, []).append(time.perf_counter() - began)
        if answer.status != expect:
            raise UnexpectedAnswerError(name, answer.status, answer.body[:300])
        return answer

    def _renew(self) -> None:
        if time.monotonic() < self._until:
            return
        at, agency = int(time.time()), self._agency
        claims = {"iss": agency.id, "sub": agency.id, "aud": self._origin, "iat": at, "exp": at + 60}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION,
            "client_assertion": sign_jwt({**claims, "jti": secrets.token_urlsafe(12)}, agency.client),
        }
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "DPoP": _proof(self._dpop, "POST", f"{self._origin}/oauth/token", None),
        }
        answer = self._send("POST", "/oauth/token", headers, urlencode(form).encode())
        if answer.status != 200:
            raise UnexpectedAnswerError("token", answer.status, answer.body[:300])
        self._token = json.loads(answer.body)["access_token"]
        self._ath = _encoded(sha256(self._token.encode()).digest())
        self._until = time.monotonic() + RENEW_SECONDS


def run(sender: Caller, receiver: Caller, loop: Loop) -> None:
    """Go once round: submit, poll, collect, acknowledge, three moves, read where it stands."""
    sent = json.loads(sender.call("submit", "POST", "/v1/referrals", body=loop.submission, expect=201).body)
    page = json.loads(receiver.call("inbox", "GET", "/v1/inbox").body)
    row = next(one["id"] for one in page["items"] if one["message"] == loop.message)
    receiver.call("collect", "GET", f"/v1/messages/{row}")
    receiver.call("receipt", "POST", f"/v1/messages/{row}/receipts", body=loop.receipt)
    place, tag = f"/v1/referrals/{sent['id']}", f'"{sent["version"]}"'
    for event, said in moves():
        answer = receiver.call("move", "POST", f"{place}/{event}", body=said, if_match=tag)
        tag = answer.etag or ""
    sender.call("status", "GET", place)


def moves() -> tuple[tuple[str, bytes], ...]:
    """Give the three moves with their bodies."""
    today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + JST.utcoffset(None).total_seconds()))
    said: tuple[tuple[str, dict[str, Any]], ...] = (
        ("accept", {"worker": STAFF, "worker_role": "counsellor", "next_on": today}),
        ("start", {"what": "contact_made", "on": today}),
        ("report-outcome", {"outcome": "service_started"}),
    )
    return tuple((event, json.dumps(body).encode()) for event, body in said)


def _proof(key: PrivateKey, method: str, url: str, ath: str | None) -> str:
    native = key.native
    if not isinstance(native, ec.EllipticCurvePrivateKey):
        raise TypeError("client-key")
    public = {name: value for name, value in key.public.jwk().items() if name in {"kty", "crv", "x", "y"}}
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public}
    claims = {"jti": secrets.token_urlsafe(12), "htm": method, "htu": url, "iat": int(time.time())}
    if ath is not None:
        claims["ath"] = ath
    signed = ".".join(_encoded(json.dumps(one, separators=(",", ":")).encode()) for one in (header, claims))
    r, s = decode_dss_signature(native.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{_encoded(r.to_bytes(32) + s.to_bytes(32))}"


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
