#!/usr/bin/env bash
# Where the Kamailio that we build for has its parts:
#
#   kamailio-where.sh bin       the server
#   kamailio-where.sh modules   the folder of its modules, as `kamailio -I` names it (the one with tm.so in it)
#   kamailio-where.sh config    the folder of its configuration
#   kamailio-where.sh share     the folder of its SQL files, beside the server (bin/../../share/kamailio)
#
#   KAMAILIO   the server (default: kamailio, found in PATH or where distributions put it)
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

die() {
	printf 'kamailio-where: %s\n' "$1" >&2
	exit 1
}

name=${KAMAILIO:-kamailio}
bin=$(PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$name") ||
	die "no Kamailio server found ('$name'): install it (Debian: apt-get install kamailio) or set KAMAILIO=/path/sbin/kamailio"
case ${1:-} in
	bin)
		printf '%s\n' "$bin"
		;;
	modules)
		# Several folders are separated by colons.
		paths=$("$bin" -I 2>/dev/null | sed -n 's/^ *Default paths to modules: *//p')
		[ -n "$paths" ] || die "'$bin -I' names no folder of modules: is it Kamailio?"
		while IFS= read -r folder; do
			folder=${folder%/}
			[ ! -f "$folder/tm.so" ] || {
				printf '%s\n' "$folder"
				exit 0
			}
		done < <(tr ':' '\n' <<<"$paths")
		die "no tm.so in $paths, where $bin looks for its modules: install its modules (make install in its source)"
		;;
	config)
		file=$("$bin" -I 2>/dev/null | sed -n 's/^ *Default config: *//p')
		[ -n "$file" ] || die "'$bin -I' names no configuration file: is it Kamailio?"
		dirname "$file"
		;;
	share)
		printf '%s/share/kamailio\n' "$(dirname "$(dirname "$(readlink -f "$bin")")")"
		;;
	*)
		die "usage: kamailio-where.sh bin|modules|config|share"
		;;
esac
