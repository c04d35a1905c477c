# SPDX-License-Identifier: Apache-2.0
"""Pages for the people of the hub: its operators, the network's and the agencies' data protection officers, auditors.
Server-rendered; no name and no content of a person is here, and every reading leaves an entry in the log.
"""
