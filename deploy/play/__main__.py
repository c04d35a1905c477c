# SPDX-License-Identifier: Apache-2.0
"""`python -m deploy.play FILE [--json]`: exit 0 when all agree, 1 when one differs, 2 when the file is malformed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from deploy.play import report, story
from deploy.play.director import play
from deploy.play.stage import StageError

DIFFERS = 1
MALFORMED = 2
NO_HUB = 3


def main() -> int:
    """Play the file that is named and say how it went."""
    parser = argparse.ArgumentParser(prog="make play", description="Play a scenario file against a fresh hub.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--json", action="store_true", help="print one JSON list instead of lines")
    asked = parser.parse_args()
    try:
        told = story.read(asked.file)
    except story.MalformedStoryError as error:
        sys.stderr.write(f"The scenario file is malformed: {error}\n")
        return MALFORMED
    events = []
    try:
        for played in play(told):
            events.append(played)
            if not asked.json:
                print(report.line(played), flush=True)
    except StageError as error:
        sys.stderr.write(f"The hub did not start:\n{error.log}\n")
        return NO_HUB
    if asked.json:
        placed = zip((place for place, _ in told.as_it_happens()), events, strict=True)
        print(report.document([played for _, played in sorted(placed, key=lambda one: one[0])]))
    differing = sum(not played.agrees for played in events)
    if not asked.json:
        print(f"{told.id}: {len(events)} events, {differing} differ")
    return DIFFERS if differing else 0


if __name__ == "__main__":
    sys.exit(main())
