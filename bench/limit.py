# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL's own limit: rows like those of a submission and of a whole loop, written by pgbench, nothing checked.

No foreign keys, policies, reads or cryptography, two processes' worth of connections: nobody who keeps these rows in
this PostgreSQL can be faster. Skipped with a reason where there is no pgbench.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psycopg

from deploy.play.stage import open_stage

SECONDS = 6
CLIENTS = (1, 8, 32)
TABLES = """
create schema if not exists bench_limit;
set search_path = bench_limit;
create unlogged table sealed (body bytea);
insert into sealed select string_agg(sha256(n::text::bytea), '') from generate_series(1, 268) n; -- as sealed
create table referral (id uuid primary key, a uuid, b uuid, state text, version int, at timestamptz, rest text);
create index on referral (a, at, id);
create index on referral (b, at, id);
create table message (id uuid primary key, a uuid, b uuid, state text, at timestamptz, manifest text);
create index on message (b, at, id);
create table part (message uuid, n int, body bytea, primary key (message, n));
alter table part alter body set storage external;
create table log (id uuid primary key, arrival bigint generated always as identity, body bytea);
create table event (seq bigint generated always as identity primary key, agency uuid, about uuid);
create table key (agency uuid, key uuid, answer bytea, primary key (agency, key));
create table used (digest uuid primary key);
"""
SUBMIT = """
with r as (select gen_random_uuid() as id),
 m as (insert into bench_limit.message select id, id, id, 'queued', now(), repeat('m', 2600) from r),
 p as (insert into bench_limit.part select r.id, n, s.body from r, bench_limit.sealed s, generate_series(1, 5) n),
 l as (insert into bench_limit.log (id, body) select gen_random_uuid(), convert_to(repeat('l', 1500), 'UTF8') from r, generate_series(1, 2)),
 e as (insert into bench_limit.event (agency, about) select id, id from r, generate_series(1, 2)),
 k as (insert into bench_limit.key select id, id, convert_to(repeat('k', 2500), 'UTF8') from r),
 u as (insert into bench_limit.used select gen_random_uuid() from r)
insert into bench_limit.referral select id, id, id, 'requested', 1, now(), repeat('r', 300) from r returning id \\gset
"""  # noqa: E501 - one statement, as pgbench takes it
FOLLOWING = """
with u as (insert into bench_limit.used values (gen_random_uuid()))
update bench_limit.message set state = 'offered' where id = ':id';
with u as (insert into bench_limit.used values (gen_random_uuid())),
 l as (insert into bench_limit.log (id, body) values (gen_random_uuid(), convert_to(repeat('l', 1500), 'UTF8'))),
 m as (update bench_limit.message set state = 'out' where id = ':id')
select body from bench_limit.part where message = ':id';
"""
MOVE = """
with u as (insert into bench_limit.used values (gen_random_uuid())),
 l as (insert into bench_limit.log (id, body) values (gen_random_uuid(), convert_to(repeat('l', 700), 'UTF8'))),
 e as (insert into bench_limit.event (agency, about) values (':id', ':id')),
 k as (insert into bench_limit.key values (':id', gen_random_uuid(), convert_to(repeat('k', 1200), 'UTF8')))
update bench_limit.referral set version = version + 1, at = now() where id = ':id';
"""
STATUS = """
with u as (insert into bench_limit.used values (gen_random_uuid()))
select * from bench_limit.referral where id = ':id';
"""
SCRIPTS = {"submit": SUBMIT, "loop": SUBMIT + FOLLOWING + MOVE * 4 + STATUS}


def measure(url: str) -> dict[str, Any]:
    """Run both scripts against the cluster behind `url`; where there is no pgbench, give the reason."""
    program = shutil.which("pgbench")
    if program is None:
        return {"skipped": "no pgbench on this machine"}
    address = url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(TABLES)
    try:
        return {name: _run(program, address, script) for name, script in SCRIPTS.items()}
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute("set client_min_messages = error; drop schema bench_limit cascade")


def shown(bound: dict[str, Any]) -> str:
    """Write the result as lines."""
    if "skipped" in bound:
        return f"PostgreSQL's own limit: skipped, {bound['skipped']}"
    return "\n".join(
        f"PostgreSQL's own limit, {name}: " + ", ".join(f"{n} clients {tps}/s" for n, tps in found.items())
        for name, found in bound.items()
    )


def _run(program: str, address: str, script: str) -> dict[int, float]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.sql"
        file.write_text(script)
        found = {}
        for clients in CLIENTS:
            command = [
                program,
                "-n",
                "-M",
                "simple",
                "-c",
                str(clients),
                "-j",
                "2",
                "-T",
                str(SECONDS),
                "-f",
                str(file),
            ]
            ended = subprocess.run([*command, address], capture_output=True, text=True, check=False)
            tps = re.search(r"tps = ([\d.]+)", ended.stdout)
            if ended.returncode or tps is None:
                raise RuntimeError(ended.stderr[-500:])
            found[clients] = round(float(tps.group(1)), 1)
        return found


def main() -> int:
    """Measure on a cluster of its own and print the result."""
    with open_stage(play=False) as stage:
        print(shown(measure(stage.settings.migration_url)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
