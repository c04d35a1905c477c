# SPDX-License-Identifier: Apache-2.0
"""A withdrawal in the middle of many sends: in the log nothing is let through after it, and an offline check agrees.

`TSUNAGI_RACE_SENDS=10000`: the long run.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from consent.evidence.verify import Trusted, verify_stream
from hub.base.db import Database
from hub.base.errors import ClashError, HubError
from tests.hub.evidence.mutants import take_apart
from tests.hub.evidence.played import new_log
from tests.hub.messages.story import Story, new_story

SENDS = int(os.environ.get("TSUNAGI_RACE_SENDS", "24"))
THREADS = 4


def send(story: Story, done: threading.Semaphore) -> str:
    sealed = story.seal("identity")
    try:
        while True:
            try:
                story.accept(sealed)
            except ClashError:
                continue
            return "accepted"
    except HubError as error:
        return error.code
    finally:
        done.release()


def test_after_the_index_of_a_withdrawal_the_log_has_no_disclosure(
    database: Database, jobs_database: Database, sequencer_database: Database
) -> None:
    log = new_log(database, jobs_database, sequencer_database)
    story = new_story(database, jobs_database)
    consent = story.consent()
    done = threading.Semaphore(0)
    with ThreadPoolExecutor(THREADS) as pool:
        sending = [pool.submit(send, story, done) for _ in range(SENDS)]
        for _ in range(SENDS // 2):
            done.acquire()
        story.withdraw(consent)
        outcomes = Counter(one.result() for one in sending)
    log.sequence()
    assert set(outcomes) == {"accepted", "consent-refused"}
    bundle = log.bundle()
    entries = [json.loads(item.body) for item in take_apart(bundle).items]
    kinds = [entry["kind"] for entry in entries]
    withdrawn = kinds.index("withdrawal:registered")
    assert kinds[withdrawn:].count("message:accepted") == 0
    assert kinds[:withdrawn].count("message:accepted") == outcomes["accepted"] >= SENDS // 2
    assert kinds[withdrawn:].count("message:refused") == kinds.count("message:refused") == outcomes["consent-refused"]
    report = verify_stream(io.BytesIO(bundle), Trusted(log=log.signer.verifier))
    assert report.findings == ()
    assert report.counts.disclosures == outcomes["accepted"]
