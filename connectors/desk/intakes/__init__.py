# SPDX-License-Identifier: Apache-2.0
"""The intake form 相談受付・申込票: what a person tells, what may be passed on to whom, the signature, the paper."""
