# SPDX-License-Identifier: Apache-2.0
"""As whom the children run, and which folders are theirs: PostgreSQL refuses root and users without a name."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.base.errors import ConfigurationError

UNPRIVILEGED: Final = ("postgres", "nobody")
# sun_path holds 108 bytes with its closing zero; the longest name we put into the folder has 15
LONGEST_FOLDER: Final = 107 - 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user a child runs as; `drop` says that we are root and must become that user first."""

    name: str
    uid: int
    gid: int
    drop: bool

    def popen(self) -> dict[str, Any]:
        """Give the arguments that make `subprocess` start a child as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.drop else {}

    def folder(self, path: Path) -> Path:
        """Make `path` a folder that only this user enters.

        *Raises* ConfigurationError: it cannot be made there.
        """
        try:
            path.mkdir(mode=0o700, exist_ok=True)
            if self.drop:
                os.chown(path, self.uid, self.gid)
            path.chmod(0o700)
        except OSError as error:
            raise ConfigurationError("folder-not-writable", folder=path) from error
        return path


def choose_account() -> Account:
    """Choose the user for the children: ourselves, or, as root, an ordinary user that exists.

    *Raises* ConfigurationError: we have no name (PostgreSQL refuses), or there is no ordinary user.
    """
    uid = os.getuid()
    if uid != 0:
        try:
            entry = pwd.getpwuid(uid)
        except KeyError:
            raise ConfigurationError("user-without-name", uid=uid) from None
        return Account(name=entry.pw_name, uid=uid, gid=os.getgid(), drop=False)
    for name in UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name=name, uid=entry.pw_uid, gid=entry.pw_gid, drop=True)
    raise ConfigurationError("no-unprivileged-user")


def open_data_folder(path: Path, account: Account) -> Path:
    """Make the data folder, or take the one that is there, and see that `account` gets through to it.

    *Raises* ConfigurationError: it cannot be made, written to or entered.
    """
    path = path.absolute()
    try:
        if not path.exists():
            path.mkdir(parents=True, mode=0o700)
            path.chmod(0o711 if account.drop else 0o700)  # root may work under a umask that takes more away
        elif account.drop and not any(path.iterdir()):
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o011)
    except OSError as error:
        raise ConfigurationError("folder-not-writable", folder=path) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigurationError("folder-not-writable", folder=path)
    if account.drop and not _can(account, "-x", path):
        raise ConfigurationError("folder-not-reachable", folder=path, user=account.name)
    return path


def reachable_program(program: Path, installed: Path, data: Path, account: Account) -> Path:
    """Give `program` where `account` may run it: where it is, or in a copy of `installed` inside the data folder.

    The packages of root's own checkout lie in root's home, which no other user enters; a package's programs run from
    anywhere if they stay together, and beside the libraries that the wheel brought (`package.libs`). `installed` is the
    folder or file to be copied.

    *Raises* ConfigurationError: it cannot be run there either.
    """
    if not account.drop or _can(account, "-x", program):
        return program
    beside = [parent.parent / f"{parent.name}.libs" for parent in installed.parents]
    libraries = [folder for folder in beside if folder.is_dir()]
    base = libraries[0].parent if libraries else installed.parent
    found = data / "programs" / program.relative_to(base)
    for piece in (*libraries[:1], installed):
        copied = data / "programs" / piece.relative_to(base)
        if not copied.exists():
            _copy(piece, copied)
    if not _can(account, "-x", found):
        raise ConfigurationError("program-not-reachable", program=program, user=account.name)
    return found


def _copy(installed: Path, copied: Path) -> None:
    """Copy beside and rename, so that a copy cut off half-way is never taken for a whole one."""
    beside = copied.with_name(copied.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if installed.is_dir():
            shutil.copytree(installed, beside, symlinks=True)
        else:
            shutil.copy(installed, beside)
        for path in (beside, *beside.rglob("*")):
            _open_to_all(path)
        beside.rename(copied)
        for folder in (copied.parent, *copied.parent.parents):
            if folder.name == "programs" or folder.parent.name == "programs":
                _open_to_all(folder)
    except OSError as error:
        raise ConfigurationError("folder-not-writable", folder=copied.parent) from error


def _open_to_all(path: Path) -> None:
    """Let everybody read a program, whatever umask root works under; nothing secret lies among them."""
    mode = path.stat().st_mode
    path.chmod(stat.S_IMODE(mode) | (0o555 if stat.S_ISDIR(mode) or mode & stat.S_IXUSR else 0o444))


def socket_folder(data: Path, account: Account) -> Path:
    """Give the 0700 folder for sockets: inside the data folder, or a short temporary one if the path would be too
    long.
    """
    inside = data / "run"
    if len(os.fsencode(inside)) <= LONGEST_FOLDER:
        return account.folder(inside)
    return account.folder(Path(tempfile.mkdtemp(prefix="tsn-")))


def _can(account: Account, question: str, path: Path) -> bool:
    asked = subprocess.run(  # noqa: S603 - fixed program, the path is an argument of its own
        ["/bin/sh", "-c", f'test {question} "$1"', "sh", str(path)], check=False, cwd="/", **account.popen()
    )
    return asked.returncode == 0
