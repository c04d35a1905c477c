# SPDX-License-Identifier: Apache-2.0
"""The broker: accept, decide each part, store sealed, decide again, hand over, acknowledge."""
