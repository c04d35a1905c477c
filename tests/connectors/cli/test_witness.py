# SPDX-License-Identifier: Apache-2.0
"""`tsunagi witness`: made, told what to watch, served, and asked what does not go together."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from connectors.cli.main import main
from connectors.witness.folder import open_folder
from consent.tlog import notes, tree, witnessing
from consent.tlog.notes import Checkpoint, Verifier
from consent.tlog.witnessing import Submission, write_submission

KEY = Ed25519PrivateKey.from_private_bytes(b"\x01" * 32)
LOG = Verifier("hub.example/v1/audit", KEY.public_key())


def type_(folder: Path, *words: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["witness", *words, "--folder", str(folder)])
    assert result.exit_code == code, (words, result.output, result.exception)
    return result


def submission(root: bytes, old: int = 0) -> bytes:
    note = notes.sign_checkpoint(Checkpoint(origin=LOG.name, size=1, root=root), KEY).write()
    return write_submission(Submission(old=old, proof=(), note=note)).encode()


def test_a_witness_is_made_watches_and_answers_until_it_is_stopped(tmp_path: Path) -> None:
    made = json.loads(type_(tmp_path, "new", "midori.example/witness", "--json").stdout)
    assert Verifier.read(made["verifier"]).cosigns
    type_(tmp_path, "watch", LOG.text())
    answers: list[tuple[int, str]] = []
    port = _free_port()

    def visit() -> None:
        sent = (submission(tree.leaf_hash(b"a")), submission(tree.leaf_hash(b"b"), old=1))
        answers.extend(_post(port, one) for one in sent)
        os.kill(os.getpid(), signal.SIGTERM)

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    visitor = threading.Thread(target=visit)
    visitor.start()
    said = type_(tmp_path, "serve", "--port", str(port)).stdout
    visitor.join()
    for number, handler in before.items():
        signal.signal(number, handler)
    assert f"http://127.0.0.1:{port}/add-checkpoint" in said
    (good, line), refused = answers
    assert good == 200
    note = notes.read_note(submission(tree.leaf_hash(b"a")).decode().partition("\n\n")[2])
    assert witnessing.read_cosignatures(line, note, open_folder(tmp_path).verifier)
    assert refused == (409, "1\n")
    shown: Any = json.loads(type_(tmp_path, "show", "--json", code=1).stdout)
    assert [one["code"] for one in shown["evidence"]] == ["root-differs"]
    told = type_(tmp_path, "show", code=1).stdout
    assert told.count("— hub.example/v1/audit ") == 2


def test_what_is_no_logs_key_is_not_watched(tmp_path: Path) -> None:
    type_(tmp_path, "watch", LOG.text(), code=1)
    type_(tmp_path, "new", "midori.example/witness")
    own = open_folder(tmp_path).verifier
    for text in ("", "hello", own.text(), LOG.text()[:-2]):
        type_(tmp_path, "watch", text, code=1)
    type_(tmp_path, "watch", Verifier("other.example", own.native).text(), code=1)
    assert json.loads(type_(tmp_path, "show", "--json").stdout)["logs"] == []


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    type_(tmp_path, "new", "midori.example/witness")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "--port" in type_(tmp_path, "serve", "--port", str(taken.getsockname()[1]), code=1).stderr


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


def _post(port: int, sent: bytes) -> tuple[int, str]:
    for _ in range(200):
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            line.request("POST", "/add-checkpoint", sent)
            answer = line.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            time.sleep(0.05)
        finally:
            line.close()
    raise AssertionError
