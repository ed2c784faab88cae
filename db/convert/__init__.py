# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables of drouting, lcr and dispatcher as rows of callroute: what db/convert.py is made of."""
