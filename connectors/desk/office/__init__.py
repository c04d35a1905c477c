# SPDX-License-Identifier: Apache-2.0
"""The office: own account, staff and roles, keys, the line to the hub, settings, who looked at what (ux D14)."""
