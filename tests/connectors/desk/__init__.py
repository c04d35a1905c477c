# SPDX-License-Identifier: Apache-2.0
"""The desk, page by page: a real casebook and real keys, a hub in memory, a browser without scripts."""
