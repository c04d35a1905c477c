# SPDX-License-Identifier: Apache-2.0
"""What comes in and goes out as tables: people and cases from CSV and Excel, every list as CSV and Excel (ux §0.9, §5).

Coming in: `sheets` and `workbooks` read a file, `rules` knows its columns, `answers` reads a row as the intake form
does, `service` adds the rows in small transactions and takes them back. Going out: `lists` gathers, `writing` writes.
"""
