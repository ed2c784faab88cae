#!/usr/bin/env bash
# kamailio-flags.sh SOURCE OUT: writes the compile options that make a module loadable into the installed Kamailio to
# OUT (a gcc @file), and proves it by comparing what the loader compares: the version and flags strings that a module
# carries (core/sr_module.c, ksr_version_control). They are read off an installed stock module: `kamailio -v` prints
# another text for a server that was built from git (its commit behind the version, more flags).
#
#   KAMAILIO, CC as usual
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

tree=$1
out=$2
where=$(dirname "$0")/kamailio-where.sh
bin=$("$where" bin)
stock=$("$where" modules)/tm.so
cc=${CC:-gcc}

write_defs() {
	# config.mak is a makefile of variables: ask make itself, its quoting is what gcc's @file reads.
	# shellcheck disable=SC2016
	MAKEFLAGS='' make -s --no-print-directory -f "$tree/src/config.mak" \
		--eval='show: ; @: $(info $(C_DEFS) $(CC_PMUTEX_OPTS))' show >"$out"
	printf -- '-isystem %s/src\n' "$tree" >>"$out"
}

# The two strings that a module built with OUT would carry, a line each.
our_strings() {
	printf '%s\n' '#include <stdio.h>' '#include "core/ver_defs.h"' \
		'int main(void) { puts(SER_FULL_VERSION); puts(SER_COMPILE_FLAGS); return 0; }' >"$out.c"
	"$cc" "@$out" "$out.c" -o "$out.probe" 2>/dev/null && "$out.probe"
}

# Whether the stock module carries both of them. The bytes before a text may be no text, so lines are compared by their end.
is_loadable() {
	local line
	[ "$(our_strings | wc -l)" = 2 ] || return 1
	while IFS= read -r line; do
		LC_ALL=C awk -v want="$line" 'substr($0, length($0) - length(want) + 1) == want { found = 1 } END { exit !found }' \
			"$out.stock" || return 1
	done < <(our_strings)
}

# What the stock module carries: the server's name, a version, the machine; and a list of flags.
stock_strings() {
	grep -aoE -m 1 '[a-z-]+ [0-9]+\.[0-9]+\.[^ ]+ \([^ ]+\)$' "$out.stock" || true
	grep -aoE -m 1 '[A-Z][A-Z0-9_-]+(, [A-Z0-9_-]+){5,}$' "$out.stock" || true
}

mkdir -p "$(dirname "$out")"
trap 'rm -f "$out.c" "$out.probe" "$out.stock"' EXIT
# The texts of the stock module, a line each.
LC_ALL=C tr '\0' '\n' <"$stock" >"$out.stock"
write_defs
if ! is_loadable; then
	# config.mak depends on what was installed when it was written (libssl-dev): write it again.
	MAKEFLAGS='' make -C "$tree/src" cfg >/dev/null 2>&1 || true
	write_defs
fi
if ! is_loadable; then
	printf 'kamailio-flags: a module built from %s would not load into %s. Differences (< ours, > %s):\n' \
		"$tree" "$bin" "$stock" >&2
	diff <(our_strings | sed 's/, /\n/g') <(stock_strings | sed 's/, /\n/g') | grep '^[<>]' >&2 || true
	printf '%s\n' "Install the headers that the server was built with (Debian: libssl-dev), or set KSR to the exact source" \
		"tree, with its config.mak, that the server was built from (6.1 packages built with CMake need this)." >&2
	rm -f "$out"
	exit 1
fi
