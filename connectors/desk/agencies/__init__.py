# SPDX-License-Identifier: Apache-2.0
"""The directory of the agencies around us: who helps with what, where, how fast, and how they are reached (ux D4)."""
