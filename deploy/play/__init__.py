# SPDX-License-Identifier: Apache-2.0
"""Play a scenario file against a fresh hub and one real connector per agency (api.md, "Playing a scenario")."""
