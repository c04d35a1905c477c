# SPDX-License-Identifier: Apache-2.0
"""Three witnesses of the hub's log, and ways to look at what came of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from connectors.witness.answering import Witness
from consent.tlog import policy
from hub.audit import reads
from hub.audit.keeping import Keeper
from hub.base.db import Database

from .conftest import Append

NAMES = ("officer:dpo", "agency:midori", "outside:daigaku")
GROUPS = "group others any officer:dpo outside:daigaku\ngroup enough all agency:midori others\nquorum enough\n"


@dataclass
class Town:
    """Three witnesses that answer, and the policy that names them."""

    witnesses: dict[str, Witness]
    policy: policy.Policy
    served: dict[str, ExitStack]

    def close(self, name: str) -> None:
        self.served[name].close()

    def evidence(self, name: str) -> list[str]:
        with self.witnesses[name].folder.transaction() as seen:
            return [one.code for one in seen.evidence()]


def newest(database: Database) -> reads.Checkpoint:
    with database.transaction(None) as session:
        found = reads.checkpoint(session)
    assert found is not None
    return found


def grow(append: Append, keeper: Keeper, count: int) -> list[str]:
    ids = [append() for _ in range(count)]
    keeper.sequence()
    return ids


def kinds(database: Database) -> list[str]:
    with database.transaction(None) as session:
        rows = session.connection().exec_driver_sql("select kind from log_entries order by index")
        return [row[0] for row in rows]
