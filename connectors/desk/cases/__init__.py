# SPDX-License-Identifier: Apache-2.0
"""People and their cases: finding them, the bar that names the person on every page of theirs, the case's own page."""
