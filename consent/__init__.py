# SPDX-License-Identifier: Apache-2.0
"""The language both sides speak: what a person allowed, how that is decided, how it is signed and sealed.

No web, database, queue or network: any agency's own system can use it.
"""
