# SPDX-License-Identifier: Apache-2.0
"""A hub on which stories follow each other, one per test process, while its tests last."""

from collections.abc import Iterator

import pytest

from tests.journeys.theatre import Theatre


@pytest.fixture(scope="package")
def theatre() -> Iterator[Theatre]:
    made = Theatre()
    yield made
    made.close()
