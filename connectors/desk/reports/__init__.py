# SPDX-License-Identifier: Apache-2.0
"""The month in figures: what the national statistics ask for, and how the network did its work; no name in it."""
