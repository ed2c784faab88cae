#!/usr/bin/env bash
# kamailio-flags.sh SOURCE OUT: writes the compile options that make a module loadable into the
# installed Kamailio to OUT (a gcc @file), and proves it by comparing the version and flags strings
# that the loader compares (core/sr_module.c, ksr_version_control).
#
#   KAMAILIO, CC as usual
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

tree=$1
out=$2
bin=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "${KAMAILIO:-kamailio}")
cc=${CC:-gcc}

write_defs() {
	# config.mak is a makefile of variables: ask make itself, its quoting is what gcc's @file reads.
	# shellcheck disable=SC2016
	make -s --no-print-directory -f "$tree/src/config.mak" \
		--eval='show: ; @: $(info $(C_DEFS) $(CC_PMUTEX_OPTS))' show >"$out"
	printf -- '-isystem %s/src\n' "$tree" >>"$out"
}

# The strings that a module built with OUT would carry.
module_strings() {
	printf '%s\n' '#include <stdio.h>' '#include "core/ver_defs.h"' \
		'int main(void) { puts(SER_FULL_VERSION); puts(SER_COMPILE_FLAGS); return 0; }' >"$out.c"
	"$cc" "@$out" "$out.c" -o "$out.probe" 2>/dev/null && "$out.probe"
}

# The same two from the server itself; its first line may end in a blank.
server_strings() {
	"$bin" -v | sed -n -e 's/^version: //p' -e 's/^flags: //p' | sed 's/ *$//'
}

mkdir -p "$(dirname "$out")"
write_defs
if [ "$(module_strings)" != "$(server_strings)" ]; then
	# config.mak depends on what was installed when it was written (libssl-dev): write it again.
	make -C "$tree/src" cfg >/dev/null 2>&1 || true
	write_defs
fi
if [ "$(module_strings)" != "$(server_strings)" ]; then
	printf 'kamailio-flags: a module built from %s would not load into %s. Differences (< module, > server):\n' \
		"$tree" "$bin" >&2
	diff <(module_strings | sed 's/, /\n/g') <(server_strings | sed 's/, /\n/g') | grep '^[<>]' >&2 || true
	printf '%s\n' "Install the headers that the server was built with (Debian: libssl-dev), or set KSR to the exact source" \
		"tree, with its config.mak, that the server was built from (6.1 packages built with CMake need this)." >&2
	rm -f "$out"
	exit 1
fi
rm -f "$out.c" "$out.probe"
