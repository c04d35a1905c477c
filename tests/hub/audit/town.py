# SPDX-License-Identifier: Apache-2.0
"""Three witnesses of the hub's log, and ways to look at what came of it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import psycopg

from connectors.witness.answering import Witness
from consent.tlog import notes, policy, tree
from hub.audit import reads
from hub.audit.keeping import Keeper
from hub.audit.sequencer import Signer
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


def rewrite(owner: psycopg.Connection, signer: Signer, index: int) -> None:
    """Be the operator with all the keys: change an entry, and hash and sign everything anew."""
    owner.execute("update log_entries set body = body || ' ' where index = %s", [index])
    bodies = [row[0] for row in owner.execute("select body from log_entries order by index")]
    leaves = [tree.leaf_hash(body) for body in bodies]
    owner.execute("delete from log_hashes")
    _, grown = tree.Frontier().extend(leaves)
    for node in grown:
        if node.level % 8 == 0:
            owner.execute("insert into log_hashes values (%s, %s, %s)", [node.level // 8, node.index, node.hash])
    sizes = [row[0] for row in owner.execute("select size from log_checkpoints")]
    for size in sizes:
        state = notes.Checkpoint(origin=signer.origin, size=size, root=tree.root(leaves[:size]))
        note = notes.sign_checkpoint(state, signer.native).write()
        owner.execute("update log_checkpoints set root = %s, note = %s where size = %s", [state.root, note, size])
