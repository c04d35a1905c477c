# SPDX-License-Identifier: Apache-2.0
"""Measurements, each a module that prints a table and one JSON line: `python -m bench.decide`."""
