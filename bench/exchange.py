# SPDX-License-Identifier: Apache-2.0
"""An import of many people at the desk: how long until all is looked at, added, taken back, and what memory it takes.

Goes through the pages as a browser without scripts does: uploads the file, asks for the page of the work as often as it
asks to be asked for, confirms, undoes. The slowest page is told too: nobody else at the desk waits longer than that.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import platform
import re
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.desk import desk, fill
from connectors.desk.app import create_desk
from connectors.desk.exchange.writing import workbook_of
from connectors.desk.staff import service as staff
from connectors.desk.staff.pages import SESSION_TOKEN
from connectors.desk.web.courier import Direct
from connectors.desk.web.site import Site

HEADER = (
    "ケース番号",
    "氏名",
    "ふりがな",
    "生年月日",
    "郵便番号",
    "住所",
    "電話（携帯）",
    "E-mail",
    "相談の内容",
    "備考",
)
_GUARD = re.compile(r'name="csrf_token" value="([^"]+)"')


def main() -> int:
    """Import rows into a desk that has people already; print a line per step and a JSON line."""
    parser = argparse.ArgumentParser(prog="python -m bench exchange")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--kind", choices=("csv-utf-8", "csv-cp932", "xlsx"), default="csv-utf-8")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, desk(Path(folder)) as connector:
        me = fill(connector, cases=asked.cases, referrals=0, follow_ups=0)
        app = create_desk(Site(connector=connector, courier=Direct(connector=connector), sample=True))
        client = app.test_client()
        with connector.casebook.transaction() as connection:
            begun = staff.begin(connection, me, now=connector.now())
        with client.session_transaction() as session:
            session[SESSION_TOKEN] = begun.token
        figures: dict[str, Any] = {"rows": asked.rows, "people before": asked.cases, "kind": asked.kind}
        figures |= _import(client, _file(asked.rows, asked.kind), asked.kind)
    figures["peak MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    for name, value in figures.items():
        print(f"{name:<24} {value}")
    print(json.dumps({"bench": "exchange", "machine": platform.machine(), "cores": os.cpu_count(), **figures}))
    return 0


def _import(client: Any, data: bytes, kind: str) -> dict[str, Any]:
    slowest = [0.0]
    began = time.perf_counter()
    answer = client.get("/exchange/imports/new")
    sent = {"csrf_token": _guard(answer), "kind": kind, "file": (io.BytesIO(data), f"a.{kind[:4].strip('-')}")}
    upload = time.perf_counter()
    answer = client.post("/exchange/imports/new", data=sent)
    taken = time.perf_counter() - upload
    assert answer.status_code == 303, answer.get_data(as_text=True)
    path = answer.headers["Location"]
    answer = _until_it_rests(client, path, slowest)
    checked = time.perf_counter()
    client.post(f"{path}/choices", data={"csrf_token": _guard(answer), "do": "confirm"})
    answer = _until_it_rests(client, path, slowest)
    added = time.perf_counter()
    client.post(f"{path}/undo", data={"csrf_token": _guard(answer)})
    _until_it_rests(client, path, slowest)
    undone = time.perf_counter()
    steps = {"file s": taken, "checked s": checked - began, "added s": added - checked, "taken back s": undone - added}
    return {name: round(value, 1) for name, value in (*steps.items(), ("slowest page s", slowest[0]))}


def _until_it_rests(client: Any, path: str, slowest: list[float]) -> Any:
    while True:
        began = time.perf_counter()
        answer = client.get(path)
        slowest[0] = max(slowest[0], time.perf_counter() - began)
        assert answer.status_code == 200, answer.status
        if "Refresh" not in answer.headers:
            return answer


def _guard(answer: Any) -> str:
    found = _GUARD.search(answer.get_data(as_text=True))
    assert found is not None
    return found[1]


def _file(rows: int, kind: str) -> bytes:
    made = [HEADER, *(_row(n) for n in range(rows))]
    if kind == "xlsx":
        return workbook_of(made)
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(made)
    return out.getvalue().encode("cp932" if "932" in kind else "utf-8")


def _row(n: int) -> tuple[str, ...]:
    """Write somebody fictional whom nobody is like."""
    born = f"昭和{40 + n % 20}年{1 + n % 12}月{1 + n % 28}日"
    phone = f"000-{n // 10_000:04d}-{n % 10_000:04d}"
    return (
        f"X-{n:05d}", f"見本　{n}郎", f"みほん　{n}ろう", born, "000-0000", f"架空市見本町{n}番地", phone,
        f"no{n}@example.invalid", "家計のことで相談したい", "前の台帳から",
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
