# SPDX-License-Identifier: Apache-2.0
"""Which addresses the hub calls, how long it waits and when it gives up."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.webhooks.rules import (
    PATIENCE,
    WAITS,
    Reach,
    Target,
    is_given_up,
    is_public,
    may_call,
    next_try,
    target,
)

PUBLIC = Reach()
LOOPBACK = Reach(networks=(ipaddress.ip_network("127.0.0.0/8"),), plain=True)
NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "made"),
    [
        ("https://hooks.agency.example", Target(host="hooks.agency.example", port=443, path="/")),
        ("https://Hooks.Agency.example:443/a?b=c", Target(host="hooks.agency.example", port=443, path="/a?b=c")),
        ("https://xn--zckzah.example/", Target(host="xn--zckzah.example", port=443, path="/")),
        ("https://8.8.8.8/x", Target(host="8.8.8.8", port=443, path="/x")),
        ("https://[2606:4700::1111]/", Target(host="2606:4700::1111", port=443, path="/")),
    ],
)
def test_a_public_address_over_tls_is_taken(url: str, made: Target) -> None:
    assert target(url, PUBLIC) == made


@pytest.mark.parametrize(
    "url",
    [
        # SSR-01
        "http://127.0.0.1",
        "https://127.0.0.1/", "https://[::1]/", "https://0.0.0.0/", "https://169.254.169.254/latest",
        "https://10.1.2.3/", "https://metadata.google.internal/", "https://metadata/", "https://[fd00:ec2::254]/",
        "https://168.63.129.16/",
        # SSR-03
        "https://2130706433/", "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://127.1/", "https://0x7f000001/",
        "https://[::ffff:127.0.0.1]/", "https://[::ffff:8.8.8.8]/", "https://localhost./", "https://localhost/",
        "https://printer.local/", "https://１２７．０．０．１/", "https://ⓔxample.com/", "https://a.1/",
        # other schemes, credentials, ports, spellings
        "http://hooks.agency.example/", "ftp://hooks.agency.example/", "file:///etc/passwd", "//hooks.agency.example/",
        "https://user:secret@hooks.agency.example/", "https://@hooks.agency.example/",
        "https://hooks.agency.example:22/", "https://hooks.agency.example:8443/", "https://hooks.agency.example:0/",
        "https://hooks.agency.example:/", "https://hooks.agency.example:99999/", "https://hooks.agency.example:x/",
        "https://hooks.agency.example/#part", "https://hooks.agency.example\\@10.0.0.1/",
        "https://hooks agency.example/",
        "https://hooks.agency.example/\r\nX: y", "https://hooks.agency.example/日本", "https://", "", "https:///x",
        "https://hooks..example/", "https://-a.example/", "https://a_b.example/", "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://a." + "b" * 64 + ".example/", "https://hooks.agency.example/" + "x" * 1100,
    ],
)  # fmt: skip
def test_ssr_01_03_what_is_no_public_address_over_tls_is_refused(url: str) -> None:
    assert target(url, PUBLIC) is None


REFUSED = [
    "0.0.0.0", "0.1.2.3",  # noqa: S104 - listed to be refused
    "10.0.0.1", "100.64.0.1", "100.127.255.254", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.2.1", "192.88.99.1",
    "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "168.63.129.16",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::",
    "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "2606:4700::1%eth0",
]  # fmt: skip


@pytest.mark.parametrize("number", REFUSED)
def test_every_class_of_address_that_is_not_public_is_refused(number: str) -> None:
    assert not is_public(ipaddress.ip_address(number))


@pytest.mark.parametrize("number", ["1.1.1.1", "8.8.8.8", "126.0.0.1", "2606:4700::1111", "2400:cb00::1"])
def test_public_numbers_are_not(number: str) -> None:
    assert is_public(ipaddress.ip_address(number))


@given(st.ip_addresses())
def test_whatever_python_calls_special_is_never_public(address) -> None:
    special = (
        address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
        or address.is_reserved or address.is_unspecified
    )  # fmt: skip
    assert not (special and is_public(address))


def test_named_networks_may_be_called_at_any_port_and_without_tls_only_where_that_is_allowed() -> None:
    here = ipaddress.ip_address("127.0.0.1")
    plain = target("http://127.0.0.1:8080/x", LOOPBACK)
    assert plain == Target(host="127.0.0.1", port=8080, path="/x", secure=False)
    assert plain.authority == "127.0.0.1:8080"
    with_tls_only = Reach(networks=LOOPBACK.networks)
    assert target("http://127.0.0.1:8080/x", with_tls_only) is None
    assert target("https://127.0.0.1:8443/x", with_tls_only) is not None
    assert not may_call(here, plain, PUBLIC)
    assert target("http://10.0.0.1/", LOOPBACK) is None


def test_a_name_behind_another_port_is_judged_by_its_number() -> None:
    to = target("https://hooks.agency.example:8443/", LOOPBACK)
    assert to is not None
    assert may_call(ipaddress.ip_address("127.0.0.1"), to, LOOPBACK)
    assert not may_call(ipaddress.ip_address("8.8.8.8"), to, LOOPBACK)
    assert may_call(ipaddress.ip_address("8.8.8.8"), to, Reach(ports=frozenset({8443})))


def test_no_public_number_is_called_without_tls() -> None:
    plain = target("http://hooks.agency.example:443/", LOOPBACK)
    assert plain is not None
    assert not may_call(ipaddress.ip_address("8.8.8.8"), plain, LOOPBACK)


def test_waits_grow_over_more_than_a_day_and_then_stay() -> None:
    waits = [next_try(failures=number, now=NOW) - NOW for number in range(1, 15)]
    assert waits == sorted(waits)
    assert waits[0] <= timedelta(seconds=10)
    assert sum(WAITS, timedelta()) > timedelta(days=1)
    assert waits[-1] == waits[-2] == WAITS[-1]


def test_an_address_is_given_up_after_days_and_not_before() -> None:
    assert not is_given_up(failing_since=NOW, now=NOW + PATIENCE - timedelta(seconds=1))
    assert is_given_up(failing_since=NOW, now=NOW + PATIENCE)
