# SPDX-License-Identifier: Apache-2.0
"""One call to a server that is slow, endless, elsewhere or not who it says it is: a real one, on loopback."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from hub.webhooks.rules import Outcome, Reach, Target, target
from hub.webhooks.sending import Line, Sent
from tests.hub.webhooks.receiver import Receiver, drip, flood, hang, receiving, say

NAME = "hooks.agency.example"
LOOPBACK = Reach(networks=(ipaddress.ip_network("127.0.0.0/8"),), plain=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def line() -> Line:
    return Line(reach=LOOPBACK, seconds=1.0)


def post(line: Line, url: str) -> Sent:
    to = target(url, line.reach)
    assert to is not None
    return line.post(to, {"webhook-id": "x"}, b"{}")


def test_what_is_sent_arrives_as_it_is(line: Line, receiver: Receiver) -> None:
    assert post(line, f"{receiver.url}?a=b") == Sent(outcome=Outcome.DELIVERED, status=204)
    (got,) = receiver.got
    assert (got.path, got.body, got.headers["webhook-id"]) == ("/hook?a=b", b"{}", "x")
    assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert not {"cookie", "authorization", "referer"} & set(got.headers)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_any_answer_but_2xx_is_a_refusal(line: Line, receiver: Receiver, status: int) -> None:
    receiver.answers = [say(status)]
    assert post(line, receiver.url) == Sent(outcome=Outcome.REFUSED, status=status)


def test_410_says_that_nothing_more_is_wanted(line: Line, receiver: Receiver) -> None:
    receiver.answers = [say(410)]
    assert post(line, receiver.url) == Sent(outcome=Outcome.ENDED, status=410)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_ssr_04_a_redirect_is_not_followed(line: Line, receiver: Receiver, status: int) -> None:
    receiver.answers = [say(status, Location=f"http://127.0.0.1:{receiver.port}/inside")]
    assert post(line, receiver.url) == Sent(outcome=Outcome.REFUSED, status=status)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "answer",
    [
        hang,
        drip(b"HTTP/1.1 200 OK\r\n", b"X-More: 1\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nX-More: ", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
    ],
    ids=["silence", "header-lines", "one-header", "a-body", "a-body-without-end"],
)
def test_ssr_06_an_answer_that_never_ends_is_cut_off_in_time(line: Line, receiver: Receiver, answer) -> None:
    receiver.answers = [answer]
    began = time.monotonic()
    assert post(line, receiver.url).outcome is Outcome.TIMEOUT
    assert time.monotonic() - began < 2.0


def test_ssr_06_a_gigabyte_is_not_read(line: Line, receiver: Receiver) -> None:
    receiver.answers = [flood]
    assert post(line, receiver.url) == Sent(outcome=Outcome.TOO_LARGE, status=200)


@pytest.mark.parametrize("said", [b"garbage\r\n\r\n", b"", b"HTTP/1.1 999999 X\r\n\r\n"])
def test_what_is_no_answer_is_no_success(line: Line, receiver: Receiver, said: bytes) -> None:
    def answer(handler) -> None:
        handler.close_connection = True
        handler.wfile.write(said)

    receiver.answers = [answer]
    assert post(line, receiver.url).outcome in {Outcome.UNREACHABLE, Outcome.REFUSED}


def test_a_server_that_is_not_there_is_unreachable(line: Line) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert post(line, f"http://127.0.0.1:{port}/").outcome is Outcome.UNREACHABLE


# ── names ──


def test_a_name_that_nobody_knows(line: Line) -> None:
    def nobody(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror

    assert post(replace(line, resolve=nobody), f"http://{NAME}/").outcome is Outcome.NAME_UNKNOWN
    assert post(replace(line, resolve=lambda *_: []), f"http://{NAME}/").outcome is Outcome.NAME_UNKNOWN


def test_a_resolver_that_does_not_answer_holds_nobody_up(line: Line) -> None:
    def slow(_host: str, _port: int) -> Sequence[str]:
        time.sleep(5)
        return ["127.0.0.1"]

    began = time.monotonic()
    assert post(replace(line, resolve=slow), f"http://{NAME}/").outcome is Outcome.TIMEOUT
    assert time.monotonic() - began < 2.0


@pytest.mark.parametrize("numbers", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["::1"]])
def test_a_name_with_a_number_that_is_not_public_is_not_called(receiver: Receiver, numbers: list[str]) -> None:
    line = Line(reach=Reach(ports=frozenset({receiver.port})), resolve=lambda *_: numbers, seconds=1.0)
    assert post(line, f"https://{NAME}:{receiver.port}/").outcome is Outcome.ADDRESS_REFUSED
    assert receiver.connections == 0


class Rebinding:
    """A name server that gives a good number first and an inner one from then on."""

    def __init__(self, *numbers: str) -> None:
        self.numbers = list(numbers)
        self.asked = 0

    def __call__(self, _host: str, _port: int) -> Sequence[str]:
        self.asked += 1
        return [self.numbers[min(self.asked, len(self.numbers)) - 1]]


def test_dns_rebinding_the_number_that_was_judged_is_the_one_that_is_called(receiver: Receiver) -> None:
    reach = Reach(networks=(ipaddress.ip_network("127.0.0.1/32"),), plain=True)
    names = Rebinding("127.0.0.1", "127.0.0.2")
    line = Line(reach=reach, resolve=names, seconds=1.0)
    assert post(line, f"http://{NAME}:{receiver.port}/x").outcome is Outcome.DELIVERED
    assert names.asked == 1, "one look-up for one call"
    assert receiver.got[0].headers["host"] == f"{NAME}:{receiver.port}"
    assert post(line, f"http://{NAME}:{receiver.port}/x").outcome is Outcome.ADDRESS_REFUSED
    assert len(receiver.got) == 1


# ── TLS ──


def certified(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Make a server's side with a certificate for these names, and a client's side that trusts its maker."""
    key = ec.generate_private_key(ec.SECP256R1())
    day = timedelta(days=1)
    made = (
        x509.CertificateBuilder(issuer_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fictional")]))
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fictional")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - day)
        .not_valid_after(datetime.now(UTC) + day)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, private)
    return server, ssl.create_default_context(cafile=str(certificate))


def secure(line: Line, context: ssl.SSLContext) -> Line:
    return replace(line, context=context, resolve=lambda *_: ["127.0.0.1"], seconds=3.0)


def test_tls_is_verified_against_the_name_and_not_the_number(line: Line, tmp_path: Path) -> None:
    server, client = certified(tmp_path, NAME)
    with receiving(server) as receiver:
        assert post(secure(line, client), f"https://{NAME}:{receiver.port}/x").outcome is Outcome.DELIVERED
        assert receiver.got[0].path == "/x"
        assert post(secure(line, client), f"https://other.example:{receiver.port}/").outcome is Outcome.TLS_FAILED
        assert len(receiver.got) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(line: Line, tmp_path: Path) -> None:
    server, _ = certified(tmp_path, NAME)
    with receiving(server) as receiver:
        public = secure(line, ssl.create_default_context())
        assert post(public, f"https://{NAME}:{receiver.port}/").outcome is Outcome.TLS_FAILED
        assert receiver.got == []


def test_ssr_06_over_tls_an_endless_answer_is_cut_off_too(line: Line, tmp_path: Path) -> None:
    server, client = certified(tmp_path, NAME)
    with receiving(server) as receiver:
        receiver.answers = [drip(b"HTTP/1.1 200 OK\r\nX-More: ", b"x")]
        began = time.monotonic()
        sent = post(replace(secure(line, client), seconds=1.0), f"https://{NAME}:{receiver.port}/")
        assert sent.outcome is Outcome.TIMEOUT
        assert time.monotonic() - began < 2.0


def test_a_server_that_does_not_speak_tls_in_time(line: Line) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        to = Target(host="127.0.0.1", port=silent.getsockname()[1], path="/")
        began = time.monotonic()
        assert line.post(to, {}, b"{}").outcome is Outcome.TIMEOUT
        assert time.monotonic() - began < 2.0
