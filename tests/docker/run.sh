#!/usr/bin/env bash
# run.sh SUITE [COMMAND...]: builds the modules and runs the integration tests (or COMMAND) on that
# Debian's Kamailio, in a container without a network. The tree is mounted read-only and copied.
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

suite=${1:?run.sh SUITE [COMMAND...]}
shift
top=$(cd "$(dirname "$0")/../.." && pwd)
image=tollgate-test:$suite

if ! docker info >/dev/null 2>&1; then
	exec "$top/tests/docker/dockerd.sh" "$0" "$suite" "$@"
fi
"$top/tests/docker/base-image.sh" "$suite"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
docker build --build-arg "SUITE=$suite" -t "$image" -f "$top/tests/docker/Dockerfile" "$top" >"$log" 2>&1 || {
	tail -n 25 "$log" >&2
	exit 1
}
[ $# -gt 0 ] || set -- sh -c 'kamailio -v | head -n 1 && make modules && make test-integration'
# A container without a network has no ::1 either, unless it is told so; IPV6=0 leaves it as it is. SYS_ADMIN: a test of ENUM mounts
# a resolv.conf of its own in a private namespace. NET_ADMIN: tests/alone.sh adds the addresses of telephones
# behind a NAT.
docker run --rm --init --network none --sysctl "net.ipv6.conf.lo.disable_ipv6=$([ "${IPV6:-1}" = 0 ] && echo 1 || echo 0)" --cap-add SYS_ADMIN --cap-add NET_ADMIN \
	-v "$top:/src:ro" "$image" \
	sh -c 'cp -r /src/. /tollgate && rm -rf build && exec "$@"' sh "$@"
