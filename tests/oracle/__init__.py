# SPDX-License-Identifier: GPL-2.0-or-later
"""Independent routing decisions and lookups, written from the documentation, and what compares the module's."""
