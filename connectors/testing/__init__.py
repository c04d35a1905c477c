# SPDX-License-Identifier: Apache-2.0
"""A hub in memory behind the SDK's interface, for our tests and other people's: `MemoryHub` and its seats."""
