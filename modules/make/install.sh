#!/usr/bin/env bash
# install.sh install|uninstall: the modules, the SQL files and the routing scripts, where the installed Kamailio looks.
# Says each file that it writes or removes. Nothing that an operator edited is overwritten or removed: the checksums
# of what was installed are kept in a list, SHARE_DIR/tollgate/installed.
#
#   BUILD       where the modules and the SQL files were built
#   MODULE_DIR  Kamailio's modules      SHARE_DIR  its SQL files      CFG_DIR  our routing scripts
#   DESTDIR     put before all of these, for packages
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail
cd "$(dirname "$0")/../.."

where=modules/make/kamailio-where.sh
build=${BUILD:-build}
dest=${DESTDIR:-}
modules=${MODULE_DIR:-$("$where" modules)}
share=${SHARE_DIR:-$("$where" share)}/tollgate
cfg=${CFG_DIR:-$("$where" config)/tollgate}
list=$share/installed

sum() {
	sha256sum "$1" | cut -d ' ' -f 1
}

# The checksum that FILE was installed with; empty when it was not.
installed_sum() {
	[ ! -f "$dest$list" ] || sed -n "s|^\([0-9a-f]*\)  $1\$|\1|p" "$dest$list"
}

is_edited() {
	[ -f "$dest$1" ] && [ "$(sum "$dest$1")" != "$(installed_sum "$1")" ]
}

# put SOURCE TARGET: notes it in the new list.
put() {
	local to=$2
	if is_edited "$to" && ! cmp -s "$1" "$dest$to"; then
		printf 'kept      %s%s (edited; the new one is %s.new)\n' "$dest" "$to" "${to##*/}"
		install -m 644 "$1" "$dest$to.new"
		printf '%s  %s\n' "$(installed_sum "$to")" "$to" >>"$new"
		to=$to.new
	else
		install -D -m 644 "$1" "$dest$to"
		printf 'installed %s%s\n' "$dest" "$to"
	fi
	printf '%s  %s\n' "$(sum "$dest$to")" "$to" >>"$new"
}

# remove LIST: what it names, but for what was edited since.
remove() {
	local was file
	while read -r was file; do
		if [ ! -e "$dest$file" ]; then
			continue
		elif [ "$(sum "$dest$file")" = "$was" ]; then
			rm "$dest$file"
			printf 'removed   %s%s\n' "$dest" "$file"
		else
			printf 'kept      %s%s (edited)\n' "$dest" "$file"
		fi
	done <"$1"
}

# What the release before had and this one has not.
remove_old() {
	[ -f "$dest$list" ] || return 0
	awk 'NR == FNR { now[$2]; next } !($2 in now)' "$new" "$dest$list" >"$new.old"
	remove "$new.old"
}

take_away() {
	[ -f "$dest$list" ] || {
		printf 'uninstall: %s is not there: nothing was installed\n' "$dest$list" >&2
		exit 1
	}
	remove "$dest$list"
	rm "$dest$list"
	# Our own folders, where they are empty now.
	for folder in "$cfg/routes" "$cfg/minimal" "$cfg" "$share/sqlite" "$share/mysql" "$share"; do
		rmdir --ignore-fail-on-non-empty "$dest$folder" 2>/dev/null || true
	done
}

new=$(mktemp)
trap 'rm -f "$new" "$new.old"' EXIT
case ${1:-} in
	install)
		for file in "$build"/modules/*.so; do
			put "$file" "$modules/${file##*/}"
		done
		for dialect in sqlite mysql; do
			for file in "$build/db/$dialect"/*.sql; do
				put "$file" "$share/$dialect/${file##*/}"
			done
		done
		for file in cfg/*.cfg cfg/local.cfg.sample cfg/routes/*.cfg cfg/minimal/*.cfg; do
			put "$file" "$cfg/${file#cfg/}"
		done
		remove_old
		install -m 644 "$new" "$dest$list"
		;;
	uninstall)
		take_away
		;;
	*)
		printf 'usage: install.sh install|uninstall\n' >&2
		exit 2
		;;
esac
