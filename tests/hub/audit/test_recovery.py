# SPDX-License-Identifier: Apache-2.0
"""A database put back to an older state: nothing is signed, what is missing comes back, proved equal."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from consent.tlog import notes, tree
from hub.audit import jobs, reads
from hub.audit.keeping import Keeper
from hub.audit.mirroring import MirrorError
from hub.base.db import Database
from hub.base.errors import UnavailableError

from .conftest import OURS, Append
from .town import NAMES, Town, grow, kinds, newest
from .witnessed import keeper, town

__all__ = ["keeper", "town"]

SAVED = ("audit_pending", "log_entries", "log_hashes", "log_checkpoints", "log_witnesses")


def save(owner: psycopg.Connection) -> None:
    for table in SAVED:
        owner.execute(f"create table saved_{table} as select * from {table}")  # noqa: S608 - our own tables


def restore(owner: psycopg.Connection) -> None:
    """Put the log's tables back to what they were, as a restored backup does."""
    for table in (*SAVED, "log_cosignatures", "log_quorums", "log_recovery"):
        owner.execute(f"delete from {table}")  # noqa: S608 - our own tables
    for table in SAVED:
        overriding = " overriding system value" if table == "audit_pending" else ""
        owner.execute(f"insert into {table}{overriding} select * from saved_{table}")  # noqa: S608 - our own tables
        owner.execute(f"drop table saved_{table}")


def test_a_database_put_back_signs_nothing_refills_proves_equality_and_goes_on(
    append: Append,
    keeper: Keeper,
    town: Town,
    owner: psycopg.Connection,
    database: Database,
    jobs_database: Database,
    tmp_path: Path,
) -> None:
    mirror = tmp_path / "mirror"
    kept = replace(keeper, mirror=mirror)
    first = grow(append, kept, 5)
    waiting = append()
    save(owner)
    kept.sequence()
    later = grow(append, kept, 300)
    kept.ask_witnesses()
    witnessed = newest(kept.seq)
    restore(owner)
    # a worker starts on the older database
    started = replace(kept, mirror=None, agreed=type(kept.agreed)())
    assert started.sequence() == 0
    with jobs_database.transaction(None) as session:
        stopped = reads.recovery(session)
    assert stopped is not None
    assert (stopped.code, stopped.who, stopped.size) == ("ahead", "officer:dpo", 306)
    # it writes nothing and signs nothing, and reads
    with pytest.raises(UnavailableError, match="log-recovering") as refused:
        append()
    assert refused.value.headers == {"Retry-After": "60"}
    assert jobs.sequence(started.seq, started.signer) == 0
    assert newest(started.seq).size == 5
    with database.transaction(OURS) as session:
        assert [one.id for one in reads.entries(session, OURS)] == first
    # what is missing comes back, whole and once
    found = jobs.refill(started.seq, mirror, started.signer)
    assert (found.first, found.size, found.kinds) == (5, 306, {"case:noted": 301})
    assert (newest(started.seq).size, newest(started.seq).root) == (306, witnessed.root)
    assert jobs.verify(started.seq, started.signer) == 306
    assert started.sequence() == 2, "the recovery ends with the witnesses' word, and the log says so"
    with jobs_database.transaction(None) as session:
        assert reads.recovery(session) is None
    new = append()
    assert started.sequence() == 1
    with database.transaction(OURS) as session:
        ids = [one.id for one in reads.entries(session, OURS, limit=1000)]
    assert ids == [*first, waiting, *later, new]
    assert kinds(started.seq)[306:] == ["restore:begun", "restore:ended", "case:noted"]
    last = started.ask_witnesses()
    assert last is not None
    assert last.is_enough
    assert not any(town.evidence(name) for name in NAMES)


