# SPDX-License-Identifier: GPL-2.0-or-later
"""An independent routing decision, written from the documentation, and what compares it with the module's."""
