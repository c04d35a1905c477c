# SPDX-License-Identifier: Apache-2.0
"""One agency's conversation with the hub: token, proof, retry. Knows HTTP and OAuth, nothing of referrals.

    connector                               hub
    ── client assertion (ES256) + DPoP ──▶  /oauth/token      RFC 7523, RFC 9449
    ◀── opaque token, 5 minutes ──────────
    ── DPoP token + proof per request ───▶  /v1/…             the proof binds method, address and token

A request that got no answer is sent again with the same `Idempotency-Key`, so that it takes effect once.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import requests

from connectors.base.clock import Clock
from connectors.base.errors import ConnectorError, HubAwayError
from connectors.sdk.problems import problem_of
from consent import keys, signing

_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_PAUSES: Final = (0.2, 0.5, 1.0)
"""Seconds between tries; after the last one the hub counts as away and the outbox keeps the message."""
_LONGEST_PAUSE: Final = 5.0
_PASSING: Final = frozenset({429, 502, 503, 504})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_EARLY: Final = timedelta(seconds=20)
"""A token is renewed this long before it ends, so that none ends under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call: `path` begins with `/`, `query` and `body` are as the API describes them."""

    method: str
    path: str
    query: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    patience: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the hub answered: status, parsed JSON body or the `raw` bytes of another kind, entity tag, headers.

    Names of headers are in lower case.
    """

    status: int
    body: Mapping[str, Any]
    raw: bytes
    etag: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until: datetime


