# SPDX-License-Identifier: Apache-2.0
"""As whom the children run, and which folders are theirs: PostgreSQL refuses root and users without a name."""

import os
import pwd
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
            path.mkdir(parents=True, mode=0o711 if account.drop else 0o700)
        elif account.drop and not any(path.iterdir()):
            path.chmod(stat.S_IMODE(path.stat().st_mode) | 0o011)
    except OSError as error:
        raise ConfigurationError("folder-not-writable", folder=path) from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigurationError("folder-not-writable", folder=path)
    if account.drop and not _can(account, "-x", path):
        raise ConfigurationError("folder-not-reachable", folder=path, user=account.name)
    return path


def check_program(program: Path, account: Account) -> None:
    """See that `account` may run `program`.

    *Raises* ConfigurationError: it may not, e.g. because the program lies in root's home.
    """
    if account.drop and not _can(account, "-x", program):
        raise ConfigurationError("program-not-reachable", program=program, user=account.name)


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
