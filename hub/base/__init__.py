# SPDX-License-Identifier: Apache-2.0
"""What every slice stands on: settings, time, ids, the database, replay guards, wake-ups, logs and errors; no Flask."""
