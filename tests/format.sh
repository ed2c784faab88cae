#!/usr/bin/env bash
# format.sh FILE...: are the C files formatted as .clang-format has it? Versions of clang-format differ in what they make
# of the same file: the tree is formatted by version 14 (Debian 12's), and no other one is asked.
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

version=$(clang-format --version | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
if [ "$version" != 14 ]; then
	printf 'format.sh: clang-format is version %s, the tree is formatted by 14: formatting is not checked here\n' "$version"
	exit 0
fi
exec clang-format --dry-run -Werror "$@"
