# SPDX-License-Identifier: Apache-2.0
"""Serve a witness: one address, `POST /add-checkpoint`, by waitress. TLS is a proxy's business, as at the desk."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Final

from waitress import wasyncore
from waitress.server import create_server
from werkzeug.wrappers import Request, Response

from connectors.witness.answering import TEXT, Answer, Witness
from consent.tlog.witnessing import MAX_SUBMISSION, PATH

THREADS: Final = 4
_LOOK: Final = 0.2
_MEDIA_BYTES: Final = 4  # the most that a sign of UTF-8 takes
log = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def application(witness: Witness) -> Wsgi:
    """Make the WSGI application."""

    def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        request = Request(environ)
        request.max_content_length = MAX_SUBMISSION * _MEDIA_BYTES
        return _respond(_answer(witness, request))(environ, start)

    return serve


@contextmanager
def open_witness(witness: Witness, *, host: str, port: int) -> Iterator[str]:
    """Serve until the context ends and give the address; port 0 takes any free one.

    *Raises* OSError: the port is taken.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    sockets: dict[int, Any] = {}
    server: Any = create_server(
        application(witness),
        map=sockets,
        sockets=[listening],
        threads=THREADS,
        ident=None,
        max_request_body_size=MAX_SUBMISSION * _MEDIA_BYTES,
        channel_timeout=30,
    )
    stopping = threading.Event()

    def run() -> None:
        # a thread that still selects must not find its sockets closed under it: it closes them itself
        while not stopping.is_set():
            wasyncore.loop(timeout=_LOOK, map=sockets, count=1)
        server.close()
        wasyncore.close_all(sockets)

    serving = threading.Thread(target=run, name="witness", daemon=True)
    serving.start()
    try:
        yield f"http://{host}:{listening.getsockname()[1]}"
    finally:
        stopping.set()
        serving.join(timeout=10)


def _answer(witness: Witness, request: Request) -> Answer:
    if request.path != f"/{PATH}":
        return Answer(status=HTTPStatus.NOT_FOUND)
    if request.method != "POST":
        return Answer(status=HTTPStatus.METHOD_NOT_ALLOWED)
    try:
        return witness.add_checkpoint(request.get_data(cache=False))
    except Exception:
        log.exception("witness:failed")
        return Answer(status=HTTPStatus.INTERNAL_SERVER_ERROR)


def _respond(answer: Answer) -> Response:
    if answer.status == HTTPStatus.OK or answer.media != TEXT:
        return Response(answer.body, status=answer.status, content_type=answer.media)
    return Response(f"{HTTPStatus(answer.status).phrase}\n", status=answer.status, content_type=TEXT)
