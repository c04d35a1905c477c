# SPDX-License-Identifier: Apache-2.0
"""The log of what was done: entries, the tree over them, signed checkpoints. Its formats live in
`consent/tlog`.
"""
