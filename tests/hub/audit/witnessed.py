# SPDX-License-Identifier: Apache-2.0
"""The hub's log with three witnesses that answer, as fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from connectors.witness.answering import Witness
from connectors.witness.folder import make_folder
from connectors.witness.serve import open_witness
from consent.tlog import policy
from hub.audit.keeping import Keeper, Pace
from hub.audit.sending import Line
from hub.audit.sequencer import Signer
from hub.audit.witnessing import Asking
from hub.base.db import Database

from .town import GROUPS, NAMES, Town


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
