# SPDX-License-Identifier: Apache-2.0
"""Municipal scope templates, and scans with their evidence, as the casebook keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.casebook import scans, templates
from consent.errors import DocumentRefusedError, ScopeRefusedError
from consent.vocabulary.codes import scope_template
from tests.connectors.story import STAFF, Network, open_case, refused


@pytest.fixture
def network(tmp_path: Path) -> Network:
    return Network(folder=tmp_path)


def municipal(**changes: object) -> dict[str, object]:
    own = {"id": "kakuu", "version": "2026-04", "ja": "架空市", "en": "Kakuu city"}
    return {**scope_template("generic"), **own, **changes}


def test_a_municipality_s_template_stands_before_the_general_one(network: Network) -> None:
    connector = network.join("jiritsu")
    with connector.casebook.transaction() as book:
        assert [one.template.id for one in templates.templates(book)] == ["generic"]
        templates.keep_template(book, connector.pen(STAFF), municipal())
        found = templates.templates(book)
    assert [one.template.name for one in found] == ["kakuu-2026-04", f"generic-{scope_template('generic')['version']}"]
    assert found[0].ja == "架空市"


def test_a_version_keeps_its_content(network: Network) -> None:
    connector = network.join("jiritsu")
    with connector.casebook.transaction() as book:
        templates.keep_template(book, connector.pen(STAFF), municipal())
        templates.keep_template(book, connector.pen(STAFF), municipal(ja="架空市（改）"))
        with refused("template-changed"):
            templates.keep_template(book, connector.pen(STAFF), municipal(purposes={"follow_up": ["shakyo"]}))
        assert templates.templates(book)[0].ja == "架空市（改）"


def test_a_template_that_gives_too_much_or_unknown_things_is_refused(network: Network) -> None:
    connector = network.join("jiritsu")
    with connector.casebook.transaction() as book:
        with pytest.raises(ScopeRefusedError):
            templates.keep_template(book, connector.pen(STAFF), municipal(usual={"shakyo": ["health"]}))
        with pytest.raises(DocumentRefusedError):
            templates.keep_template(book, connector.pen(STAFF), municipal(usual={"nobody": ["identity"]}))
        assert len(templates.templates(book)) == 1


def test_a_scan_that_belongs_to_no_form_is_no_evidence(network: Network) -> None:
    connector = network.join("jiritsu")
    case = open_case(connector)
    with connector.casebook.transaction() as book:
        scans.keep_scan(
            book, connector.pen(STAFF), case=case, form="nothing", media="image/png", pages=1, body=b"fictional"
        )
        (one,) = scans.scans_of_form(book, "nothing")
        with refused("form-unknown"):
            scans.is_evidence(book, one)
