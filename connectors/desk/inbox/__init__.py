# SPDX-License-Identifier: Apache-2.0
"""What came to us: the list, one item, opening it on purpose, and the three answers, always in the same order."""
