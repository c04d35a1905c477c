# SPDX-License-Identifier: Apache-2.0
"""The agency side: names and content live here and nowhere else.

Read downward: `cli` and `desk` stand on `sync`, which moves messages between the `casebook` (the agency's own
records) and the hub through the `sdk`; keys lie in the `keystore`.
"""
