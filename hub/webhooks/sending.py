# SPDX-License-Identifier: Apache-2.0
"""One POST to an address that somebody else chose: looked up once, judged, and called by the number that was judged.

The name is never looked up a second time, so a name server that changes its answer in between (DNS rebinding) changes
nothing; TLS is still verified against the name. No redirects, no proxies, no cookies, and an end after ten seconds
whatever the other side does, also if it sends a byte now and then.
"""

import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from hub.base.config import Settings
from hub.webhooks.rules import Address, Outcome, Reach, Target, may_call

SECONDS: Final = 10.0
MOST_READ: Final = 64 * 1024
MOST_ADDRESSES: Final = 3
"""How many of a name's addresses are tried, one after the other, while the time lasts."""

Resolve = Callable[[str, int], Sequence[str]]
"""Looks a name up; gives numbers as text. It raises OSError where there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How a POST went; `status` where the receiver answered."""

    outcome: Outcome
    status: int | None = None


def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the machine's resolver."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How the hub calls: which addresses, whom it asks for numbers, which certificates it trusts, for how long."""

    reach: Reach = field(default_factory=Reach)
    resolve: Resolve = look_up
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    seconds: float = SECONDS

    def post(self, to: Target, headers: Mapping[str, str], body: bytes) -> Sent:
        """Send *body*, and say how it went; whatever the other side does, this returns in time and raises nothing."""
        until = time.monotonic() + self.seconds
        try:
            numbers = self._numbers(to)
        except TimeoutError:
            return Sent(outcome=Outcome.TIMEOUT)
        except (OSError, ValueError):
            return Sent(outcome=Outcome.NAME_UNKNOWN)
        # one bad number among good ones is no slip of the other side's: the whole name is refused
        if not all(may_call(number, to, self.reach) for number in numbers):
            return Sent(outcome=Outcome.ADDRESS_REFUSED)
        sent = Sent(outcome=Outcome.NAME_UNKNOWN)
        tried = numbers[:MOST_ADDRESSES]
        for place, number in enumerate(tried):
            # a number that nobody answers at leaves time for the next one
            share = max(until - time.monotonic(), 0.001) / (len(tried) - place)
            sent = self._call(self._connection(number, to, share), to, headers, body, until)
            if sent.outcome is not Outcome.UNREACHABLE or time.monotonic() >= until:
                break
        return sent

    def _numbers(self, to: Target) -> list[Address]:
        with suppress(ValueError):
            return [ipaddress.ip_address(to.host)]
        found = _in_time(lambda: self.resolve(to.host, to.port), self.seconds / 2)
        return list(dict.fromkeys(ipaddress.ip_address(text) for text in found))

    def _call(
        self, connection: HTTPConnection, to: Target, headers: Mapping[str, str], body: bytes, until: float
    ) -> Sent:
        try:
            connection.connect()
            with _cut_at(connection.sock, until):
                connection.request("POST", to.path, body, {"Host": to.authority, **headers}, preload_content=False)
                answer = connection.getresponse()
                return _judged(answer.status, lambda: answer.read(MOST_READ + 1, decode_content=False), until)
        except ssl.SSLError:
            return Sent(outcome=Outcome.TIMEOUT if time.monotonic() >= until else Outcome.TLS_FAILED)
        except (OSError, ValueError, HTTPError, http.client.HTTPException):
            return Sent(outcome=Outcome.TIMEOUT if time.monotonic() >= until else Outcome.UNREACHABLE)
        finally:
            connection.close()

    def _connection(self, number: Address, to: Target, seconds: float) -> HTTPConnection:
        if not to.secure:
            return HTTPConnection(str(number), to.port, timeout=seconds)
        return HTTPSConnection(str(number), to.port, timeout=seconds, server_hostname=to.host, ssl_context=self.context)


def line_of(settings: Settings) -> Line:
    """Make the line that the settings describe."""
    return Line(reach=reach_of(settings))


def reach_of(settings: Settings) -> Reach:
    """Tell which addresses the settings allow."""
    networks = settings.webhook_networks
    plain = bool(networks) and not settings.production
    return Reach(ports=settings.webhook_ports, networks=networks, plain=plain)


def _judged(status: int, read: Callable[[], bytes], until: float) -> Sent:
    if status == http.HTTPStatus.GONE:
        return Sent(outcome=Outcome.ENDED, status=status)
    if not http.HTTPStatus.OK <= status < http.HTTPStatus.MULTIPLE_CHOICES:
        return Sent(outcome=Outcome.REFUSED, status=status)
    answer = read()
    if len(answer) > MOST_READ:
        return Sent(outcome=Outcome.TOO_LARGE, status=status)
    # an answer cut off at the end of our time reads like one that has ended
    return Sent(outcome=Outcome.TIMEOUT if time.monotonic() >= until else Outcome.DELIVERED, status=status)


@contextmanager
def _cut_at(line: socket.socket | None, until: float) -> Iterator[None]:
    """Close the line under whoever reads from it when the time is up: a timeout counts anew with every byte."""
    if line is None:
        raise ConnectionError

    def cut() -> None:
        with suppress(OSError):
            # the plain socket's: an SSLSocket's own would take its state away while the other thread reads
            socket.socket.shutdown(line, socket.SHUT_RDWR)

    left = max(until - time.monotonic(), 0.001)
    line.settimeout(left + 1)  # the timer comes first; it was the time for connecting until now
    timer = threading.Timer(left, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _in_time(ask: Callable[[], Sequence[str]], seconds: float) -> Sequence[str]:
    """Ask in a thread of its own, because a resolver cannot be told how long to wait.

    *Raises* TimeoutError; whatever *ask* raises.
    """
    told: queue.SimpleQueue[Sequence[str] | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            told.put(ask())
        except Exception as error:  # noqa: BLE001 - handed to the thread that asked
            told.put(error)

    threading.Thread(target=run, daemon=True, name="resolver").start()
    try:
        answer = told.get(timeout=seconds)
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer
