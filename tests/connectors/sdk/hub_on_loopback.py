# SPDX-License-Identifier: Apache-2.0
"""A tiny HTTP server that answers what a test tells it to and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Say:
    """One answer; `silence` closes the line instead."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json"
    silence: bool = False


@dataclass
class LoopbackHub:
    """`answers` are given in their order, the last one again and again; tokens are numbered."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    answers: list[Say] = field(default_factory=list)
    token_answers: list[Say] = field(default_factory=list)
    tokens: int = 0
    when_asked: Callable[[Asked], None] = lambda _: None

    def respond(self, asked: Asked) -> Say:
        self.when_asked(asked)
        if asked.path == "/oauth/token":
            self.tokens += 1
            if self.token_answers:
                return self.token_answers.pop(0)
            return Say(body={"access_token": f"token-{self.tokens}", "token_type": "DPoP", "expires_in": 300})
        self.asked.append(asked)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def loopback() -> Iterator[LoopbackHub]:
    """Serve until the block ends."""
    hub = LoopbackHub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = hub.respond(
                Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, self.rfile.read(size))
            )
            if said.silence:
                self.close_connection = True
                return
            raw = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
            self.send_response(said.status)
            for name, value in {"Content-Type": said.kind, "Content-Length": str(len(raw)), **said.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the library's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
