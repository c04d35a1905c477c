# SPDX-License-Identifier: Apache-2.0
"""A desk with a full casebook: how long the server takes for each main page, and how many bytes go out, gzipped.

Fills a casebook with people, cases, signed consents, referrals in every state and follow-ups, then asks for each page
many times with nothing kept between requests but what the desk keeps itself. Goal (ux.md §5): p95 ≤ 150 ms, ≤ 60 KB.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import random
import secrets
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from connectors.casebook import tables, tables_files, tables_mirror
from connectors.casebook.people import search_key
from connectors.casebook.statements import Pen
from connectors.desk.app import create_desk
from connectors.desk.staff import service as staff
from connectors.desk.staff.pages import SESSION_TOKEN
from connectors.desk.web.courier import Direct
from connectors.desk.web.site import Site
from connectors.desk.web.visits import Role
from connectors.sdk import threads
from connectors.sync.connector import Connector, open_connector
from connectors.sync.registration import Applicant, create_agency
from connectors.testing.memory import MemoryHub
from connectors.testing.seat import Seat
from consent import receipts
from consent.receipts import ConsentRecord
from consent.scopes import Scope

LIMIT_MS = 150
LIMIT_BYTES = 60_000
PARTNERS = 12
STATES = (
    ("closed", 60), ("requested", 8), ("received", 4), ("accepted", 6), ("in_progress", 12), ("on_hold", 2),
    ("outcome_reported", 3), ("declined", 2), ("cancelled", 3),
)  # fmt: skip
PAGES = (
    "/", "/?scope=office", "/?scope=office&all=1", "/day?scope=office", "/followups", "/followups?scope=office",
    "/followups/month", "/cases", "/search?q=%E6%9E%B6%E7%A9%BA", "/referrals", "/inbox", "/intakes", "/agencies",
)  # fmt: skip

_LINE = "{path:<26} p50 {p50_ms:>7} ms  p95 {p95_ms:>7} ms (cpu {p95_cpu_ms:>6})  {bytes:>7} bytes gzipped"


def main() -> int:
    """Fill a casebook, ask for the pages, print a table and a JSON line."""
    parser = argparse.ArgumentParser(prog="python -m bench desk")
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--referrals", type=int, default=10_000)
    parser.add_argument("--follow-ups", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=40)
    asked = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder)) as connector:
        began = time.perf_counter()
        me = fill(connector, cases=asked.cases, referrals=asked.referrals, follow_ups=asked.follow_ups)
        print(f"filled in {time.perf_counter() - began:.1f} s", flush=True)
        app = create_desk(Site(connector=connector, courier=Direct(connector=connector), sample=True))
        client = app.test_client()
        with connector.casebook.transaction() as connection:
            begun = staff.begin(connection, me, now=connector.now())
        with client.session_transaction() as session:
            session[SESSION_TOKEN] = begun.token
        for path in PAGES:
            row = _ask(client, path, asked.rounds)
            if row is not None:
                rows.append(row)
                print(_LINE.format(**row), flush=True)
    late = [row["path"] for row in rows if row["p95_ms"] > LIMIT_MS or row["bytes"] > LIMIT_BYTES]
    print(json.dumps({"bench": "desk", "machine": platform.machine(), "cores": os.cpu_count(), "rows": rows}))
    print("over the goal: " + (", ".join(late) or "none"))
    return 0


def desk(folder: Path) -> Connector:
    """Give an agency of its own, with a hub in memory."""
    hub, passphrase = MemoryHub(), secrets.token_urlsafe(18)
    names = {"name_ja": "架空の自立相談支援機関", "name_en": "Fictional support centre"}
    made = create_agency(folder, passphrase, Applicant(kind="jiritsu", hub="https://hub.example", **names), now=_now())
    agency = hub.join(made.request.read_bytes())
    return open_connector(folder, passphrase, hub=Seat(hub, agency))


def fill(connector: Connector, *, cases: int, referrals: int, follow_ups: int) -> str:
    """Fill a casebook as years of work would; give the id of a member of staff with casework."""
    chance, now = random.Random(7), _now()
    with connector.casebook.transaction() as connection:
        me, _ = staff.enrol(
            connection, login="bench", name="仮名 計", team="A",
            roles=frozenset({Role.CASEWORKER, Role.SUPERVISOR}), by="bench", now=now,
        )  # fmt: skip
        workers = [me, *(f"worker-{n}" for n in range(9))]
        partners = [str(uuid.uuid4()) for _ in range(PARTNERS)]
        handles = [str(uuid.uuid4()) for _ in range(cases)]
        _insert(connection, tables.agencies, (_agency(one, n, now) for n, one in enumerate(partners)))
        _insert(connection, tables.persons, (_person(n, now) for n in range(cases)))
        _insert(connection, tables.cases, (_case(n, one, connector.agency, now) for n, one in enumerate(handles)))
        _insert(connection, tables_files.case_files, (_file(n, h, workers, now) for n, h in enumerate(handles)))
        pen = connector.pen(me)
        _insert(connection, tables.consents, (_consent(chance, pen, h, chance.choice(partners)) for h in handles))
        details = [
            _referral(chance, connector.agency, chance.choice(partners), chance.choice(handles), now)
            for _ in range(referrals)
        ]
        _insert(connection, tables.referrals, (_listed(one) for one in details))
        adapter = TypeAdapter(threads.ReferralDetail)
        _insert(
            connection,
            tables_mirror.referral_details,
            (
                {"referral": one.id, "version": 1, "document": adapter.dump_python(one, mode="json"), "fetched_at": now}
                for one in details
            ),
        )
        marks = [
            {"referral": one.id, "urgency": one.urgency, "sent_at": one.sent_at, "next_on": None} for one in details
        ]
        _insert(connection, tables_mirror.referral_marks, marks)
        chosen = chance.sample(details, min(follow_ups, len(details)))
        _insert(
            connection, tables_mirror.follow_ups, (_follow_up(chance, one, connector.agency, now) for one in chosen)
        )
    return me


def _insert(connection: sa.Connection, table: sa.Table, rows: Any) -> None:
    listed = list(rows)
    if listed:
        connection.execute(sa.insert(table), listed)


def _agency(agency: str, n: int, now: datetime) -> dict[str, Any]:
    names = {"name_ja": f"架空の機関 {n}", "name_en": f"Fictional agency {n}"}
    return {"id": agency, "kind": "shakyo", **names, "state": "active", "root": {}, "keys": [], "fetched_at": now}


def _person(n: int, now: datetime) -> dict[str, Any]:
    name = f"架空 {n}子"
    return {"id": f"p{n}", "name": name, "kana": "カクウ", "search_key": search_key(name), "created_at": now}


def _case(n: int, handle: str, owner: str, now: datetime) -> dict[str, Any]:
    return {"handle": handle, "person": f"p{n}", "owner": owner, "created_at": now, "closed_at": None}


def _file(n: int, handle: str, workers: list[str], now: datetime) -> dict[str, Any]:
    return {
        "case": handle, "number": f"令8-{n:05d}", "worker": workers[n % len(workers)], "team": "AB"[n % 2],
        "caution": "", "opened_on": now.date(), "updated_at": now, "updated_by": "bench",
    }  # fmt: skip


def _consent(chance: random.Random, pen: Pen, case: str, partner: str) -> dict[str, Any]:
    """Sign a consent that the hub has registered; a twelfth of them end within a month."""
    signed_at = pen.now - timedelta(days=chance.randrange(1, 300))
    scope = Scope(
        id=str(uuid.uuid4()), case=case, form=str(uuid.uuid4()), kind="intake_form",
        hub_parties=frozenset({pen.agency}), partners=frozenset({partner}), purposes=frozenset({"koguchi_shikin"}),
        categories=frozenset({"identity", "contact"}), valid_from=signed_at,
        valid_until=signed_at + timedelta(days=360), signature="self", signed_at=signed_at, written_by="person",
        read_aloud=True, form_version="2026-1", template="bench", evidence="ab" * 32,
    )  # fmt: skip
    record = ConsentRecord.of(scope, pen.agency)
    token = receipts.sign_statement(record, pen.key)
    return {
        "id": record.id, "signer": pen.agency, "case": case, "form": scope.form, "token": token,
        "registered_at": signed_at, "status": None, "status_as_of": None, "refused": None,
    }  # fmt: skip


def _referral(chance: random.Random, us: str, partner: str, case: str, now: datetime) -> threads.ReferralDetail:
    state = chance.choices([one for one, _ in STATES], [weight for _, weight in STATES])[0]
    is_sent = chance.random() < 0.7
    sender, recipient = (us, partner) if is_sent else (partner, us)
    sent_at = now - timedelta(days=chance.randrange(1, 200))
    waits_for = {"requested": recipient, "received": recipient, "closed": None, "cancelled": None}
    awaiting = waits_for.get(state, sender if state in {"outcome_reported", "declined"} else recipient)
    ball = None if awaiting is None else sender if state in {"requested", "received"} else awaiting
    own = str(uuid.uuid4())
    moves = tuple(
        threads.Move(version=n, event="progress", frm="in_progress", to="in_progress", role="R", at=sent_at, entry=own)
        for n in range(1, 6)
    )
    return threads.ReferralDetail(
        id=own, root=own, hop=0, thread=str(uuid.uuid4()), message=own, case=case, sender=sender, recipient=recipient,
        coordinator=sender, purpose="koguchi_shikin", urgency=chance.choice(("normal",) * 18 + ("soon", "same_day")),
        basis="consent", state=state, version=1, ball=ball, awaiting=awaiting,
        due_at=now + timedelta(hours=chance.randrange(-240, 480)) if awaiting else None,
        sent_at=sent_at, updated_at=sent_at, history=moves,
    )  # fmt: skip


def _listed(one: threads.ReferralDetail) -> dict[str, Any]:
    columns = [column.name for column in tables.referrals.columns]
    return {name: getattr(one, name) for name in columns}


def _follow_up(chance: random.Random, one: threads.ReferralDetail, us: str, now: datetime) -> dict[str, Any]:
    due = (now + timedelta(days=chance.randrange(-60, 180))).date()
    asked = threads.FollowUp(n=1, agency=us, due_on=due)
    document = TypeAdapter(threads.FollowUp).dump_python(asked, mode="json")
    return {
        "referral": one.id, "n": 1, "case": one.case, "agency": us, "due_on": due,
        "done_at": now if chance.random() < 0.3 else None, "document": document,
    }  # fmt: skip


def _ask(client: Any, path: str, rounds: int) -> dict[str, Any] | None:
    first = client.get(path)
    if first.status_code != 200:
        return None
    took, worked = [], []
    for _ in range(rounds):
        began, busy = time.perf_counter(), time.thread_time()
        answer = client.get(path)
        took.append((time.perf_counter() - began) * 1000)
        worked.append((time.thread_time() - busy) * 1000)
        assert answer.status_code == 200, path
    cuts = quantiles(took, n=20)
    size = len(gzip.compress(first.get_data(), mtime=0))
    busy = quantiles(worked, n=20)
    figures = {"p50_ms": cuts[9], "p95_ms": cuts[18], "p95_cpu_ms": busy[18]}
    return {"path": path, **{name: round(value, 1) for name, value in figures.items()}, "bytes": size}


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    sys.exit(main())
