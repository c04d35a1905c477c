# SPDX-License-Identifier: Apache-2.0
"""Today's board: what is late or today, who owes an answer, what came in, which consents end, what is half written."""
