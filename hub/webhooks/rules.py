# SPDX-License-Identifier: Apache-2.0
"""Where the hub may call, how often it tries, and when it gives an address up: pure, without a name being looked up.

An address that agencies choose and the hub calls is a way into the hub's own network (SSRF). So an address is judged
twice by the same rules: as text when it is registered, and again by the number that its name stands for at the moment
of the call.
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias
from urllib.parse import urlsplit

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

LONGEST_URL: Final = 1024
LONGEST_HOST: Final = 253
HTTPS_PORT: Final = 443
HTTP_PORT: Final = 80

MOST: Final = 10
"""Webhooks of one agency."""
OVERLAP: Final = timedelta(hours=24)
"""How long the secret before the last one still signs beside the new one."""
WAITS: Final = tuple(
    timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 12 * 3600)
)
"""After the first failure, the second, …; the last one again and again: 11 tries in 32 hours, then two a day."""
PATIENCE: Final = timedelta(days=5)
"""An address that has failed for so long is called no more until its agency says so."""

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII)
_TEXT: Final = re.compile(r"[\x21-\x7e]+", re.ASCII)
# RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`: names that mean something else inside every network
_INSIDE: Final = frozenset({"localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion"})
# a last label that browsers and C libraries read as a number: 2130706433, 0x7f.1, 127.1
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)

_GLOBAL_6: Final = ipaddress.IPv6Network("2000::/3")
"""All that is given out to hosts of the Internet; everything beside it is something special."""
_SPECIAL: Final[tuple[Network, ...]] = (
    ipaddress.IPv4Network("168.63.129.16/32"),  # a cloud's own service, under a public number
    ipaddress.IPv4Network("192.0.0.0/24"),  # RFC 6890, also the part that `is_global` lets through
    ipaddress.IPv4Network("192.88.99.0/24"),  # 6to4 relays, RFC 7526
    ipaddress.IPv6Network("2001::/23"),  # IETF protocol assignments: Teredo, ORCHID, …
    ipaddress.IPv6Network("2001:db8::/32"),
    ipaddress.IPv6Network("2002::/16"),  # 6to4 carries an IPv4 address inside
    ipaddress.IPv6Network("3fff::/20"),
)


class Outcome(StrEnum):
    """How one delivery went, as its agency reads it."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver answered with something other than 2xx; redirects are such an answer."""
    ENDED = "ended"
    """410: the receiver wants no more."""
    TIMEOUT = "timeout"
    TOO_LARGE = "answer-too-large"
    UNREACHABLE = "unreachable"
    NAME_UNKNOWN = "name-unknown"
    ADDRESS_REFUSED = "address-refused"
    """The name stands for an address that the hub does not call."""
    TLS_FAILED = "tls-failed"
    SECRET_UNREADABLE = "secret-unreadable"  # noqa: S105 - the name of an outcome
    """The hub's key file is not the one this secret was sealed with: give the webhook a new secret."""


class DisabledFor(StrEnum):
    """Why an address is called no more."""

    ENDED = "ended"
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which addresses this hub calls beside the public ones on port 443 (`TSUNAGI_WEBHOOK_PORTS`, `…_NETWORKS`).

    `plain`: the named networks may be called without TLS too; never in production.
    """

    ports: frozenset[int] = frozenset({HTTPS_PORT})
    networks: tuple[Network, ...] = ()
    plain: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An address taken apart: what is looked up, what is asked for. `host` is in lower case, an IPv6 one without
    brackets.
    """

    host: str
    port: int
    path: str
    secure: bool = field(default=True)

    @property
    def authority(self) -> str:
        """Give what the Host header says."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = HTTPS_PORT if self.secure else HTTP_PORT
        return name if self.port == usual else f"{name}:{self.port}"


def target(url: str, reach: Reach) -> Target | None:
    """Take an address apart, or give None for one that the hub will not call whatever its name stands for.

    Refused: other schemes, credentials, fragments, anything but visible ASCII (a name in Japanese is written in
    punycode), numbers in odd spellings, names that belong to every inner network, ports that are not on the list,
    and addresses in numbers that `may_call` refuses.
    """
    if len(url) > LONGEST_URL or not _TEXT.fullmatch(url) or "\\" in url or "#" in url:
        return None
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        return None
    if "@" in parts.netloc or parts.scheme not in {"https", "http"} or parts.netloc.endswith(":"):
        return None
    secure = parts.scheme == "https"
    usual = HTTPS_PORT if secure else HTTP_PORT
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    made = Target(host=host, port=usual if port is None else port, path=path, secure=secure)
    if port == 0 or not (secure or reach.plain):
        return None
    number = _number(host)
    if number is not None:
        return made if may_call(number, made, reach) else None
    # with networks named, only the number behind the name tells whether another port or no TLS is allowed
    is_known_port = made.port in reach.ports or bool(reach.networks)
    return made if is_known_port and _is_public_name(host) else None


def may_call(address: Address, to: Target, reach: Reach) -> bool:
    """Tell whether the hub may connect to this number for this target."""
    if any(address.version == network.version and address in network for network in reach.networks):
        return to.secure or reach.plain
    return to.secure and to.port in reach.ports and is_public(address)


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to a host of the public Internet: not loopback, private, link-local, multicast,
    reserved, shared (CGNAT), documentation, and not one that carries another address inside (mapped, NAT64, 6to4).
    """
    if any(address.version == network.version and address in network for network in _SPECIAL):
        return False
    if isinstance(address, ipaddress.IPv6Address) and (address not in _GLOBAL_6 or address.scope_id is not None):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def next_try(*, failures: int, now: datetime) -> datetime:
    """Tell when to try again after so many failures in a row."""
    return now + WAITS[min(failures, len(WAITS)) - 1]


def is_given_up(*, failing_since: datetime, now: datetime) -> bool:
    """Tell whether an address has failed for too long."""
    return now - failing_since >= PATIENCE


def _number(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_public_name(host: str) -> bool:
    if len(host) > LONGEST_HOST or not _HOST.fullmatch(host):
        return False
    labels: Sequence[str] = host.split(".")
    return len(labels) > 1 and labels[-1] not in _INSIDE and not _NUMBER.fullmatch(labels[-1])
