# SPDX-License-Identifier: Apache-2.0
"""The agency's own records: persons with names, forms, sent and received parts, and who looked at what.

The only place where envelopes are sealed and opened. SQLite under SQLCipher; runs without a web server or a queue.
"""