def test_a_lost_database_is_not_begun_anew_under_the_old_name(
    append: Append, keeper: Keeper, owner: psycopg.Connection, jobs_database: Database
) -> None:
    grow(append, keeper, 3)
    keeper.ask_witnesses()
    save(owner)
    for table in SAVED:
        owner.execute(f"delete from saved_{table}")  # noqa: S608 - our own tables
    restore(owner)
    append()
    started = replace(keeper, agreed=type(keeper.agreed)())
    assert started.sequence() == 0
    assert newest(started.seq).size == 0
    with jobs_database.transaction(None) as session:
        assert reads.recovery(session) is not None


def test_a_mirror_that_is_not_the_log_is_refused_and_nothing_comes_back(
    append: Append, keeper: Keeper, owner: psycopg.Connection, tmp_path: Path
) -> None:
    mirror = tmp_path / "mirror"
    kept = replace(keeper, mirror=mirror)
    grow(append, kept, 2)
    save(owner)
    grow(append, kept, 4)
    kept.ask_witnesses()
    with pytest.raises(MirrorError, match="mirror-shorter"):
        jobs.refill(kept.seq, mirror, kept.signer)
    restore(owner)
    entries = mirror / "tile" / "entries" / "000.p" / "6"
    good = entries.read_bytes()
    changed = good.replace(b'"memo"', b'"mema"', 5)
    for broken in (changed, good[:-1], b"", good.replace(b"case", b"cask")):
        entries.write_bytes(broken)
        with pytest.raises(MirrorError, match="mirror-broken"):
            jobs.refill(kept.seq, mirror, kept.signer)
    entries.write_bytes(good)
    owner.execute("update log_entries set body = body || ' ' where index = 1")
    owner.execute(
        "update log_hashes set hash = (select sha256('\\x00'::bytea || body) from log_entries where index = 1)"
        " where level = 0 and index = 1"
    )
    with pytest.raises(MirrorError, match="mirror-differs"):
        jobs.refill(kept.seq, mirror, kept.signer)
    checkpoint = mirror / "checkpoint"
    checkpoint.write_text(checkpoint.read_text().replace("\n6\n", "\n7\n"))
    with pytest.raises(MirrorError, match="mirror-broken"):
        jobs.refill(kept.seq, mirror, kept.signer)
    shutil.rmtree(mirror)
    with pytest.raises(MirrorError, match="mirror-broken"):
        jobs.refill(kept.seq, mirror, kept.signer)
    assert newest(kept.seq).size == 2


def test_a_mirror_that_is_ahead_says_so_without_any_witness(
    append: Append, keeper: Keeper, owner: psycopg.Connection, jobs_database: Database, tmp_path: Path
) -> None:
    kept = replace(keeper, mirror=tmp_path / "mirror")
    grow(append, kept, 2)
    save(owner)
    grow(append, kept, 4)
    kept.ask_witnesses()
    restore(owner)
    assert kept.ask_witnesses() is None
    with jobs_database.transaction(None) as session:
        stopped = reads.recovery(session)
    assert stopped is not None
    assert (stopped.who, stopped.code, stopped.size) == ("mirror", "ahead", 6)


def test_the_mirror_is_in_the_layout_of_c2sp_tiles(append: Append, keeper: Keeper, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    grow(append, keeper, 260)
    assert jobs.mirror(keeper.seq, keeper.jobs, mirror, keeper.signer) == 260
    found = sorted(path.relative_to(mirror).as_posix() for path in mirror.rglob("*") if path.is_file())
    bundles = [f"tile/{kind}/{name}" for kind in ("0", "entries") for name in ("000", "001.p/4")]
    assert found == sorted(["checkpoint", *bundles])
    text = (mirror / "checkpoint").read_text()
    hashes = (mirror / "tile/0/000").read_bytes() + (mirror / "tile/0/001.p/4").read_bytes()
    leaves = [hashes[at : at + 32] for at in range(0, len(hashes), 32)]
    assert tree.root(leaves) == notes.open_checkpoint(text, keeper.signer.verifier).root
