# SPDX-License-Identifier: Apache-2.0
"""The hub and three witnesses at work: a quorum, a split view that is found, a restore that signs nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from connectors.witness.answering import Witness
from connectors.witness.folder import make_folder
from connectors.witness.serve import open_witness
from consent.tlog import notes, policy, tree
from hub.audit import erasing, jobs, reads
from hub.audit.keeping import Keeper, Pace
from hub.audit.mirroring import MirrorError
from hub.audit.rules import AuditKind
from hub.audit.sending import Line, NoAnswerError
from hub.audit.sequencer import Signer
from hub.audit.witnessing import Asking
from hub.base.db import Database, now
from hub.base.errors import ConflictError, InvalidError, NotFoundError, UnavailableError

from .conftest import OURS, Append

NAMES = ("officer:dpo", "agency:midori", "outside:daigaku")
GROUPS = "group others any officer:dpo outside:daigaku\ngroup enough all agency:midori others\nquorum enough\n"
FIRST, SECOND = "00000000-0000-4000-8000-0000000000f1", "00000000-0000-4000-8000-0000000000f2"


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


@pytest.fixture
def town(tmp_path: Path, signer: Signer) -> Iterator[Town]:
    with ExitStack() as stack:
        witnesses, served, lines = {}, {}, [f"log {signer.verifier.text()}\n"]
        for name in NAMES:
            folder = make_folder(tmp_path / name, f"{name.partition(':')[2]}.example")
            with folder.transaction() as seen:
                seen.watch(signer.verifier)
            witnesses[name] = Witness(folder=folder)
            served[name] = stack.enter_context(ExitStack())
            url = served[name].enter_context(open_witness(witnesses[name], host="127.0.0.1", port=0))
            lines.append(f"witness {name} {folder.verifier.text()} {url}\n")
        yield Town(witnesses=witnesses, policy=policy.read_policy("".join(lines) + GROUPS), served=served)


@pytest.fixture
def keeper(town: Town, sequencer_database: Database, jobs_database: Database, signer: Signer) -> Keeper:
    asking = Asking(policy=town.policy, line=Line(seconds=3))
    return Keeper(seq=sequencer_database, jobs=jobs_database, signer=signer, asking=asking, pace=Pace(0))


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


# ── a quorum ──


def test_three_witnesses_cosign_and_the_quorum_is_served_with_the_checkpoint(
    append: Append, keeper: Keeper, town: Town, jobs_database: Database
) -> None:
    grow(append, keeper, 5)
    found = keeper.ask_witnesses()
    assert found is not None
    assert (found.size, found.is_enough, found.against) == (5, True, ())
    with jobs_database.transaction(None) as session:
        shown = reads.witnessed(session)
        standings = reads.standings(session)
    assert shown is not None
    seen = policy.quorum(notes.read_note(shown.note), town.policy, now=datetime.now(UTC))
    assert seen.is_reached
    assert seen.checkpoint.size == 5
    assert {one.witness.name for one in seen.cosigned} == set(NAMES)
    assert {(one.code, one.size) for one in standings} == {("cosigned", 5)}
    grow(append, keeper, 300)
    assert keeper.ask_witnesses().size == 305


def test_nothing_is_signed_before_the_witnesses_have_answered(
    append: Append, keeper: Keeper, town: Town, sequencer_database: Database
) -> None:
    for name in ("officer:dpo", "agency:midori"):
        town.close(name)
    append()
    assert keeper.sequence() == 0
    assert newest(sequencer_database).size == 0
    assert not keeper.agreed.is_set()


def test_one_witness_that_is_away_costs_its_cosignature_and_nothing_else(
    append: Append, keeper: Keeper, town: Town, jobs_database: Database
) -> None:
    town.close("outside:daigaku")
    grow(append, keeper, 3)
    found = keeper.ask_witnesses()
    assert found is not None
    assert found.is_enough
    assert [one.code for one in found.answers] == ["cosigned", "cosigned", "unreachable"]
    with jobs_database.transaction(None) as session:
        assert reads.recovery(session) is None


def test_without_the_agencys_witness_there_is_no_quorum(
    append: Append, keeper: Keeper, town: Town, jobs_database: Database
) -> None:
    grow(append, keeper, 3)
    town.close("agency:midori")
    append()
    jobs.sequence(keeper.seq, keeper.signer)
    found = keeper.ask_witnesses()
    assert found is not None
    assert not found.is_enough
    with jobs_database.transaction(None) as session:
        shown = reads.witnessed(session)
    assert shown is not None
    assert shown.size == 0, "the newest that enough have seen, not the newest that somebody has"


def test_witnesses_are_asked_at_most_once_a_minute_and_hourly_when_nothing_grows(
    append: Append, keeper: Keeper, jobs_database: Database, owner: psycopg.Connection
) -> None:
    grow(append, keeper, 1)
    assert not jobs.is_due(jobs_database), "asked a moment ago"
    owner.execute("update log_witnesses set asked_at = asked_at - interval '61 seconds'")
    assert jobs.is_due(jobs_database)
    keeper.ask_witnesses()
    owner.execute("update log_witnesses set asked_at = asked_at - interval '59 minutes'")
    assert not jobs.is_due(jobs_database), "nothing has grown"
    owner.execute("update log_witnesses set asked_at = asked_at - interval '2 minutes'")
    assert jobs.is_due(jobs_database)


def test_a_witness_that_lost_its_memory_is_told_from_the_beginning(append: Append, keeper: Keeper, town: Town) -> None:
    grow(append, keeper, 4)
    keeper.ask_witnesses()
    with town.witnesses["officer:dpo"].folder.transaction() as seen:
        seen._connection.execute("update logs set note = null")
    grow(append, keeper, 3)
    found = keeper.ask_witnesses()
    assert found is not None
    assert [one.code for one in found.answers] == ["cosigned"] * 3


def test_a_witness_that_answers_nonsense_is_not_believed(
    append: Append, keeper: Keeper, jobs_database: Database
) -> None:
    answers = iter(
        [(200, b"hello\n"), (409, b"many\n"), (409, b"\xff"), (500, b""), (302, b""), (404, b""), (403, b"")]
    )

    class Odd(Line):
        def post(self, url: str, body: bytes):
            from hub.audit.sending import Told

            status, said = next(answers)
            return Told(status=status, body=said)

    assert keeper.asking is not None
    jobs.begin(keeper.seq, keeper.signer)
    only = replace(keeper.asking.policy, witnesses=keeper.asking.policy.witnesses[:1])
    odd = Asking(policy=only, line=Odd())
    codes = []
    for _ in range(7):
        found = jobs.ask_witnesses(jobs_database, odd)
        assert found is not None
        codes += [one.code for one in found.answers]
    assert codes == ["malformed"] * 3 + ["status-500", "status-302", "log-unknown", "key-unknown"]
    with jobs_database.transaction(None) as session:
        assert reads.recovery(session) is None


def test_nobody_waits_for_ever_for_an_answer() -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NoAnswerError):
            Line(seconds=0.2, pool=_impatient()).post(f"http://127.0.0.1:{silent.getsockname()[1]}/", b"x")


def _impatient():
    from urllib3 import PoolManager, Timeout

    return PoolManager(timeout=Timeout(0.2), retries=False)


# ── a split view ──


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


@pytest.mark.parametrize("grows", [False, True])
def test_a_log_that_was_rewritten_and_signed_anew_is_found_at_the_next_asking(
    append: Append, keeper: Keeper, town: Town, owner: psycopg.Connection, jobs_database: Database, grows: bool
) -> None:
    grow(append, keeper, 9)
    keeper.ask_witnesses()
    rewrite(owner, keeper.signer, 4)
    assert jobs.verify(keeper.seq, keeper.signer) == 9, (
        "the hub itself finds nothing: whoever has the keys made it whole"
    )
    if grows:
        grow(append, keeper, 2)
    found = keeper.ask_witnesses()
    assert found is not None
    assert [one.code for one in found.against] == ["differs"] * 3
    assert town.evidence("agency:midori") == ["bad-proof" if grows else "root-differs"]
    with jobs_database.transaction(None) as session:
        stopped = reads.recovery(session)
    assert stopped is not None
    assert (stopped.code, stopped.size) == ("differs", 9)
    with pytest.raises(UnavailableError, match="log-recovering"):
        append()


# ── a restore ──

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


# ── erasure ──


def erase(keeper: Keeper, indexes: list[int]) -> str:
    with keeper.jobs.transaction(None) as session:
        made = erasing.order(session, indexes, ground=erasing.Ground.RETENTION_ENDED, by=FIRST, now=now(session))
    with keeper.jobs.transaction(None) as session:
        erasing.confirm(session, made, by=SECOND, now=now(session))
    return made


@pytest.fixture
def alone(keeper: Keeper) -> Keeper:
    return replace(keeper, asking=None)


def test_erased_bytes_go_and_the_tree_the_proofs_and_the_check_stay_whole(
    append: Append, alone: Keeper, database: Database, owner: psycopg.Connection, tmp_path: Path
) -> None:
    ids = grow(append, alone, 8)
    jobs.mirror(alone.seq, alone.jobs, tmp_path, alone.signer)
    before = newest(alone.seq)
    erase(alone, [2, 5])
    assert alone.erase() == 0, "not before the tombstone is in the tree"
    alone.sequence()
    assert alone.erase() == 2
    assert alone.erase() == 0
    assert owner.execute("select index from log_entries where body is null order by index").fetchall() == [(2,), (5,)]
    assert owner.execute(
        "select count(*) from log_entries where case_handle is null and index in (2, 5)"
    ).fetchone() == (2,)
    assert jobs.verify(alone.seq, alone.signer) == 9
    with database.transaction(OURS) as session:
        assert [one.id for one in reads.entries(session, OURS)] == [one for n, one in enumerate(ids) if n not in {2, 5}]
        assert reads.entry(session, OURS, ids[2]) is None
        proof = reads.inclusion(session, 2)
        assert proof is not None
        assert reads.tile(session, level=0, number=0, width=9) is not None
    assert kinds(alone.seq)[8] == AuditKind.LOG_ERASED
    with alone.seq.transaction(None) as session:
        assert reads.frontier(session, 8).root() == before.root
    jobs.mirror(alone.seq, alone.jobs, tmp_path, alone.signer)
    bundle = (tmp_path / "tile" / "entries" / "000.p" / "9").read_bytes()
    assert ids[2].encode() not in bundle
    assert ids[3].encode() in bundle


def test_an_entry_without_bytes_and_without_tombstone_is_a_hand_on_the_log(
    append: Append, alone: Keeper, owner: psycopg.Connection
) -> None:
    grow(append, alone, 4)
    erase(alone, [1])
    alone.sequence()
    alone.erase()
    owner.execute("update log_entries set body = null where index = 2")
    with pytest.raises(reads.LogDamagedError, match="entry-missing at 2"):
        jobs.verify(alone.seq, alone.signer)


def test_one_person_alone_erases_nothing(append: Append, alone: Keeper) -> None:
    grow(append, alone, 4)
    with alone.jobs.transaction(None) as session:
        made = erasing.order(session, [0], ground=erasing.Ground.COURT_ORDER, by=FIRST, now=now(session))
    with pytest.raises(ConflictError, match="same-person"), alone.jobs.transaction(None) as session:
        erasing.confirm(session, made, by=FIRST, now=now(session))
    alone.sequence()
    assert alone.erase() == 0
    with alone.jobs.transaction(None) as session:
        erasing.confirm(session, made, by=SECOND, now=now(session))
    with pytest.raises(ConflictError, match="erasure-confirmed"), alone.jobs.transaction(None) as session:
        erasing.confirm(session, made, by=SECOND, now=now(session))
    with pytest.raises(NotFoundError), alone.jobs.transaction(None) as session:
        erasing.confirm(session, OURS, by=SECOND, now=now(session))


@pytest.mark.parametrize(
    ("indexes", "code"),
    [([], "erasure-empty"), ([9], "erasure-not-there"), ([-1], "erasure-not-there"), ([3], "erasure-kept"),
     (list(range(10_001)), "erasure-too-large"), ([0, 3], "erasure-kept")],
)  # fmt: skip
def test_what_may_not_be_erased_is_refused(append: Append, alone: Keeper, indexes: list[int], code: str) -> None:
    for _ in range(3):
        append()
    append(kind=AuditKind.KEY_PUBLISHED)
    alone.sequence()
    with pytest.raises(InvalidError, match=code), alone.jobs.transaction(None) as session:
        erasing.order(session, indexes, ground=erasing.Ground.PERSON_ASKED, by=FIRST, now=now(session))


@pytest.mark.parametrize(
    "statement",
    [
        "update log_entries set body = null where index = 1",
        "update log_entries set body = 'x', case_handle = null where index = 0",
        "update log_entries set body = null where index = 99",
    ],
)
def test_no_role_of_ours_takes_other_bytes_away(append: Append, alone: Keeper, hub_database, statement: str) -> None:
    grow(append, alone, 3)
    erase(alone, [0])
    alone.sequence()
    for word in ("no", "yes" if "99" not in statement else "no"):
        with psycopg.connect(hub_database.url.replace("+psycopg", "")) as connection:
            connection.execute("set role tsn_seq")
            connection.execute("select set_config('tsn.erasing', %s, false)", [word])
            with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
                connection.execute(statement)
    alone.erase()
    assert jobs.verify(alone.seq, alone.signer) == 4


def test_a_pace_is_one_at_once_and_then_one_a_while() -> None:
    pace = Pace(3600)
    assert [pace.is_time() for _ in range(3)] == [True, False, False]
