# SPDX-License-Identifier: Apache-2.0
"""One hub for many stories: they follow each other on it as long as time does not go back, else a new one opens."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path

from deploy.demo import __main__ as demo
from deploy.play import story
from deploy.play.company import Company, assemble
from deploy.play.director import perform
from deploy.play.report import Played
from deploy.play.stage import Stage, open_stage
from deploy.play.story import Story
from tests.hub.conftest import memory, short_folder

ROOT = Path(__file__).parents[2]
OURS = sorted((Path(__file__).parent / "scenarios").glob("*.json"))
DEMO = sorted((Path(demo.__file__).parent / "scenarios").glob("*.json"))
LONG = "T13"


@contextlib.contextmanager
def stage_in_memory(*, play: bool = True) -> Iterator[Stage]:
    """Open a stage whose databases wait for no disk; what must outlast a crash has stages on a disk (tests/faults)."""
    folder = short_folder(memory())
    try:
        with open_stage(folder, play=play) as stage:
            yield stage
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(kw_only=True)
class Theatre:
    """A stage that is opened when the first story wants it; `company` is the one that played last.

    `companies`: those that played side by side.
    """

    stage: Stage | None = None
    company: Company | None = None
    companies: dict[str, Company] = field(default_factory=dict)
    _stack: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def assemble(self, told: Story) -> Company:
        """Bring a story's agencies onto the stage, on a new one where it plays before the last."""
        begins = told.events[0].at.astimezone(UTC)
        if self.company is not None and begins < self.company.clock.at:
            self.close()
        if self.stage is None:
            self.stage = self._stack.enter_context(stage_in_memory())
        self.company = assemble(told, self.stage, self.company)
        for actor in self.company.newcomers:
            self._stack.callback(actor.connector.close)
        return self.company

    def play(self, told: Story) -> list[Played]:
        """Play a story to its end."""
        company = self.assemble(told)
        done = {number: perform(company, event, number) for number, event in told.as_it_happens()}
        return [done[number] for number in sorted(done)]

    def play_side_by_side(self, stories: Sequence[Story]) -> dict[str, list[Played]]:
        """Play stories that overlap in time on one hub, each event at its moment; give each story's by its id."""
        moments = [
            (event.takes_effect, told.id, number, event, told)
            for told in stories
            for number, event in told.as_it_happens()
        ]
        done: dict[str, dict[int, Played]] = {told.id: {} for told in stories}
        self.companies = {}
        for at, name, number, event, told in sorted(moments, key=lambda one: one[:3]):
            if name not in self.companies:
                self.companies[name] = self.assemble(told)
                everybody = replace(self.companies[name], actors=dict(self.companies[name].troupe))
            everybody.wait_until(at.astimezone(UTC))
            self.companies[name].introduced_at = everybody.introduced_at
            done[name][number] = perform(self.companies[name], event, number)
        return {story: [played[number] for number in sorted(played)] for story, played in done.items()}

    def close(self) -> None:
        """Stop the hub and close every connector."""
        self._stack.close()
        self.stage = self.company = None


def read(path: Path) -> Story:
    return story.read(path)


def run(module: str, *arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a module of ours as people do, from a folder of theirs."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )


def expected(told: Story) -> list[dict[str, object]]:
    """Give what a file expects, in the form in which the player answers; outcomes where the file names them."""
    return [
        {
            "n": event.n,
            "type": event.type,
            "expect": event.expect or event.expect_record,
            "outcome": event.message_outcome,
        }
        for event in told.events
    ]


def answered(run_of_player: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(run_of_player.stdout)
    assert all(list(row) == ["n", "type", "expect", "got", "outcome"] for row in rows)
    return rows
