# SPDX-License-Identifier: Apache-2.0
"""Checking a bundle of evidence offline, with this library alone (audit-log.md §7): tree, checkpoints, signatures,
keys, and every decision made again.
"""
