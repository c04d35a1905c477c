# SPDX-License-Identifier: Apache-2.0
"""Run a desk: waitress serves the pages, the sync loop keeps step with the hub, both in one process, no Redis.

Waitress is plain Python and runs on the office's Windows box too (ux §5).
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from waitress.server import create_server

from connectors.base.errors import ConnectorError
from connectors.desk.app import create_desk
from connectors.desk.staff import service as staff
from connectors.desk.web.courier import LineState, Nudge
from connectors.desk.web.site import Site
from connectors.sync.connector import Connector
from connectors.sync.loop import Loop

THREADS: Final = 8
LOOPBACK: Final = "127.0.0.1"
_LOOPBACK_NAMES: Final = frozenset({LOOPBACK, "localhost", "::1"})
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A desk that is open: where, and the code for the first administrator while there is none."""

    url: str
    setup_code: str | None


@contextmanager
def open_desk(
    connector: Connector,
    *,
    port: int,
    host: str = LOOPBACK,
    origin: str | None = None,
    sample: bool = False,
    listen_for: int = 20,
) -> Iterator[Opened]:
    """Serve an agency's desk until the context ends; port 0 takes any free one.

    *Raises* OSError: the port is taken. `ConnectorError("sample-hub-real")`: sample data must not meet a real hub.
    """
    if sample and urlsplit(connector.settings.hub).hostname not in _LOOPBACK_NAMES:
        raise ConnectorError("sample-hub-real", url=connector.settings.hub)
    listening = _listen(host, port)
    line = LineState()
    loop = Loop(
        connector,
        heard=lambda _: line.heard(connector.now()),
        failed=lambda error: line.failed(error, connector.now()),
        listen_for=listen_for,
    )
    courier = Nudge(connector=connector, nudge=loop.nudge)
    site = Site(
        connector=connector, courier=courier, line=line, sample=sample, origin=origin or f"http://{host}:{port}"
    )
    app = create_desk(site)
    with connector.casebook.transaction() as connection:
        code = staff.setup_code(connection)
    # a proxy with TLS on this machine says from where a request came; anybody else's word for it is dropped
    proxy: dict[str, Any] = (
        {"trusted_proxy": LOOPBACK, "trusted_proxy_headers": {"x-forwarded-for"}} if origin is not None else {}
    )
    server: Any = create_server(
        app, sockets=[listening], threads=THREADS, ident=None, clear_untrusted_proxy_headers=True, **proxy
    )
    over = threading.Event()
    serving = threading.Thread(target=_serve, args=(server, over), name="desk-pages", daemon=True)
    with loop:
        serving.start()
        try:
            yield Opened(url=origin or f"http://{host}:{listening.getsockname()[1]}", setup_code=code)
        finally:
            over.set()
            server.close()


def _serve(server: Any, over: threading.Event) -> None:
    """Serve until the end; a server that waits on its socket when that is closed misses it, which is no fault then."""
    try:
        server.run()
    except OSError:
        if not over.is_set():
            raise


def _listen(host: str, port: int) -> socket.socket:
    """Take the port before anything else is begun, so that a port that is taken leaves nothing half made."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def wait_for_the_end() -> None:
    """Wait until somebody stops the program (Ctrl-C, or the system's stop signal)."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    over.wait()
