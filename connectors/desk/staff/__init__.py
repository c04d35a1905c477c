# SPDX-License-Identifier: Apache-2.0
"""Who works here: signing in by passkey or by password and one-time code, sessions and their lock, roles."""
