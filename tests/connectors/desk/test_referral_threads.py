# SPDX-License-Identifier: Apache-2.0
"""What is written into a referral's thread and beside it: answers, documents, what came from elsewhere, the journal."""

from __future__ import annotations

import io

import pytest

from tests.connectors.desk.office import Office
from tests.connectors.desk.referring import Referred, refer, referred
from tests.connectors.story import Network

__all__ = ["referred"]


def test_an_answer_lets_the_clock_of_the_receiver_run_again(referred: Referred) -> None:
    referred.open()
    page = referred.theirs.get(f"/inbox/{referred.id}")
    referred.theirs.send(page, {"ask-text": "離職日は"}, form="form[action$='/ask']")
    referred.round()
    referred.later(minutes=5)
    form = referred.ours.get(f"/referrals/{referred.id}/write?kind=reply")
    said = {"text": "10月31日です", "category": "consultation"}
    first = referred.ours.send(form, said, form="form[action$='/write']")
    second = referred.ours.send(form, said, form="form[action$='/write']")
    assert (first.status, second.status) == (200, 200)
    referred.round()
    found = referred.network.hub.referrals[referred.id]
    assert found.awaiting == referred.partner.connector.agency
    assert sum(one.kind == "reply" for one in referred.network.hub.messages.values()) == 1
    assert "10月31日です" in referred.ours.get(f"/referrals/{referred.id}").words


def test_a_document_goes_clean_and_is_shown_written_anew(referred: Referred) -> None:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, "JPEG")
    form = referred.ours.get(f"/referrals/{referred.id}/write?kind=document")
    guard, once = (form.html.select_one(f"main form[action$='/write'] input[name={name}]")["value"]  # type: ignore[index]
                   for name in ("csrf_token", "once"))  # fmt: skip
    answer = referred.ours.client.post(
        f"/referrals/{referred.id}/write",
        data={"csrf_token": guard, "once": once, "kind": "document", "category": "income_assets",
              "paper": (io.BytesIO(out.getvalue()), "scan.jpg")},
    )  # fmt: skip
    assert answer.status_code == 303
    referred.round()
    (sent,) = [one for one in referred.network.hub.messages.values() if one.kind == "document"]
    path = f"/referrals/{referred.id}/messages/{sent.sender}/{sent.message}"
    assert referred.theirs.get(f"{path}/parts/1").status == 404
    opened = referred.theirs.send(referred.theirs.get(path), form="form[action$='/open']")
    (image,) = opened.html.select("img.paper")
    assert image["alt"]
    shown = referred.theirs.get(str(image["src"])).answer
    assert (shown.mimetype, shown.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    kept = referred.theirs.get(f"{path}/parts/1").answer
    assert kept.headers["Content-Disposition"].startswith("attachment")
    assert kept.mimetype == "application/octet-stream"
    assert referred.theirs.get(f"{path}/parts/9").status == 404


def test_html_that_somebody_sent_is_a_file_and_nothing_else(network: Network, office: Office, partner: Office) -> None:
    from consent.envelope.sealing import PlainPart

    evil = PlainPart(category="consultation", media="text/html", body=b"<script>alert(1)</script>")
    drawn = PlainPart(category="identity", media="image/svg+xml", body=b"<svg onload='alert(1)'/>")
    referred = refer(network, office, partner, evil, drawn)
    page = referred.open()
    assert "alert(1)" not in str(page.html)
    assert page.html.select("img.paper") == []
    path = f"/referrals/{referred.id}/messages/{referred.office.connector.agency}/{referred.message}"
    for n in (1, 2):
        answer = referred.theirs.get(f"{path}/parts/{n}").answer
        assert answer.mimetype == "application/octet-stream"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert referred.theirs.get(f"{path}/pictures/{n}").status == 404


def test_a_contact_is_written_down_once_and_stays_here(referred: Referred) -> None:
    form = referred.ours.get(f"/referrals/{referred.id}/journal")
    for _ in range(2):
        done = referred.ours.send(form, {"text": "不在。夕方にかけ直す"}, form="form[action$='/journal']")
    assert done.words.count("不在。夕方にかけ直す") == 1
    referred.round()
    assert "不在。夕方" not in referred.theirs.get(f"/referrals/{referred.id}").words


@pytest.mark.parametrize(
    ("said", "blamed"),
    [
        ({"text": ""}, "text"), ({"kind": "x", "text": "a"}, "kind"), ({"day": "2026-04-09", "text": "a"}, "day"),
        ({"time": "25:99", "text": "a"}, "time"), ({"channel": "pigeon", "text": "a"}, "channel"),
    ],
)  # fmt: skip
def test_a_contact_that_cannot_be_read_is_not_written_down(
    referred: Referred, said: dict[str, str], blamed: str
) -> None:
    form = referred.ours.get(f"/referrals/{referred.id}/journal")
    page = referred.ours.send(form, said, form="form[action$='/journal']")
    assert (page.status, page.faults) == (422, [blamed])
