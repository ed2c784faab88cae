#!/usr/bin/env bash
# alone.sh COMMAND [ARG...]: runs the command where the network ends at this machine: in a network namespace
# of its own, with a loopback interface and nothing else. The private range 192.168.0.0/16 lies on it too, so
# that telephones behind a NAT can be played: what is sent to their own address reaches nobody, and no network.
# Where namespaces are not allowed the command runs as it is, and the tests that need this say so.
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

[ $# -gt 0 ] || {
	printf 'usage: alone.sh COMMAND [ARG...]\n' >&2
	exit 2
}
# Nothing but loopback, as in a container without a network: such a place needs no second one.
only_loopback() {
	[ "$(ip -oneline link | wc -l)" = 1 ]
}
# shellcheck disable=SC2016 # the inner shell expands them
inside='ip link set lo up && { ip address add 192.168.0.0/16 dev lo 2>/dev/null || true; } && exec "$@"'
if ! command -v ip >/dev/null; then
	printf 'alone.sh: no ip (Debian: iproute2): the tests run in the network of this machine\n' >&2
elif only_loopback; then
	exec sh -c "$inside" alone "$@"
elif unshare --net true 2>/dev/null; then
	exec unshare --net sh -c "$inside" alone "$@"
elif unshare --map-current-user --keep-caps --net true 2>/dev/null; then
	exec unshare --map-current-user --keep-caps --net sh -c "$inside" alone "$@"
else
	printf 'alone.sh: no network namespaces here: the tests run in the network of this machine\n' >&2
fi
exec "$@"
