# SPDX-License-Identifier: Apache-2.0
"""The administrator's pages of keys and of the line to the hub: rotation, recovery kit, what waits and was refused."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.errors import ConnectorError
from connectors.casebook import outgoing
from connectors.desk.office import key_pages, rules
from connectors.desk.office.rules import Standing
from connectors.desk.web.visits import Role
from connectors.keystore import keystore
from connectors.keystore.keystore import open_keystore
from consent.keys import KeyUse, fingerprint_words
from tests.connectors.desk.office import Browser, Office
from tests.connectors.desk.test_office_staff import logged
from tests.connectors.story import PASSPHRASE, Network, open_case

WRONG = "まったく違う架空の合言葉です"


@pytest.fixture
def desk(office: Office) -> Browser:
    office.connector.sync()
    return office.browser(office.hire("架空 管理", roles=frozenset({Role.ADMINISTRATOR})))


def folder(office: Office) -> Path:
    return office.connector.keystore.path.parent


def kids(office: Office, use: KeyUse) -> list[str]:
    return [one.kid for one in office.connector.hub.agency_keys(office.connector.agency).keys if one.use == use]


def rotate(desk: Browser, use: str = "enc", passphrase: str = PASSPHRASE) -> object:
    return desk.send(desk.get(f"/office/keys/{use}/rotate"), {"passphrase": passphrase})


def test_the_keys_are_shown_with_their_fingerprints_and_windows(office: Office, desk: Browser) -> None:
    words = desk.get("/office/keys").words
    for one in office.connector.keystore.held:
        assert " ".join(fingerprint_words(one.private.public, "ja")) in words
    root = keystore.open_root(folder(office), PASSPHRASE).public
    assert " ".join(fingerprint_words(root, "ja")) in words
    assert words.count("使用中") == 3
    assert "root-key.json）が、このPCに置かれたままです" in words
    (folder(office) / keystore.ROOT_FILE).unlink()
    assert "根の鍵のファイルは、このPCにありません" in desk.get("/office/keys").words


def test_the_next_key_is_made_saved_and_published_and_named_in_the_log(office: Office, desk: Browser) -> None:
    page = desk.send(desk.get("/office/keys/enc/rotate"), {"passphrase": PASSPHRASE})
    assert (page.answer.request.path, "1日後から使われます" in page.words) == ("/office/keys", True)
    assert "これから" in page.words
    held = [one.entry.kid for one in open_keystore(folder(office), PASSPHRASE).held if one.entry.use is KeyUse.ENC]
    assert len(held) == 2
    assert set(held) == set(kids(office, KeyUse.ENC))
    assert [(action, about) for _, action, about in logged(office) if action.startswith("key:")] == [
        ("key:rotated", "enc"), ("key:published", "1"),
    ]  # fmt: skip


def test_a_wrong_passphrase_changes_nothing_and_the_right_one_still_opens(office: Office, desk: Browser) -> None:
    before, path = logged(office), folder(office) / keystore.KEYS_FILE
    content = path.read_bytes()
    page = desk.send(desk.get("/office/keys/enc/rotate"), {"passphrase": WRONG})
    assert (page.status, page.faults) == (422, ["passphrase"])
    assert WRONG not in str(page.html)
    assert path.read_bytes() == content
    assert open_keystore(folder(office), PASSPHRASE).casebook_key == office.connector.keystore.casebook_key
    assert (len(kids(office, KeyUse.ENC)), logged(office)) == (1, before)


def test_with_the_hub_away_no_key_is_made(office: Office, desk: Browser, network: Network) -> None:
    network.hub.away = True
    page = desk.send(desk.get("/office/keys/sig/rotate"), {"passphrase": PASSPHRASE})
    assert (page.status, "鍵は変わっていません" in page.words) == (422, True)
    assert len(open_keystore(folder(office), PASSPHRASE).held) == 3


def test_a_key_that_could_not_be_published_is_published_later(
    office: Office, desk: Browser, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = office.connector.hub
    with monkeypatch.context() as patched:
        patched.setattr(type(hub), "publish_key", lambda *_, **__: (_ for _ in ()).throw(ConnectorError("hub-away")))
        page = desk.send(desk.get("/office/keys/enc/rotate"), {"passphrase": PASSPHRASE})
        assert "ハブの名簿にまだ載っていません" in page.words
    assert len(kids(office, KeyUse.ENC)) == 1
    page = desk.send(desk.get("/office/keys"), form="form[action='/office/keys/publish']")
    assert "新しく載せた鍵：1 個" in page.words
    assert len(kids(office, KeyUse.ENC)) == 2
    network.hub.away = True
    assert "公開できませんでした" in desk.send(page, form="form[action='/office/keys/publish']").words


def test_a_second_rotation_within_a_day_is_refused_with_its_reason(office: Office, desk: Browser) -> None:
    rotate(desk)
    page = desk.send(desk.get("/office/keys/enc/rotate"), {"passphrase": PASSPHRASE})
    assert (page.status, "まだ使われ始めていません" in page.words) == (422, True)


def test_no_other_use_can_be_rotated(desk: Browser) -> None:
    for use in ("root", "nothing"):
        assert desk.get(f"/office/keys/{use}/rotate").status == 404


def test_the_recovery_kit_brings_the_keystore_back_with_the_passphrase_alone(
    office: Office, desk: Browser, tmp_path: Path
) -> None:
    page = desk.send(desk.get("/office/keys/kit"), {"passphrase": PASSPHRASE})
    said = str(page.html)
    assert PASSPHRASE not in said
    pictures = page.html.select(".pieces [role=img]")
    kept = (folder(office) / keystore.KEYS_FILE).read_text()
    cut = rules.pieces(re.sub(r"\s", "", kept))
    assert len(pictures) == len(cut) > 1
    assert [one.coded.split(":", 1)[0] for one in cut] == [f"{n + 1}/{len(cut)}" for n in range(len(cut))]
    back = tmp_path / "back"
    back.mkdir()
    (back / keystore.KEYS_FILE).write_text("".join(one.coded.split(":", 1)[1] for one in cut))
    opened = open_keystore(back, PASSPHRASE)
    assert opened.casebook_key == office.connector.keystore.casebook_key
    for secret in (one.private.export()["d"] for one in opened.held):
        assert secret not in said
    assert ("key:kit-made", str(len(cut))) in [(action, about) for _, action, about in logged(office)]


@pytest.mark.parametrize(("passphrase", "words"), [(WRONG, "合言葉が違います"), ("", "合言葉が違います")])
def test_no_kit_without_the_passphrase(office: Office, desk: Browser, passphrase: str, words: str) -> None:
    page = desk.send(desk.get("/office/keys/kit"), {"passphrase": passphrase})
    assert (page.status, page.faults, page.html.select(".pieces")) == (422, ["passphrase"], [])
    assert words in page.words
    (folder(office) / keystore.KEYS_FILE).unlink()
    page = desk.send(desk.get("/office/keys/kit"), {"passphrase": PASSPHRASE})
    assert "鍵のファイルがここにありません" in page.words


@given(st.text(max_size=400), st.integers(1, 50))
def test_pieces_in_order_are_the_whole(text: str, size: int) -> None:
    cut = rules.pieces(text, size)
    assert "".join(one.text for one in cut) == text
    assert all(0 < len(one.text) <= size and one.of == len(cut) for one in cut)


def test_a_key_stands_as_its_window_and_its_followers_say(office: Office) -> None:
    now = office.connector.now()
    first = next(one.entry for one in office.connector.keystore.held if one.entry.use is KeyUse.ENC)
    following = replace(first, seq=2, not_before=now + timedelta(days=300), not_after=now + timedelta(days=700))
    table = [
        (first, [first], now, Standing.NOW),
        (first, [first], first.not_after - rules.ROTATE_BEFORE, Standing.DUE),
        (first, [first, following], first.not_after - rules.ROTATE_BEFORE, Standing.BEFORE),
        (first, [first, following], now + timedelta(days=299), Standing.NOW),
        (following, [first, following], now, Standing.NEXT),
        (first, [first, following], first.not_after, Standing.OVER),
    ]
    for entry, entries, at, stands in table:
        assert rules.standing(entry, entries, at) is stands


# ── the line ──


def test_what_waits_is_counted_by_kind_with_the_oldest(office: Office, desk: Browser, network: Network) -> None:
    network.hub.away = True
    open_case(office.connector)
    network.clock.on(minutes=5)
    open_case(office.connector)
    page = desk.get("/office/line")
    row = page.html.select_one("section[aria-labelledby=w-h] tbody tr")
    assert row is not None
    assert [one.get_text() for one in row.select("th, td")][:2] == ["ケース", "2"]
    assert "10:30" in row.get_text()
    assert "https://hub.example" in page.words


def test_trying_again_sends_what_waits_or_says_that_the_hub_is_away(
    office: Office, desk: Browser, network: Network
) -> None:
    network.hub.away = True
    open_case(office.connector)
    page = desk.send(desk.get("/office/line"))
    assert "ハブにつながりません。書いたものは残っていて" in page.words
    assert "つながっていません" in page.words
    network.hub.away = False
    page = desk.send(page)
    assert "送ったもの 1 件" in page.words
    assert {"送信待ちはありません。", "つながっています"} <= set(page.html.get_text("|").split("|"))
    assert [action for _, action, _ in logged(office)].count("line:tried") == 2


def test_what_the_hub_refused_is_shown_with_its_reason(office: Office, desk: Browser) -> None:
    with office.connector.casebook.transaction() as connection:
        now = office.connector.now()
        outgoing.put(connection, key="k", what="case", about="c-1", path="/v1/cases", body={}, now=now)
        (row,) = outgoing.waiting(connection)
        outgoing.settle(connection, row.position, answer={"detail": "架空の理由です"}, code="case-closed", now=now)
    words = desk.get("/office/line").words
    assert {"架空の理由です", "case-closed", "c-1"} <= set(words.split())


def test_the_keys_of_the_hub_that_were_seen_first_are_named(office: Office, desk: Browser) -> None:
    office.connector.fetch_directory()
    words = desk.get("/office/line").words
    assert "この鍵で確かめられないものは受け取りません" in words or "まだ見ていません" in words


@pytest.mark.parametrize("role", [Role.CASEWORKER, Role.SUPERVISOR])
def test_keys_and_line_are_the_administrators_alone(office: Office, role: Role) -> None:
    browser = office.browser(office.hire(roles=frozenset({role})))
    browser.get("/office")
    for path in ("/office/keys", "/office/keys/enc/rotate", "/office/keys/kit", "/office/line"):
        assert browser.get(path).status == 403
    for path in ("/office/keys/enc/rotate", "/office/keys/kit", "/office/keys/publish", "/office/line/sync"):
        assert browser.post(path, {"passphrase": PASSPHRASE}).status == 403
    assert len(open_keystore(folder(office), PASSPHRASE).held) == 3


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_of_keys_and_line_is_whole_in_both_languages(office: Office, desk: Browser, language: str) -> None:
    desk.language = language
    for path in ("/office/keys", "/office/keys/enc/rotate", "/office/keys/kit", "/office/line"):
        assert desk.get(path).html.html["lang"] == language  # type: ignore[index]
    assert desk.send(desk.get("/office/keys/kit"), {"passphrase": PASSPHRASE}).status == 200


def test_every_kind_of_row_that_waits_has_words() -> None:
    from connectors.desk.web.texts import is_text
    from connectors.sync.outbound import _CALLS

    assert [what for what in _CALLS if not is_text(f"office.sent-{what.replace('_', '-')}")] == []


def test_the_kit_lists_every_file_that_a_copy_needs() -> None:
    from connectors.desk.web.texts import is_text

    assert all(is_text(f"office.kit-file-{n + 1}") for n in range(len(key_pages.FILES)))
