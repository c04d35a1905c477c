# SPDX-License-Identifier: Apache-2.0
"""The agency's keys at rest: one file, Argon2id over a passphrase, AES-256-GCM, mode 0600 (protocol §3)."""
