# SPDX-License-Identifier: Apache-2.0
"""The cases a worker carries: finding people, the list of cases, and one case with all that goes on around it (ux D10).

The bar that names the person and the question why somebody looks are in `cases`, on which every slice stands.
"""
