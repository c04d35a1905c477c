# SPDX-License-Identifier: Apache-2.0
"""One closed loop on a running hub: send a referral with five sealed parts, collect it, three moves, read its state.

Sender, receiver, hub, PostgreSQL and Valkey share this machine; the connectors' own work (sealing, signing, proofs, the
encrypted casebook) is in the figures. They are to be compared with one another, not with another machine's.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import quantiles

from connectors.casebook import people, statements
from connectors.casebook.compose import Letter
from connectors.sync.connector import Connector, open_connector
from connectors.sync.registration import Applicant, Profile, create_agency
from consent.calendar import JST
from consent.envelope.sealing import PlainPart
from consent.scopes import Scope
from deploy.play.stage import Stage, open_stage

CATEGORIES = ("identity", "contact", "income_assets", "debt_arrears", "benefits")
PART_BYTES = 2048
PURPOSE = "koguchi_shikin"
STAFF = "bench-worker"


def main() -> int:
    """Measure `--loops` loops at each number of clients and print a table and a JSON line."""
    parser = argparse.ArgumentParser(prog="python -m bench loop")
    parser.add_argument("--loops", type=int, default=60)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 8])
    asked = parser.parse_args()
    rows = []
    with open_stage(play=False) as stage:
        sender, receiver = (_found(stage, kind) for kind in ("jiritsu", "shakyo"))
        for clients in asked.clients:
            rows.append(_measure(sender, receiver, clients, asked.loops))
            print(
                "{clients:>3} clients  {loops_per_second:>6} loops/s  p50 {p50_ms:>6} ms  p95 {p95_ms:>6} ms".format(
                    **rows[-1]
                ),
                flush=True,
            )
    print(json.dumps({"bench": "loop", "machine": platform.machine(), "cores": os.cpu_count(), "rows": rows}))
    return 0


def _found(stage: Stage, kind: str) -> Connector:
    folder = stage.folder / kind
    passphrase, name = secrets.token_urlsafe(18), f"架空の機関 {kind}"
    applicant = Applicant(
        kind=kind, name_ja=name, name_en=kind, hub=stage.url, profile=Profile(coordinates=kind == "jiritsu")
    )
    stage.admit(create_agency(folder, passphrase, applicant, now=datetime.now(UTC)))
    return open_connector(folder, passphrase)


def _measure(sender: Connector, receiver: Connector, clients: int, loops: int) -> dict[str, float]:
    for one in (sender, receiver):
        one.fetch_directory()
    cases = [_case(sender, receiver.agency) for _ in range(loops)]
    sender.push()
    sender.push()  # the first round learns that the consents are registered, the second sends their statuses
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        took = list(pool.map(lambda case: _loop(sender, receiver, case), cases))
    seconds = time.perf_counter() - began
    cuts = quantiles(took, n=20)
    return {
        "clients": clients,
        "loops": loops,
        "loops_per_second": round(loops / seconds, 1),
        "p50_ms": round(cuts[9] * 1e3),
        "p95_ms": round(cuts[18] * 1e3),
    }


def _case(sender: Connector, partner: str) -> str:
    handle, pen = str(uuid.uuid4()), sender.pen(STAFF)
    scope = Scope(
        id=pen.new_id(),
        case=handle,
        form=str(uuid.uuid4()),
        kind="intake_form",
        hub_parties=frozenset({sender.agency}),
        partners=frozenset({partner}),
        purposes=frozenset({PURPOSE}),
        categories=frozenset(CATEGORIES),
        valid_from=pen.now,
        valid_until=pen.now + timedelta(days=90),
        signature="self",
        signed_at=pen.now,
        written_by="person",
        form_version="bench",
        template="bench",
        evidence=secrets.token_hex(32),
    )
    with sender.casebook.transaction() as book:
        person = people.register_person(
            book, person=pen.new_id(), name="架空田 一郎", kana="", staff=STAFF, now=pen.now
        )
        people.open_case(book, handle=handle, person=person.id, owner=sender.agency, staff=STAFF, now=pen.now)
    sender.hub.open_case(handle)
    with sender.casebook.transaction() as book:
        statements.record_consents(book, [scope], pen)
    return handle


def _loop(sender: Connector, receiver: Connector, case: str) -> float:
    parts = tuple(
        PlainPart(category=category, media="text/plain", body=secrets.token_bytes(PART_BYTES))
        for category in CATEGORIES
    )
    began = time.perf_counter()
    sent = sender.submit(Letter(case=case, recipient=receiver.agency, purpose=PURPOSE, parts=parts), staff=STAFF)
    waiting = next(one for one in receiver.hub.inbox() if one.id == sent.message)
    receiver.hub.collect(waiting.id)
    version = sent.version
    today = datetime.now(JST).date()
    for event, said in (
        ("accept", {"worker": STAFF, "worker_role": "counsellor", "next_on": today + timedelta(days=1)}),
        ("start", {"what": "contact_made", "on": today}),
        ("report-outcome", {"outcome": "service_started"}),
    ):
        version = receiver.hub.move(sent.id, event, said, version=version).version
    sender.hub.referral(sent.id)
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
