# SPDX-License-Identifier: Apache-2.0
"""The way to the hub: typed calls, tokens and proofs, retries that never act twice, errors that carry the problem."""
