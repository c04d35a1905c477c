# SPDX-License-Identifier: Apache-2.0
"""What every endpoint stands on: who may call, one request as one transaction, problems, OpenAPI; it speaks no SQL
itself.
"""
