# SPDX-License-Identifier: Apache-2.0
"""The hub's settings, read once from the environment; every refusal says what to do. `docs` list each of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from hub.base.errors import ConfigurationError

MEBIBYTE = 1024 * 1024
HIGHEST_PORT = 65535
ENVIRONMENTS = ("production", "development", "test", "play")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What one hub process is told.

    - `database_url`: login that may become tsn_hub, tsn_job and tsn_seq; `migration_url`: one that may become tsn_owner
    - `redis_url`: None = no wake-ups; the sweep finds the work later
    - `issuer`: the one public origin, `https://host[:port]`, also the OAuth issuer
    - `data`: folder for what is neither database nor secret of others, e.g. the log key
    - `prepare_threshold`: psycopg's; None (never prepare) is right behind pgbouncer
    - `request_limit`: largest request in bytes
    - `witnesses`: the witness policy (C2SP tlog-policy); None = nobody is asked
    - `mirror`: folder to which the log is copied before witnesses see it; None = nowhere
    - `webhook_ports`: where agencies' webhooks may listen; `webhook_networks`: networks that may be called beside the
      public Internet, any port, and without TLS where this is not production
    """

    database_url: str
    migration_url: str
    redis_url: str | None
    issuer: str
    data: Path
    environment: str = "production"
    prepare_threshold: int | None = None
    pool_size: int = 8
    request_limit: int = 20 * MEBIBYTE
    metrics_port: int | None = None
    witnesses: Path | None = None
    mirror: Path | None = None
    webhook_ports: frozenset[int] = frozenset({443})
    webhook_networks: tuple[IPv4Network | IPv6Network, ...] = ()

    @property
    def host(self) -> str:
        """The host and port that callers must name (bad-input HTT-15)."""
        return urlsplit(self.issuer).netloc

    @property
    def production(self) -> bool:
        """Whether real people's referrals go through this hub."""
        return self.environment == "production"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings from `environ`.

        *Raises* ConfigurationError: one is missing or malformed; its text says what to do.
        """
        database_url = _database_url("DATABASE_URL", _needed(environ, "DATABASE_URL", DATABASE_EXAMPLE))
        migration = environ.get("TSUNAGI_MIGRATION_URL") or database_url
        environment = environ.get("TSUNAGI_ENV") or "production"
        if environment not in ENVIRONMENTS:
            raise ConfigurationError("setting-bad", name="TSUNAGI_ENV", example=" | ".join(ENVIRONMENTS))
        return cls(
            database_url=database_url,
            migration_url=_database_url("TSUNAGI_MIGRATION_URL", migration),
            redis_url=_redis_url(environ.get("REDIS_URL") or None),
            issuer=_issuer(_needed(environ, "TSUNAGI_ISSUER", ISSUER_EXAMPLE), environment),
            data=Path(environ.get("TSUNAGI_DATA") or "tsunagi-data"),
            environment=environment,
            prepare_threshold=_number(environ, "TSUNAGI_PREPARE_THRESHOLD", None),
            pool_size=_number(environ, "TSUNAGI_POOL_SIZE", 8) or 8,
            request_limit=_number(environ, "TSUNAGI_REQUEST_LIMIT", 20 * MEBIBYTE) or 20 * MEBIBYTE,
            metrics_port=_number(environ, "TSUNAGI_METRICS_PORT", None),
            witnesses=_path(environ, "TSUNAGI_WITNESSES"),
            mirror=_path(environ, "TSUNAGI_MIRROR"),
            webhook_ports=_ports(environ, "TSUNAGI_WEBHOOK_PORTS"),
            webhook_networks=_networks(environ, "TSUNAGI_WEBHOOK_NETWORKS"),
        )


DATABASE_EXAMPLE = "postgresql://login@host/tsunagi"
ISSUER_EXAMPLE = "https://hub.example.jp"
REDIS_EXAMPLE = "redis://host:6379/0"


def _needed(environ: Mapping[str, str], name: str, example: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise ConfigurationError("setting-missing", name=name, example=example)
    return value


def _path(environ: Mapping[str, str], name: str) -> Path | None:
    return Path(environ[name]) if environ.get(name) else None


def _number(environ: Mapping[str, str], name: str, default: int | None) -> int | None:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise ConfigurationError("setting-bad", name=name, example="8")
    return int(text)


def _ports(environ: Mapping[str, str], name: str) -> frozenset[int]:
    """Read `443,8443,10000-10999`."""
    ports: set[int] = set()
    for part in (environ.get(name) or "443").split(","):
        first, dash, last = part.strip().partition("-")
        ends = (first, last if dash else first)
        numbers = [int(end) for end in ends if end.isascii() and end.isdigit()]
        if len(numbers) != len(ends) or not 0 < numbers[0] <= numbers[1] <= HIGHEST_PORT:
            raise ConfigurationError("setting-bad", name=name, example="443,8443,10000-10999")
        ports.update(range(numbers[0], numbers[1] + 1))
    return frozenset(ports)


def _networks(environ: Mapping[str, str], name: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip()) for part in environ.get(name, "").split(",") if part.strip())
    except ValueError:
        raise ConfigurationError("setting-bad", name=name, example="10.20.0.0/16,fd00:1234::/32") from None


def _database_url(name: str, url: str) -> str:
    scheme, found, rest = url.partition("://")
    if not found or scheme not in {"postgresql", "postgres", "postgresql+psycopg"}:
        raise ConfigurationError("setting-bad", name=name, example=DATABASE_EXAMPLE)
    return f"postgresql+psycopg://{rest}"


def _redis_url(url: str | None) -> str | None:
    if url is not None and url.partition("://")[0] not in {"redis", "rediss", "unix"}:
        raise ConfigurationError("setting-bad", name="REDIS_URL", example=REDIS_EXAMPLE)
    return url


def _issuer(url: str, environment: str) -> str:
    """Take an origin and nothing more: a path or a slash at the end would make two names of one hub."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname or url != f"{parts.scheme}://{parts.netloc}":
        raise ConfigurationError("setting-bad", name="TSUNAGI_ISSUER", example=ISSUER_EXAMPLE)
    if environment == "production" and parts.scheme != "https":
        raise ConfigurationError("issuer-not-https")
    return url
