# SPDX-License-Identifier: Apache-2.0
"""`make demo`: a hub and its agencies from nothing, two stories step by step, a search for what must not be there."""
