# SPDX-License-Identifier: Apache-2.0
"""What differs by kind of agency, as data: the referral form each kind asks for (つなぎシート) and how it is filled."""
