# SPDX-License-Identifier: Apache-2.0
"""The formats of the audit log, pure: `tree` (hashes), `proofs`, `notes` that are signed, `policy` of witnesses.

No clock, no randomness, no storage: time and hashes are arguments (audit-log.md).
"""
