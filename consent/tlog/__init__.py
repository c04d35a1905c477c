# SPDX-License-Identifier: Apache-2.0
"""The formats of the audit log, pure: `tree` (hashes), `proofs`, and `notes` that are signed.

No clock, no randomness, no storage: time and hashes are arguments (audit-log.md).
"""
