# SPDX-License-Identifier: Apache-2.0
"""Settings: each one missing or malformed is refused with a sentence that names it and says what to do."""

import pytest

from hub.base import sentences
from hub.base.config import Settings
from hub.base.errors import ConfigurationError

GOOD = {"DATABASE_URL": "postgresql://hub@db.example/tsunagi", "TSUNAGI_ISSUER": "https://hub.example"}


def test_two_settings_are_enough():
    settings = Settings.from_environment(GOOD)
    assert settings.database_url == "postgresql+psycopg://hub@db.example/tsunagi"
    assert settings.migration_url == settings.database_url
    assert (settings.production, settings.redis_url, settings.prepare_threshold) == (True, None, None)
    assert (settings.host, settings.request_limit) == ("hub.example", 20 * 1024 * 1024)


def test_all_settings_are_read():
    settings = Settings.from_environment(
        GOOD
        | {
            "TSUNAGI_MIGRATION_URL": "postgres://owner@db.example/tsunagi",
            "REDIS_URL": "unix:///run/valkey.sock?db=0",
            "TSUNAGI_DATA": "/srv/hub",
            "TSUNAGI_ENV": "development",
            "TSUNAGI_ISSUER": "http://127.0.0.1:8080",
            "TSUNAGI_PREPARE_THRESHOLD": "5",
            "TSUNAGI_POOL_SIZE": "3",
            "TSUNAGI_REQUEST_LIMIT": "1000",
            "TSUNAGI_METRICS_PORT": "9100",
        }
    )
    assert (settings.prepare_threshold, settings.pool_size, settings.metrics_port) == (5, 3, 9100)
    assert (settings.host, settings.migration_url) == (
        "127.0.0.1:8080",
        "postgresql+psycopg://owner@db.example/tsunagi",
    )
    assert settings.request_limit == 1000


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_missing_setting_is_named(name):
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment({key: value for key, value in GOOD.items() if key != name})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://x"),
        ("DATABASE_URL", "x"),
        ("TSUNAGI_MIGRATION_URL", "x"),
        ("REDIS_URL", "http://x"),
        ("TSUNAGI_ISSUER", "hub.example"),
        ("TSUNAGI_ISSUER", "https://hub.example/"),
        ("TSUNAGI_ISSUER", "https://hub.example/path"),
        ("TSUNAGI_ISSUER", "https://"),
        ("TSUNAGI_ISSUER", "ftp://hub.example"),
        ("TSUNAGI_ENV", "prod"),
        ("TSUNAGI_PREPARE_THRESHOLD", "x"),
        ("TSUNAGI_POOL_SIZE", "-1"),
        ("TSUNAGI_POOL_SIZE", "２"),
        ("TSUNAGI_WEBHOOK_PORTS", "https"),
        ("TSUNAGI_WEBHOOK_PORTS", "0"),
        ("TSUNAGI_WEBHOOK_PORTS", "443,70000"),
        ("TSUNAGI_WEBHOOK_PORTS", "8000-"),
        ("TSUNAGI_WEBHOOK_PORTS", "9000-8000"),
        ("TSUNAGI_WEBHOOK_NETWORKS", "127.0.0.1/8"),
        ("TSUNAGI_WEBHOOK_NETWORKS", "localhost"),
    ],
)
def test_a_malformed_setting_is_named(name, value):
    with pytest.raises(ConfigurationError, match=name):
        Settings.from_environment(GOOD | {name: value})


def test_production_is_https():
    with pytest.raises(ConfigurationError, match="https"):
        Settings.from_environment(GOOD | {"TSUNAGI_ISSUER": "http://hub.example"})


def test_refusals_never_show_what_the_setting_held():
    with pytest.raises(ConfigurationError) as refused:
        Settings.from_environment(GOOD | {"DATABASE_URL": "mysql://hub:kakuu-no-himitsu@db"})
    assert "himitsu" not in str(refused.value)


@pytest.mark.parametrize(("lang", "language"), [("ja_JP.UTF-8", "ja"), ("en_GB.UTF-8", "en"), ("C", "en"), ("", "en")])
def test_the_operator_is_spoken_to_in_the_language_of_the_shell(monkeypatch, lang, language):
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", lang)
    assert sentences.language() == language
    assert sentences.sentence("hub-stopped") == sentences.catalogue()["hub-stopped"][language]


def test_both_languages_leave_the_same_gaps():
    import string

    for code, texts in sentences.catalogue().items():
        gaps = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in texts.values()]
        assert gaps[0] == gaps[1], code


def test_webhooks_go_to_the_public_internet_at_443_unless_told_otherwise():
    made = Settings.from_environment(GOOD)
    assert (made.webhook_ports, made.webhook_networks) == (frozenset({443}), ())
    told = {"TSUNAGI_WEBHOOK_PORTS": "443, 8443,9000-9002", "TSUNAGI_WEBHOOK_NETWORKS": "10.20.0.0/16, fd00::/8"}
    made = Settings.from_environment(GOOD | told)
    assert made.webhook_ports == {443, 8443, 9000, 9001, 9002}
    assert [str(network) for network in made.webhook_networks] == ["10.20.0.0/16", "fd00::/8"]
