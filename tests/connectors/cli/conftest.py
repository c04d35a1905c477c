# SPDX-License-Identifier: Apache-2.0
"""Agencies that are worked with by typing: real folders, the hub in memory or a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.keystore import keyfile
from tests.connectors.cli.office import Office, Town


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


@pytest.fixture
def j1(town: Town) -> Office:
    return town.found("jiritsu", "架空市相談センター")


@pytest.fixture
def s1(town: Town, j1: Office) -> Office:
    made = town.found("shakyo", "架空市社会福祉協議会")
    j1.json("sync")
    made.json("sync")
    return made


@pytest.fixture(autouse=True)
def quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Derive keys with less work: every command opens the key file anew, and how hard that is, is tested elsewhere."""
    monkeypatch.setattr(keyfile, "_MEMORY_KIB", 64)
    monkeypatch.setattr(keyfile, "_ITERATIONS", 1)


@pytest.fixture(autouse=True)
def plain_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TSUNAGI_FOLDER", "TSUNAGI_STAFF", "TSUNAGI_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