class HubSession:
    """Send requests to the hub as one OAuth client of one agency."""

    def __init__(
        self,
        *,
        url: str,
        client_id: str,
        key: Callable[[], keys.PrivateKey],
        clock: Clock,
        language: str = "ja",
        transport: requests.Session | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take the hub's origin, the client's id, and what gives its ES256 key: asked anew for each token, so that a
        rotated key is used from then on.

        *Raises* `ConnectorError("url-not-https")` for plain HTTP to anywhere but this machine.
        """
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ConnectorError("url-not-https", url=url)
        self.url = url.rstrip("/")
        self._client_id = client_id
        self._key = key
        self._proof_key = keys.generate(keys.KeyUse.CLIENT)
        self._clock = clock
        self._language = language
        self._transport = transport or _transport(self.url)
        self._pause = pause
        self._token: _Token | None = None

    def get(self, path: str, query: Mapping[str, str] | None = None, *, patience: float = 30.0) -> Answer:
        """Read a resource. `patience` is the longest wait in seconds (long polls need more than their wait).

        *Raises* `ProblemError` (and its kinds) for what the hub refuses, `HubAwayError` when it does not answer.
        """
        return self._ask(Request(method="GET", path=path, query=query, patience=patience))

    def post(self, path: str, body: Mapping[str, Any], *, idempotency_key: str, if_match: str | None = None) -> Answer:
        """Change something, once, however often this is tried with the same key (api.md, Manners)."""
        headers = {"Idempotency-Key": idempotency_key, **({"If-Match": if_match} if if_match else {})}
        return self._ask(Request(method="POST", path=path, body=body, headers=headers))

    def patch(self, path: str, body: Mapping[str, Any], *, idempotency_key: str, if_match: str | None = None) -> Answer:
        """Change a part of a resource that was seen at the version `if_match`."""
        headers = {"Idempotency-Key": idempotency_key, **({"If-Match": if_match} if if_match else {})}
        return self._ask(Request(method="PATCH", path=path, body=body, headers=headers))

    def delete(self, path: str) -> Answer:
        """Remove a resource; one that is gone already is a problem like any other (404)."""
        return self._ask(Request(method="DELETE", path=path))

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def _ask(self, request: Request) -> Answer:
        answer = self._try(request, self._current_token())
        if answer.status_code == requests.codes.unauthorized:
            self._token = None  # suspended, revoked, or the hub began anew: ask once more with a new token
            answer = self._try(request, self._current_token())
        return _read(answer)

    def _current_token(self) -> str:
        if self._token is None or self._clock() >= self._token.until - _EARLY:
            now = self._clock()
            claims = {
                "iss": self._client_id,
                "sub": self._client_id,
                "aud": self.url,
                "jti": secrets.token_urlsafe(24),
                "iat": int(now.timestamp()),
                "exp": int(now.timestamp()) + 60,
            }
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": _ASSERTION_TYPE,
                "client_assertion": signing.sign_jwt(claims, self._key()),
            }
            answer = self._try(Request(method="POST", path="/oauth/token", form=form), None)
            document = _document(answer)
            if answer.status_code != requests.codes.ok:
                raise ConnectorError("not-authorised", code=str(document.get("error", answer.status_code)))
            life = timedelta(seconds=int(document["expires_in"]))
            self._token = _Token(str(document["access_token"]), now + life)
        return self._token.value

    def _try(self, request: Request, token: str | None) -> requests.Response:
        """Send until something other than silence or a passing trouble comes back."""
        for pause in (*_PAUSES, None):
            try:
                response = self._send(request, token)
            except (requests.ConnectionError, requests.Timeout):
                response = None
            if response is not None and response.status_code not in _PASSING:
                return response
            if pause is None:
                break
            self._pause(_pause_asked(response) or pause)
        raise HubAwayError("hub-away", url=self.url)

    def _send(self, request: Request, token: str | None) -> requests.Response:
        headers = {
            "Accept-Language": self._language,
            "DPoP": self._proof(request.method, request.path, token),
            **(request.headers or {}),
        }
        if token is not None:
            headers["Authorization"] = f"DPoP {token}"
        return self._transport.request(
            request.method,
            self.url + request.path,
            params=request.query,
            json=request.body,
            data=request.form,
            headers=headers,
            auth=_as_written,  # else a .netrc of this user's would take the place of our token
            timeout=(5.0, request.patience),
            allow_redirects=False,
        )

    def _proof(self, method: str, path: str, token: str | None) -> str:
        """Prove possession of the proof key for this method, address and token (RFC 9449 §4.2)."""
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(24),
            "htm": method,
            "htu": self.url + path,
            "iat": int(self._clock().timestamp()),
        }
        if token is not None:
            digest = hashlib.sha256(token.encode("ascii")).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
        return signing.sign_jwt(claims, self._proof_key, typ="dpop+jwt", jwk=True)


def _transport(url: str) -> requests.Session:
    """Give what carries requests to the hub. Proxy and certificates of the environment are read once, here: requests
    would read them again for every request.
    """
    made = requests.Session()
    found = made.merge_environment_settings(url, {}, None, None, None)
    made.proxies, made.verify, made.trust_env = dict(found["proxies"]), found["verify"], False
    return made


def _pause_asked(response: requests.Response | None) -> float | None:
    """Read `Retry-After` in seconds, within reason."""
    if response is None:
        return None
    asked = response.headers.get("Retry-After", "")
    return min(float(asked), _LONGEST_PAUSE) if asked.isdecimal() else None


def _document(response: requests.Response) -> Mapping[str, Any]:
    try:
        document = response.json()
    except ValueError:
        raise ConnectorError("answer-malformed") from None
    if not isinstance(document, dict):
        raise ConnectorError("answer-malformed")
    return document


def _as_written(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(response: requests.Response) -> Answer:
    status, kind = response.status_code, response.headers.get("Content-Type", "").partition(";")[0].strip()
    if status >= requests.codes.bad_request:
        raise problem_of(status, _document(response))
    if status >= requests.codes.multiple_choices:
        raise ConnectorError("answer-malformed")  # the hub sends nobody elsewhere: something in between does
    document = _document(response) if kind == "application/json" else {}
    raw = b"" if document else response.content
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer(status, document, raw, response.headers.get("ETag"), headers)
