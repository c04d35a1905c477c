# SPDX-License-Identifier: Apache-2.0
"""Putting the houses together on a machine: the demo, the played scenarios, and what production needs."""
