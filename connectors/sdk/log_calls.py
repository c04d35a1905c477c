# SPDX-License-Identifier: Apache-2.0
"""The calls about the audit log: the hub's keys, checkpoints, tiles, entries and proofs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from typing_extensions import override

from connectors.sdk import answers
from connectors.sdk.calling import Calling

TILE_WIDTH: Final = 256


class WithLog(Calling):
    """A client's part: the audit log."""

    # ── the log ──

    @override
    def hub_keys(self) -> answers.HubKeys:
        return self._get(answers.HubKeys, "/v1/audit/keys")

    @override
    def checkpoint(self) -> str:
        return self._session.get("/v1/audit/checkpoint").raw.decode("utf-8", "replace")

    @override
    def witnessed_checkpoint(self) -> str:
        return self._session.get("/v1/audit/checkpoint/witnessed").raw.decode("utf-8", "replace")

    @override
    def log_tile(self, level: int, number: int, width: int) -> bytes:
        return self._session.get(f"/v1/audit/tile/{level}/{_tile_number(number, width)}").raw

    @override
    def log_entries(self, *, case: str | None = None) -> Iterator[answers.LogEntry]:
        return self._pages(answers.LogEntry, "/v1/audit/entries", {"case": case})

    @override
    def log_evidence(self) -> Iterator[answers.Evidence]:
        return self._pages(answers.Evidence, "/v1/audit/evidence", {})

    @override
    def log_checkpoints(self) -> Iterator[answers.Checkpoint]:
        return self._pages(answers.Checkpoint, "/v1/audit/checkpoints", {})

    @override
    def log_entry(self, entry: str) -> answers.ProvedEntry:
        return self._get(answers.ProvedEntry, f"/v1/audit/entries/{entry}")

    @override
    def log_proof(self, index: int) -> answers.LogProof:
        return self._get(answers.LogProof, f"/v1/audit/proofs/{index}")


def _tile_number(number: int, width: int) -> str:
    """Write a tile's number as C2SP tlog-tiles does: 1234067 is x001/x234/067, and `.p/12` if it is not full."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups) + ("" if width == TILE_WIDTH else f".p/{width}")
