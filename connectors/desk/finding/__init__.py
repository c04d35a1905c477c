# SPDX-License-Identifier: Apache-2.0
"""Step ①: tips about people in need, by telephone, on paper and from one public page; outreach; what becomes of them.

Nobody whom a tip is about has agreed to anything, so nothing of a tip leaves this agency.
"""
