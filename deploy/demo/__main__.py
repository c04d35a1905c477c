# SPDX-License-Identifier: Apache-2.0
"""`make demo`: from nothing to a closed loop, then a search for the person, then everything stays up."""

from __future__ import annotations

import argparse
import contextlib
import locale
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from connectors.casebook import reading
from connectors.desk.serve import open_desk
from connectors.desk.staff import service as desk_staff
from consent.calendar import JST
from deploy.demo import town
from deploy.demo.narrator import Narrator
from deploy.demo.search import Report, search
from deploy.play import story
from deploy.play.company import Actor, Company, assemble
from deploy.play.director import perform
from deploy.play.stage import Stage, StageError, open_stage
from hub.staff.rules import Role as StaffRole

HERE: Final = Path(__file__).parent
STORIES: Final = ("S01-four-agencies.json", "S02-accompaniment.json")
FOLDER: Final = Path(".demo")
PORT: Final = 8480
DESK_PORT: Final = 8491
FAILED: Final = 1


def main() -> int:
    """Run the demo; 0 when every decision went as the stories expect and nothing of a person was found at the hub."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--lang", choices=("ja", "en"), default=_language())
    parser.add_argument("--once", action="store_true", help="end when the stories are told")
    parser.add_argument("--port", type=int, help="where the hub listens; 8480 or any free one by default")
    asked = parser.parse_args()
    narrator = Narrator(asked.lang)
    began = time.monotonic()
    narrator.say("title")
    narrator.say("starting")
    folder = _fresh_folder()
    try:
        with open_stage(folder, port=asked.port or _usual_port()) as stage:
            narrator.say("hub_ready", url=stage.url, seconds=round(time.monotonic() - began, 1))
            well, company = _tell(stage, narrator)
            with _desks(company, narrator) as opened:
                narrator.say("ready", seconds=round(time.monotonic() - began, 1))
                for one in opened:
                    narrator.say("desk", **one)
                narrator.say("console", url=f"{stage.url}/console", code=stage.invite(StaffRole.OFFICER))
                well = _nothing_is_found(stage, narrator) and well
                if not asked.once:
                    _stay(stage, company, narrator)
            return 0 if well else FAILED
    except StageError as error:
        narrator.say("no_hub")
        sys.stderr.write(error.log + "\n")
        return FAILED


def _told() -> list[story.Story]:
    return [story.read(HERE / "scenarios" / name) for name in STORIES]


def _tell(stage: Stage, narrator: Narrator) -> tuple[bool, Company]:
    well, actors = True, dict[str, Actor]()
    before: Company | None = None
    for one in _told():
        before = company = assemble(one, stage, before)
        actors |= company.actors
        _introduce(narrator, company)
        for number, event in one.as_it_happens():
            narrator.event(event, number)
            played = perform(company, event, number)
            narrator.result(event, played)
            well = well and played.agrees
        _close_the_loop(narrator, company)
        _show_who_sees_what(narrator, company)
    return well, replace(company, actors=actors)


@contextlib.contextmanager
def _desks(company: Company, narrator: Narrator) -> Iterator[list[dict[str, str]]]:
    """Let the last weeks of the town happen and open every agency's desk; give how each is entered."""
    print()
    narrator.say("town")
    crew = {code: company.actors[code] for code in town.town()["staff"]}
    hired = {code: town.hire(actor) for code, actor in crew.items()}
    happened = town.fill(company, hired, datetime.now(UTC))
    narrator.say("town_done", people=len(town.town()["people"]), happened=happened)
    company.wait_until(datetime.now(UTC))
    with contextlib.ExitStack() as stack:
        opened = []
        for number, (code, actor) in enumerate(crew.items()):
            connector = actor.connector
            with connector.casebook.transaction() as book:
                ticket = desk_staff.ticket(book, hired[code][0])
            at = stack.enter_context(open_desk(connector, port=_port_from(DESK_PORT + number), sample=True))
            who = town.town()["staff"][code][0]
            opened.append({"name": actor.name, "who": who, "url": f"{at.url}/enter/{ticket}"})
        yield opened


def _nothing_is_found(stage: Stage, narrator: Narrator) -> bool:
    print()
    narrator.say("searching")
    wanted = [*(needle for one in _told() for needle in needles(one)), *town.needles()]
    report = search(stage.settings, wanted, stage.traces)
    _show(narrator, report)
    return not report.found


