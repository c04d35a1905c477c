# SPDX-License-Identifier: Apache-2.0
"""Whose page this is: the bar that names the person on every page of theirs, and why somebody may look."""
