#!/usr/bin/env bash
# base-image.sh SUITE: makes debian:SUITE-slim with debootstrap, for a machine that reaches a Debian
# mirror (its own, read from apt's configuration) but no image registry. Nothing to do when it exists.
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

suite=${1:?base-image.sh SUITE}
image=debian:$suite-slim

docker image inspect "$image" >/dev/null 2>&1 && exit 0
command -v debootstrap >/dev/null || {
	printf 'base-image: debootstrap is missing: apt-get install debootstrap\n' >&2
	exit 1
}
# A machine has some of these files: cat fails for those it has not.
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null || true; } |
	sed -nE -e 's/^URIs: *([^ ]+\/debian\/?)( .*)?$/\1/p' -e 's/^deb +(\[[^]]*\] +)?([^ ]+\/debian\/?) .*/\2/p' | head -n 1)
[ -n "$mirror" ] || {
	printf 'base-image: apt knows no Debian mirror\n' >&2
	exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf 'base-image: making %s from %s\n' "$image" "$mirror"
debootstrap --variant=minbase "$suite" "$work/root" "$mirror" >"$work/log" 2>&1 || {
	tail -n 5 "$work/log" >&2
	exit 1
}
tar -C "$work/root" -c . | docker import - "$image" >/dev/null
