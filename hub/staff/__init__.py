# SPDX-License-Identifier: Apache-2.0
"""People of the hub who sign in: their role and how they prove who they are. What they may do is decided
where it is done.
"""
