# SPDX-License-Identifier: Apache-2.0
"""README, Makefile and CI say the same thing, and nothing in the tree names a registry or a machine."""

from __future__ import annotations

import re

from tests.house.tree import ROOT, short, tracked

COMMANDS = ("make demo", "make test")


def test_both_readmes_show_the_two_commands() -> None:
    for name in ("README.md", "README.ja.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert [command for command in COMMANDS if command not in text] == []


def test_the_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    named = set(re.findall(r"make ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert named <= targets


def test_ci_calls_the_test_command_of_the_readme() -> None:
    assert "make test" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_every_requirement_is_hashed_and_names_no_address() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[A-Za-z0-9_.-]+(?:\[[a-z,]+\])?==", text, flags=re.MULTILINE)
        assert len(pins) > 20
        assert "http" not in text
        assert len(re.findall(r"--hash=sha256:", text)) >= len(pins)


def test_no_file_names_a_package_registry() -> None:
    words = ["files.python" + "hosted", "pypi" + ".org", "registry.npm" + "js", "deb.debian" + ".org"]
    found = [
        short(path)
        for path in tracked(".py", ".md", ".toml", ".txt", ".json", "Makefile", "run")
        if any(word in path.read_text(encoding="utf-8", errors="replace") for word in words)
    ]
    assert found == []
