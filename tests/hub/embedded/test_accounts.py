# SPDX-License-Identifier: Apache-2.0
"""Root's children run as another user: what root's own checkout holds must still be reachable for them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.base.errors import ConfigurationError
from hub.embedded.accounts import Account, choose_account, open_data_folder, reachable_program

NEEDS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="only root has children that run as somebody else")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that its owner alone enters, like root's home."""
    folder = Path(tempfile.mkdtemp(prefix="tsn-home-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tsn-data-"))
    shutil.rmtree(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def installed(home: Path) -> Path:
    """A package as a wheel leaves it: programs in a folder of their own, libraries beside the package."""
    program = home / "package" / "install" / "bin" / "hello"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\ncat "$(dirname "$0")/../../../package.libs/words"\n')
    program.chmod(0o700)
    (home / "package.libs").mkdir()
    (home / "package.libs" / "words").write_text("good evening")
    (home / "package.libs" / "words").chmod(0o600)
    return program


@NEEDS_ROOT
def test_a_program_in_roots_home_runs_from_a_copy_with_its_libraries(home: Path, data: Path) -> None:
    account = choose_account()
    folder = open_data_folder(data, account)
    program = installed(home)
    found = reachable_program(program, program.parent.parent, folder, account)
    assert found != program
    said = subprocess.run([found], capture_output=True, text=True, check=True, cwd="/", **account.popen())
    assert said.stdout == "good evening"
    assert reachable_program(program, program.parent.parent, folder, account) == found


@NEEDS_ROOT
def test_a_program_that_everybody_reaches_is_not_copied(data: Path) -> None:
    account = choose_account()
    folder = open_data_folder(data, account)
    assert reachable_program(Path("/bin/sh"), Path("/bin/sh"), folder, account) == Path("/bin/sh")
    assert not (folder / "programs").exists()


@NEEDS_ROOT
def test_a_careful_umask_does_not_shut_the_children_out(data: Path) -> None:
    before = os.umask(0o077)
    try:
        folder = open_data_folder(data, choose_account())
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o711


@NEEDS_ROOT
def test_a_folder_inside_roots_home_is_refused_with_a_sentence(home: Path) -> None:
    with pytest.raises(ConfigurationError, match=str(home)):
        open_data_folder(home / "hub", choose_account())


def test_an_ordinary_user_keeps_its_programs_where_they_are(home: Path, tmp_path: Path) -> None:
    entry = pwd.getpwuid(os.getuid())
    account = Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid, drop=False)
    program = installed(home)
    assert reachable_program(program, program.parent.parent, tmp_path, account) == program
