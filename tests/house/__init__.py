# SPDX-License-Identifier: Apache-2.0
"""The rules of the house, read off the tree."""
