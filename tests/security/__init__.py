# SPDX-License-Identifier: Apache-2.0
"""Bad input against the whole hub: real tokens, real keys, a real database, and nothing changed afterwards."""
