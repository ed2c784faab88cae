#!/usr/bin/env bash
# A file is one idea: 400 lines at the very most.
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

long=$(git ls-files -- '*.c' '*.h' '*.py' '*.cfg' '*.sh' '*.js' '*.mk' Makefile | xargs -r wc -l |
	awk '$2 != "total" && $1 > 400 { print $2 ": " $1 " lines" }')
[[ -z $long ]] && exit 0
printf 'over 400 lines (split it):\n%s\n' "$long" >&2
exit 1
