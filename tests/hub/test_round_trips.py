# SPDX-License-Identifier: Apache-2.0
"""What a busy request may cost the database: round trips, counted in the driver's trace of the protocol, and blocks.

Both are the same on every machine, unlike times (docs/performance.md).
"""

import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, Any

import psycopg
import pytest
from psycopg.pq import Trace
from sqlalchemy import event

from bench.caller import Answer, Caller, run
from bench.pair import PURPOSE, Pair, found_pair, prepare
from hub.base import rounds
from hub.base.config import Settings
from hub.base.db import Database, Duty, Role
from hub.intakes import reads as intakes
from hub.messages import known
from hub.referrals import reads as referrals
from tests.hub.builders import ISSUER, officer, open_app, operator
from tests.hub.conftest import Place

ROUND_TRIPS: Mapping[str, int] = {
    # enter with everything foreseen · the case's facts under its locks · message · referral · the rest with the commit
    "submit": 5,
    # enter with the page · labels · commit
    "inbox": 3,
    # enter with message and parts · facts under the locks · commit
    "collect": 3,
    # enter with everything · the state after it · commit
    "receipt": 3,
    # enter with referral and history · what the receiver opened, once it is accepted · commit
    "move": 3,
    # enter with referral, history and what goes beside it · thread, hops, meter · commit
    "status": 3,
}
MOST_BUFFERS = 30
ROWS = 5000


@pytest.fixture
def traced(hub_database: Place) -> Iterator[tuple[Database, IO[bytes]]]:
    """A database whose driver writes down every message it sends."""
    opened = Database(hub_database.url, Role.HUB, pool_size=1)
    with tempfile.TemporaryFile() as trace:

        def listen(raw: Any, _: object) -> None:
            raw.pgconn.trace(trace.fileno())
            raw.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)

        event.listen(opened.engine, "connect", listen)
        yield opened, trace
        opened.close()


