# SPDX-License-Identifier: Apache-2.0
"""A witness of audit logs (C2SP tlog-witness): sees that each log only grows, and signs what it saw.

It knows checkpoints and hashes alone, nothing of an agency or a person; a connector's agency can run one.
"""
