# SPDX-License-Identifier: Apache-2.0
"""A sealed message: `manifest` (signed), `labels` (readable without a key), `sealing` and `opening`.

The hub uses the first two and cannot reach the others.
"""
