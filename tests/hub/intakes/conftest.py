# SPDX-License-Identifier: Apache-2.0
"""The agencies of these stories: an intake agency, two partners, one that has nothing to do with anything."""

from tests.hub.casework import council, intake, lawyers, stranger

__all__ = ["council", "intake", "lawyers", "stranger"]
