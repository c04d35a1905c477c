# SPDX-License-Identifier: Apache-2.0
"""The player and the demo in small: what needs no hub."""