def test_the_busiest_requests_keep_to_their_round_trips(traced: tuple[Database, IO[bytes]], settings: Settings) -> None:
    database, trace = traced
    app = open_app(settings, database)
    pair = found_pair(database, (operator(), officer()))
    first, second = prepare(database, pair, 2)
    counted: Counter[str] = Counter()
    client = app.test_client()

    def send(method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        before = _turns(database, trace)
        got = client.open(path, method=method, base_url=ISSUER, headers=dict(headers), data=body)
        counted[_name(method, path)] = max(counted[_name(method, path)], _turns(database, trace) - before)
        return Answer(got.status_code, got.data, got.headers.get("ETag"))

    sender, receiver = (Caller(ISSUER, one, send) for one in (pair.sender, pair.receiver))
    run(sender, receiver, first)  # the first request with a token looks up what it stands for
    counted.clear()
    run(sender, receiver, second)
    assert dict(counted) == ROUND_TRIPS


NAMES = {
    ("GET", "inbox", 1): "inbox",
    ("GET", "messages", 2): "collect",
    ("GET", "referrals", 2): "status",
    ("POST", "referrals", 1): "submit",
    ("POST", "messages", 3): "receipt",
    ("POST", "referrals", 3): "move",
}


def _name(method: str, path: str) -> str:
    pieces = path.split("/")[2:]
    return NAMES.get((method, pieces[0], len(pieces)), path)


def _turns(database: Database, trace: IO[bytes]) -> int:
    """Count the points at which the driver waits: a Sync ends a pipeline or a statement, a Query is a plain one."""
    with database.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.pgconn.untrace()  # flushes
        trace.seek(0)
        lines = trace.read().splitlines()
        driver.pgconn.trace(trace.fileno())
        driver.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
    return sum(line.split(b"\t")[:1] == [b"F"] and line.split(b"\t")[2] in {b"Sync", b"Query"} for line in lines)


def test_a_wrong_foresight_costs_a_round_trip_and_changes_nothing(database: Database, hub_database: Place) -> None:
    pair = found_pair(database, (operator(), officer()))
    right, wrong = (known.ask_waiting(recipient=one.id, after=None, limit=5) for one in (pair.receiver, pair.sender))
    with database.transaction(pair.receiver.id, ahead=[wrong]) as session:
        assert rounds.ask(session, right)[0].rows == []
    with database.transaction(pair.receiver.id, ahead=[right]) as session:
        assert rounds.ask(session, right, right)[0].rows == []


# ── blocks ──


@pytest.fixture
def crowded(database: Database, hub_database: Place) -> Pair:
    """A hub that has carried thousands of referrals of two agencies and of others; most are over."""
    pair = found_pair(database, (operator(), officer()))
    prepare(database, pair, 1)
    with psycopg.connect(hub_database.admin_url.replace("+psycopg", ""), autocommit=True) as owner:
        for statement in SEED:
            owner.execute(statement, {"a": pair.sender.id, "b": pair.receiver.id, "rows": ROWS, "purpose": PURPOSE})
        for table in ("messages", "message_threads", "message_parts", "referrals", "referral_moves", "consents"):
            owner.execute(f"analyze {table}")
    return pair


SEED = (
    """create temporary table seeded as select n, gen_random_uuid() as id,
        case when n %% 3 = 0 then %(a)s::uuid else gen_random_uuid() end as sender,
        case when n %% 3 = 0 then %(b)s::uuid else gen_random_uuid() end as recipient,
        now() - n * interval '1 minute' as at from generate_series(1, %(rows)s) n""",
    """insert into message_threads select id, id, sender, recipient, id, at, 1, 'h', 0, null from seeded""",
    """insert into messages (id, message, thread_row, thread, seq, sender, recipient, case_handle, case_row, manifest,
        manifest_hash, kind, purpose, urgency, basis, not_after, accepted_at, receipt, waiting_since, delivery)
        select id, id, id, id, 1, sender, recipient, id, null, repeat('m', 2600), id::text, 'referral', %(purpose)s,
        'normal', '{"kind": "consent"}', now() + interval '7 days', at, 'r', at,
        case when n %% 6 = 0 then 'queued' else 'opened' end from seeded""",
    """insert into message_parts select id, k, sender, recipient, 'identity', 'text/plain', 4096, 'h', null, null, null
        from seeded, generate_series(1, 5) k""",
    """insert into referrals (id, root, hop, prior_declines, case_handle, sender, recipient, coordinator, thread,
        opening, purpose, urgency, basis, needs, sent_at, state, version, step, clock_at, since, paused_seconds,
        returned, ball, awaiting, due_at, updated_at)
        select id, id, 0, 0, id, sender, recipient, sender, id,
        id, %(purpose)s, 'normal', 'consent', '["identity"]', at, case when live then 'requested' else 'closed' end,
        1, 0, at, at, 0, 0, case when live then sender end, case when live then recipient end,
        case when live then at end, at from (select *, n %% 10 = 0 as live from seeded) seeded""",
    """insert into referral_moves select id, 1, 'send', 'draft', 'requested', sender, 'S', at, 'd', '{}', id
        from seeded""",
    """insert into cases select id, id, sender, 'accepted', 'open', 1, at, at, null from seeded""",
    """insert into consents (id, consent, signer, case_id, case_handle, hub_parties, partner, record, record_hash,
        valid_until, registered_at) select gen_random_uuid(), id, sender, id, id, array[sender], recipient::text, 'r',
        id::text, now(), at from seeded""",
)


def test_inbox_status_and_consents_read_few_blocks_and_scan_no_table(crowded: Pair, database: Database) -> None:
    sender, receiver = crowded.sender.id, crowded.receiver.id
    with database.transaction(receiver) as session:
        page = known.ask_waiting(recipient=receiver, after=None, limit=21)
        (told,) = rounds.ask(session, page)
        assert len(told.rows) == 21
        rows = [str(row["id"]) for row in told.rows]
        _cheap(session, page)
        _cheap(session, known.ask_message(rows[0], lock=True))
        _cheap(session, known.ask_labels(rows[:5]))
    with database.transaction(sender) as session:
        for asked in (
            referrals.ask_referral(rows[0]),
            referrals.ask_history(rows[0]),
            *referrals.ask_beside(rows[0]),
            referrals.ask_hops(rows[0]),
            *known.ask_of_thread(agency=sender, other=receiver, thread=rows[0]),
            referrals.ask_open_need(sender=sender, case=rows[0], recipient=receiver, purpose=PURPOSE),
        ):
            _cheap(session, asked)
    with database.transaction(sender, Duty.DECIDE) as session:
        for asked in intakes.ask_facts(rows[0], lock=True):
            _cheap(session, asked)


def _cheap(session: Any, asked: rounds.Asked) -> None:
    told = rounds.ask(session, rounds.Asked(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked.sql}", asked.values))
    (plan,) = (row["QUERY PLAN"][0]["Plan"] for row in told[0].rows)
    nodes = list(_nodes(plan))
    # tables of a handful of rows are read whole, as they should be
    scanned = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan" and "Relation Name" in node}
    assert not scanned & BIG, (scanned, asked.sql)
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= MOST_BUFFERS, (plan, asked.sql)


BIG = {"messages", "message_threads", "message_parts", "referrals", "referral_moves", "consents", "cases"}


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)
