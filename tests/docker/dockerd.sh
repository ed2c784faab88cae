#!/usr/bin/env bash
# dockerd.sh COMMAND [ARG...]: runs the command with a container engine: the one that is running, else
# one started for it and stopped after it, by its own pid.
# SPDX-License-Identifier: GPL-2.0-or-later
set -euo pipefail

if docker info >/dev/null 2>&1; then
	exec "$@"
fi
command -v dockerd >/dev/null || {
	printf 'dockerd.sh: no container engine: apt-get install docker.io\n' >&2
	exit 1
}
log=$(mktemp)
dockerd >"$log" 2>&1 &
pid=$!
stop() {
	if kill "$pid" 2>/dev/null; then
		wait "$pid" 2>/dev/null || true
	fi
	rm -f "$log"
}
trap stop EXIT
# dockerd says so when it listens; it ends by itself when it cannot. No pipe here: grep leaves at the
# first match, and under pipefail a tail that still had a line to write would count as a failure.
grep -q -m 1 'API listen on' < <(timeout 60 tail -n +1 -F --pid="$pid" "$log" 2>/dev/null) || {
	printf 'dockerd.sh: dockerd did not start:\n' >&2
	tail -n 5 "$log" >&2
	exit 1
}
"$@"
