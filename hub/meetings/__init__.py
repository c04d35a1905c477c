# SPDX-License-Identifier: Apache-2.0
"""Who sits together: 支援調整会議 (with consent) and 支援会議 (law art. 9, without); the two are never the
same thing.
"""
