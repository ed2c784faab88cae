#!/usr/bin/env bash
# check-layers.sh MODULE...: the layers of the source tree.
#   1 modules/lib includes nothing but lib and libc, has no globals, reads no clock, writes no log
#   2 a module's policy includes only lib and its own headers; what sees Kamailio says so by the end of its
#     name: _mod _cmd _rpc _db _pv _dlg _ul _msg (the list of tests/tests.mk)
#   3 no module includes another one
# That lib and policies compile without Kamailio is shown by compiling them (the caller's objects).
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

bad=0
complain() {
	printf 'check-layers: %s\n' "$1" >&2
	bad=1
}

includes() { # FILE...: "file:header" of every quoted include
	grep -HoE '^#include "[^"]+"' "$@" | sed -E 's/#include "([^"]+)"/\1/'
}

while IFS=: read -r file header; do
	[[ $header == lib/* ]] || complain "$file includes $header: lib may include only lib"
done < <(includes modules/lib/*.[ch])

for module in "$@"; do
	for file in modules/"$module"/*.[ch]; do
		base=${file##*/}
		while IFS=: read -r _ header; do
			case $header in
				lib/* | "$module"/*) ;;
				glue/* | core/* | modules/*)
					[[ $base =~ _(mod|cmd|rpc|db|pv|dlg|ul|msg)\.[ch]$ ]] ||
						complain "$file includes $header: a policy may not see Kamailio" ;;
				*) complain "$file includes $header: modules know only lib, glue and themselves" ;;
			esac
		done < <(includes "$file")
	done
done

# Constants that need relocation are in .data.rel.ro; what can change is in .data and .bss. process.c
# keeps this process's own number at hand; it is no state of the library.
globals=
for object in ${LIB_OBJ:?}; do
	[[ $object == */process.o ]] && continue
	size -A "$object" | awk '($1 == ".data" || $1 == ".bss") && $2 > 0 { found = 1 } END { exit !found }' &&
		globals+=" $object"
done
[[ -z $globals ]] || complain "lib has globals: $globals"
# shellcheck disable=SC2086
calls=$(nm -A --undefined-only ${LIB_OBJ} |
	grep -E ' (clock_gettime|gettimeofday|time|localtime|localtime_r|printf|fprintf|puts|perror|syslog)$' || true)
[[ -z $calls ]] || complain "lib reads a clock or writes a log: $calls"

[[ $bad -eq 0 ]] && printf 'layers are clean: lib, %s\n' "$*"
exit "$bad"
