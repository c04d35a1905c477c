# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL and Redis (or Valkey) started as our own children in one data folder: evaluation and single small
sites.
"""
