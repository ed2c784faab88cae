#!/usr/bin/env bash
# Installs the Debian packages that a group of commands needs, and only what is missing.
#
#   tests/packages.sh GROUP...        build run demo test bench docker lint
#   tests/packages.sh --list GROUP... prints the packages and changes nothing
#
# Says in one line what it will install before it does; says nothing when there is nothing to do.
# Daemons that come with a package are not started: the tests and the demo start their own.
#
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

die() {
	printf 'packages.sh: %s\n' "$1" >&2
	exit 1
}

packages_of() {
	case $1 in
		# What compiles the modules. libssl-dev and pkgconf: the server was built with OpenSSL, whose presence shows in its flags.
		# libical knows the time zones, libmaxminddb reads country and network files.
		build) echo gcc libc6-dev make dpkg-dev xz-utils pkgconf kamailio libssl-dev libical-dev libmaxminddb-dev ;;
		# What runs the edge on SQLite.
		run) echo kamailio kamailio-sqlite-modules rtpengine-daemon python3 sqlite3 tzdata ;;
		# What takes part in the demo.
		demo) echo baresip-core sip-tester ;;
		# What the tests use beyond that.
		test) echo baresip-core sip-tester python3-pytest python3-pytest-xdist python3-phonenumbers python3-dateutil libcmocka-dev kamailio-mysql-modules \
			kamailio-tls-modules kamailio-utils-modules kamailio-extra-modules kamailio-python3-modules sipvicious tshark openssl \
			libmaxmind-db-writer-perl mariadb-server mariadb-client sqlite3 tzdata iproute2 nftables linphone-cli ;;
		# Counts the instructions of the trie and the cells.
		bench) echo valgrind ;;
		docker) echo docker.io docker-compose debootstrap python3 python3-pytest ;;
		lint) echo clang libclang-rt-dev clang-format clang-tidy cppcheck shellcheck flake8 ;;
		*) die "no group '$1': there are build run demo test bench docker lint" ;;
	esac
}

list_only=
if [ "${1:-}" = --list ]; then
	list_only=1
	shift
fi
[ $# -gt 0 ] || die "which group? build run demo test bench docker lint"

all=
for group in "$@"; do
	all+=" $(packages_of "$group")"
done
mapfile -t wanted < <(tr -s ' ' '\n' <<<"${all# }" | sort -u)

if [ -n "$list_only" ]; then
	printf '%s\n' "${wanted[@]}"
	exit 0
fi
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	die "this is not Debian: please install what corresponds to: ${wanted[*]}"
fi

# dpkg-query fails for a package that it never heard of, and still lists the others.
have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' | sort -u) || true
mapfile -t missing < <(comm -23 <(printf '%s\n' "${wanted[@]}") - <<<"$have")
[ ${#missing[@]} -gt 0 ] || exit 0

[ "$(id -u)" = 0 ] || die "not root: run this as root first: apt-get install --no-install-recommends ${missing[*]}"
printf 'Installing Debian packages: %s\n' "${missing[*]}"

# Debian asks policy-rc.d before a package starts its daemon; 101 forbids it (see invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
kept=
restore() {
	rm -f "$policy"
	if [ -n "$kept" ]; then
		mv "$kept" "$policy"
	fi
	rm -f "$log"
}
log=$(mktemp)
if [ -e "$policy" ] || [ -L "$policy" ]; then
	kept=$policy.before-tollgate
	mv "$policy" "$kept"
fi
trap restore EXIT
trap 'exit 130' INT TERM
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
quietly() {
	"$@" >"$log" 2>&1 </dev/null || {
		tail -n 15 "$log" >&2
		die "'$*' failed"
	}
}
quietly apt-get -o DPkg::Lock::Timeout=120 -q update
quietly apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confold -q -y install --no-install-recommends "${missing[@]}"
