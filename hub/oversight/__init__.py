# SPDX-License-Identifier: Apache-2.0
"""What the data protection officer watches over: reviews, disclosures of a case, consents, anomalies, samples of paper,
breaches and the month's figures. Everything in codes, ids and dates; there is no name to be seen here.
"""
