# SPDX-License-Identifier: GPL-2.0-or-later
"""The schema of our tables, its SQL for both dialects, the demo rows, and the connection to a database."""
