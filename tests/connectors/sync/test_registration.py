# SPDX-License-Identifier: Apache-2.0
"""An agency comes into being as a folder: keys, settings, and a request that a hub reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.sync.connector import open_connector
from connectors.sync.registration import Applicant, NewAgency, Profile, create_agency, read_settings
from connectors.testing.memory import MemoryHub
from connectors.testing.seat import Seat
from consent.errors import DocumentRefusedError
from consent.jwk import KeyUse, PublicKey
from consent.keys import same_words
from consent.registration import read_registration
from tests.connectors.story import NOW, PASSPHRASE, Clock, refused

APPLICANT = Applicant(
    kind="shakyo",
    name_ja="架空の社会福祉協議会",
    name_en="Fictional Council",
    hub="https://hub.example/",
    profile=Profile(answer_days=3, categories=frozenset({"identity"})),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("agency") / "new"


@pytest.fixture(scope="module")
def made(folder: Path) -> NewAgency:
    return create_agency(folder, PASSPHRASE, APPLICANT, now=NOW)


def test_the_request_says_who_we_are_and_brings_the_first_keys(made: NewAgency) -> None:
    document = read_registration(made.request.read_bytes())
    assert (document.agency, document.kind, document.answer_days) == (made.settings.agency, "shakyo", 3)
    assert len(document.entries) == 3
    root = PublicKey.from_jwk(document.root, KeyUse.ROOT)
    assert same_words(root, " ".join(made.words))
    assert same_words(root, " ".join(made.words_en))


def test_the_settings_name_the_hub_and_hold_no_secret(folder: Path, made: NewAgency) -> None:
    settings = read_settings(folder)
    assert settings == made.settings
    assert settings.hub == "https://hub.example"
    assert settings.client_id == settings.agency
    assert set(json.loads((folder / "agency.json").read_text())) == set(type(settings).__slots__)


def test_a_folder_that_holds_an_agency_is_not_overwritten(folder: Path, made: NewAgency) -> None:
    with refused("agency-file-exists"):
        create_agency(folder, PASSPHRASE, APPLICANT, now=NOW)
    (folder / "agency.json").rename(folder / "kept.json")
    with refused("keystore-exists"):
        create_agency(folder, PASSPHRASE, APPLICANT, now=NOW)
    (folder / "kept.json").rename(folder / "agency.json")


def test_a_kind_that_is_in_no_vocabulary_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    unknown = Applicant(kind="circus", name_ja="架空", name_en="Fictional", hub="https://hub.example")
    with pytest.raises(DocumentRefusedError):
        create_agency(tmp_path / "new", PASSPHRASE, unknown, now=NOW)
    assert not (tmp_path / "new" / "agency.json").exists()


def test_what_was_made_opens_and_works_with_a_hub(folder: Path, made: NewAgency) -> None:
    hub = MemoryHub(clock=Clock())
    agency = hub.join(made.request.read_bytes())
    with open_connector(folder, PASSPHRASE, clock=hub.clock, hub=Seat(hub, agency)) as connector:
        assert (connector.agency, connector.kind) == (made.settings.agency, "shakyo")
        assert connector.sync().fetched.changed == 1


def test_a_folder_without_an_agency_says_what_to_do(tmp_path: Path) -> None:
    with refused("folder-missing"):
        open_connector(tmp_path, PASSPHRASE)


@pytest.mark.parametrize("content", ["{", "[]", '{"agency": 1}'])
def test_settings_that_cannot_be_read_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "agency.json").write_text(content)
    with refused("configuration-bad"):
        open_connector(tmp_path, PASSPHRASE)


def test_keys_of_another_agency_are_not_used(folder: Path, made: NewAgency, tmp_path: Path) -> None:
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    settings = json.loads((tmp_path / "agency.json").read_text())
    (tmp_path / "agency.json").write_text(json.dumps(settings | {"agency": "01890000-0000-7000-8000-000000000001"}))
    with refused("configuration-bad"):
        open_connector(tmp_path, PASSPHRASE)
