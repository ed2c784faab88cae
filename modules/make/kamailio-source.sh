#!/usr/bin/env bash
# Prints the path of a Kamailio source tree that matches the installed Kamailio, fetching it into a
# cache when there is none: a module loads only into the exact build that it was compiled for.
#
#   KAMAILIO   the installed server (default: kamailio, found in PATH or /usr/sbin)
#   KSR        a source tree of your own instead of the cache
#   CACHE      where fetched trees are kept (default: $XDG_CACHE_HOME/tollgate or ~/.cache/tollgate)
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

die() {
	printf 'kamailio-source: %s\n' "$1" >&2
	exit 1
}

bin=$("$(dirname "$0")/kamailio-where.sh" bin)
version=$("$bin" -v 2>/dev/null | sed -n 's/^version: kamailio \([^ ]*\).*/\1/p')
[ -n "$version" ] || die "'$bin -v' names no Kamailio version: is it Kamailio?"
case $version in
	5.[6-9].* | 6.[0-9]*.*) ;;
	*) die "Kamailio $version ($bin) is not supported: tollgate builds against 5.6 and newer" ;;
esac

# Writes config.mak when the tree has none, then checks that version and flags are the server's.
prepare() {
	local tree=$1
	[ -f "$tree/src/core/sr_module.h" ] || die "KSR=$tree is no Kamailio source tree (no src/core/sr_module.h)"
	if [ ! -f "$tree/src/config.mak" ]; then
		MAKEFLAGS='' make -C "$tree/src" cfg >/dev/null 2>"$tree/cfg.err" ||
			die "'make -C $tree/src cfg' failed: $(tail -n 1 "$tree/cfg.err")"
	fi
	local has
	has=$(sed -n 's/^RELEASE= *//p' "$tree/src/config.mak")
	[ "$has" = "$version" ] || die "$tree is Kamailio $has, but $bin is $version: set KSR to the source of $version"
}

if [ -n "${KSR:-}" ]; then
	prepare "$KSR"
	printf '%s\n' "$KSR"
	exit 0
fi

dpkg-query -S "$bin" >/dev/null 2>&1 || die "Kamailio $version ($bin) did not come from a Debian package: set KSR=/path/to/its/source"
package=$(dpkg-query -W -f '${source:Version}' kamailio)
case $package in
	"$version"-*) ;;
	*) die "$bin is $version, but Debian's package is $package: set KSR=/path/to/the/source of $version" ;;
esac
command -v dpkg-source >/dev/null || die "dpkg-source is missing: apt-get install dpkg-dev"

cache=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tollgate}
tree=$cache/kamailio-$package
if [ ! -f "$tree/src/core/sr_module.h" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/parts" "$work/lists/partial" "$cache"
	# The system's own package sources, read as source entries, in lists of our own: nothing of the
	# system's configuration changes. Security updates live in a suite of their own, listed there too.
	for f in /etc/apt/sources.list.d/*.sources; do
		[ -f "$f" ] && sed 's/^Types:.*/Types: deb-src/' "$f" >"$work/parts/${f##*/}"
	done
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$f" ] && sed -n 's/^deb /deb-src /p' "$f" >"$work/parts/${f##*/}.list"
	done
	opt=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/parts"
		-o "Dir::State::lists=$work/lists" -o Debug::NoLocking=1)
	printf 'kamailio-source: fetching the source of kamailio %s (about 13 MB)\n' "$package" >&2
	# apt-get checks every file against the archive's signed list. A mirror may lack upstream's own
	# signature (.asc), which is none of those that matter; dpkg-source checks that the rest is whole.
	(cd "$work" && apt-get "${opt[@]}" -qq update >fetch.log 2>&1 &&
		apt-get "${opt[@]}" -qq source --only-source --download-only "kamailio=$package" >>fetch.log 2>&1) || true
	compgen -G "$work/kamailio_*.dsc" >/dev/null ||
		die "apt-get could not fetch the source of kamailio $package: $(tail -n 1 "$work/fetch.log"). Set KSR=/path/to/it"
	dpkg-source --no-check -x "$work"/kamailio_*.dsc "$work/tree" >"$work/unpack.log" 2>&1 ||
		die "the source of kamailio $package is not whole: $(tail -n 1 "$work/unpack.log"); $(tail -n 1 "$work/fetch.log")"
	rm -rf "$tree"
	mv "$work/tree" "$tree"
fi
prepare "$tree"
printf '%s\n' "$tree"
