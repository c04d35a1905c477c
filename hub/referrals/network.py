# SPDX-License-Identifier: Apache-2.0
"""The settings of this network that referrals are measured by: the limits of each state and the working days.

The defaults come with the program (`limits.json`); a network's own stand in two files of its data folder,
`referral-limits.json` and `closed-days.json` (a list of dates), read once when a process starts.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from consent.calendar import Calendar
from consent.errors import DocumentRefusedError
from hub.base.errors import ConfigurationError
from hub.referrals.limits import Limits, read_limits

LIMITS_FILE: Final = "referral-limits.json"
CLOSED_FILE: Final = "closed-days.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What times are counted by."""

    limits: Limits
    calendar: Calendar


def default_network() -> Network:
    """Give the limits of the design and the national calendar."""
    text = files("hub.referrals").joinpath("limits.json").read_text("utf-8")
    return Network(limits=read_limits(json.loads(text)), calendar=Calendar())


_current = [default_network()]


def current() -> Network:
    """Give the settings this process runs by."""
    return _current[0]


def use_folder(data: Path) -> Network:
    """Take this network's own limits and closed days from its data folder, where it has any.

    Raises:
        ConfigurationError: a file is there and cannot be used.
    """
    network = default_network()
    limits, closed = _own(data / LIMITS_FILE), _own(data / CLOSED_FILE)
    try:
        network = Network(
            limits=network.limits if limits is None else read_limits(limits),
            calendar=network.calendar if closed is None else Calendar.read(closed),
        )
    except (ValueError, KeyError, TypeError, AttributeError, DocumentRefusedError) as error:
        raise ConfigurationError("setting-bad", name=LIMITS_FILE, example="hub/referrals/limits.json") from error
    _current[0] = network
    return network


def _own(path: Path) -> Any:
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ConfigurationError("setting-bad", name=path.name, example="hub/referrals/limits.json") from error
