# SPDX-License-Identifier: GPL-2.0-or-later
"""Rate sheets into decks: what db/import.py is made of."""