def _introduce(narrator: Narrator, company: Company) -> None:
    print()
    narrator.say("founding")
    for actor in company.newcomers:
        kind = narrator.label("recipients", actor.connector.kind)
        narrator.say("founded", code=actor.code, name=actor.name, kind=kind, words=" ".join(actor.words[:4]))
    print()
    narrator.say("story", id=company.story.id, title=company.story.title)
    narrator.say("event", n="—", at="", text=f"{company.story.person}: {company.story.note}")


def _close_the_loop(narrator: Narrator, company: Company) -> None:
    """Carry every referral of the story to its end: started, outcome reported, acknowledged with a follow-up."""
    print()
    narrator.say("loop")
    for referral in company.referrals:
        recipient = company.actors[referral.recipient].connector.hub
        sender = company.actors[referral.sender].connector.hub
        today = company.clock.at.astimezone(JST).date()
        due = today + timedelta(days=14)
        states = [recipient.referral(referral.id).state]
        for hub, event, said in (
            (recipient, "start", {"what": "contact_made", "on": today}),
            (recipient, "report-outcome", {"outcome": "service_started"}),
            (sender, "acknowledge", {"follow_up": {"on": due}}),
        ):
            seen = hub.referral(referral.id)
            states.append(hub.move(referral.id, event, said, version=seen.version).state)
        purpose = narrator.label("purposes", referral.purpose)
        walked = " → ".join(narrator.label("referral_state", state) for state in states)
        narrator.say("loop_step", to=referral.recipient, purpose=purpose, states=walked, due=due)


def _show_who_sees_what(narrator: Narrator, company: Company) -> None:
    print()
    narrator.say("sees")
    for actor in company.actors.values():
        connector = actor.connector
        with connector.casebook.transaction() as book:
            held = reading.categories_received(book, case=company.case, agency=connector.agency)
        referrals = sum(1 for _ in connector.hub.referrals(case=company.case))
        parts = narrator.labels("categories", sorted(held)) or narrator.word("nothing")
        narrator.say("sees_row", code=actor.code, name=actor.name, referrals=referrals, parts=parts)


def needles(one: story.Story) -> list[str]:
    """Give what must not be at the hub: the person's name, its reading, and every sentence of the story."""
    name = one.person.split(",")[0]
    pieces = [piece.strip(" ()（）") for piece in name.replace("(", "|").replace(")", "|").split("|")]
    names = [piece for piece in pieces if piece] + [part for piece in pieces for part in piece.split() if part]
    return [*dict.fromkeys(names), *(event.text for event in one.events if event.text)]


def _show(narrator: Narrator, report: Report) -> None:
    narrator.say(
        "searched",
        needles=report.needles,
        forms=report.forms,
        tables=report.tables,
        rows=report.rows,
        keys=report.keys,
        files=report.files,
        megabytes=report.bytes // 2**20,
    )
    if report.found:
        narrator.say("found_something", places=", ".join(sorted({one.place for one in report.found})))
    else:
        narrator.say("found_nothing")


def _fresh_folder() -> Path:
    """Give an empty folder: `.demo` here; for root in a home that its children cannot enter, a temporary one."""
    closed = os.getuid() == 0 and not all(parent.stat().st_mode & 0o001 for parent in FOLDER.absolute().parents)
    folder = Path(tempfile.gettempdir(), "tsunagi-demo") if closed else FOLDER.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _usual_port() -> int | None:
    """Give the demo's usual port, or none, which means any free one, when somebody has it already."""
    return _port_from(PORT) or None


def _port_from(usual: int) -> int:
    """Give a usual port, or 0, which means any free one, when somebody has it already."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind(("127.0.0.1", usual))
        except OSError:
            return 0
    return usual


def _language() -> str:
    spoken = locale.getlocale()[0] or ""
    return "ja" if spoken.startswith(("ja", "Japanese")) else "en"


def _stay(stage: Stage, company: Company, narrator: Narrator) -> None:
    """Bring the hub's clock to today, let it run, and leave everything open to try until Ctrl-C."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    company.wait_until(datetime.now(UTC))
    for actor in company.actors.values():
        kept = stage.folder / actor.code / "passphrase"
        kept.touch(mode=0o600)
        kept.write_text(actor.passphrase, "utf-8")
    narrator.say("try", folder=stage.folder)
    narrator.say("stays", url=stage.url, folder=stage.folder)
    while not stop.wait(0.5):
        company.clock.at = stage.stand_at(datetime.now(UTC))


if __name__ == "__main__":
    sys.exit(main())
