# SPDX-License-Identifier: Apache-2.0
"""A sealed message: what is signed (`manifest`), what may be read without a key (`labels`), closing (`sealing`) and `opening`. The hub uses the first two and cannot reach the others."""
