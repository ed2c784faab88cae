#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the edge in the foreground on loopback: database (made if missing),
# rtpengine in user space, Kamailio. Ctrl-C, or the end of either, ends both; only
# processes that were started here are signalled.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(dirname "$here")
build=${BUILD:-$top/build}
python=${PYTHON:-/usr/bin/python3}

export RUN_DIR=${RUN_DIR:-$build/run}
export SIP_ADDR=${SIP_ADDR:-127.0.0.1} SIP_PORT=${SIP_PORT:-5060}
export SIP_DOMAIN=${SIP_DOMAIN:-$SIP_ADDR}
rtpengine_port=${RTPENGINE_PORT:-2223}
export RTPENGINE_SOCK=udp:127.0.0.1:$rtpengine_port
export WITH_RTPENGINE=1

die() {
	echo "run: $*" >&2
	exit 1
}

where=$top/modules/make/kamailio-where.sh
kamailio=$("$where" bin) || exit 1
command -v rtpengine >/dev/null || die "rtpengine is not installed"

mkdir -p "$RUN_DIR"
RUN_DIR=$(cd "$RUN_DIR" && pwd)
db_path=${DB_PATH:-$RUN_DIR/tollgate.sqlite}
[ -e "$db_path" ] || "$python" "$top/db/create.py" --dialect sqlite --path "$db_path" --demo --set "domain=$SIP_DOMAIN" \
	--set "trunk_dead=${DEMO_TRUNK_DEAD:-sip:127.0.0.1:5091}" --set "trunk_good=${DEMO_TRUNK_GOOD:-sip:127.0.0.1:5090}" \
	--set "trunk_emergency=${DEMO_TRUNK_GOOD:-sip:127.0.0.1:5090}"
"$python" "$top/db/create.py" --dialect sqlite --path "$db_path" --check || exit 1
DB_URL=sqlite:///$(cd "$(dirname "$db_path")" && pwd)/$(basename "$db_path")
export DB_URL
export STATE_DIR=${STATE_DIR:-$RUN_DIR}

# Each module of ours that was built is switched on, and no other.
modules_dir=${MODULE_DIR:-$build/modules}
[ -n "${MODULE_PATH:-}" ] || MODULE_PATH=$modules_dir:$("$where" modules) || exit 1
export MODULE_PATH
on=
for module in callroute fraudguard regguard; do
	if [ -e "$modules_dir/$module.so" ]; then
		export "WITH_${module^^}=1"
		on="$on $module"
	fi
done

rtpengine_pid=
kamailio_pid=
# shellcheck disable=SC2317 # called by the traps
stop() {
	trap - EXIT INT TERM
	for pid in $kamailio_pid $rtpengine_pid; do
		kill -TERM "$pid" 2>/dev/null || true
	done
	wait
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

rtpengine --config-file=none --foreground --log-stderr --log-level="${RTPENGINE_LOG_LEVEL:-4}" --table=-1 --interface="$SIP_ADDR" \
	--listen-ng="127.0.0.1:$rtpengine_port" --port-min="${RTP_MIN:-30000}" --port-max="${RTP_MAX:-30199}" --no-fallback --pidfile="$RUN_DIR/rtpengine.pid" &
rtpengine_pid=$!
# Kamailio takes an rtpengine that does not answer at start out of service.
"$python" - "$rtpengine_port" <<'PING' || die "rtpengine does not answer on 127.0.0.1:$rtpengine_port"
import socket, sys, time
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ng:
    ng.connect(("127.0.0.1", int(sys.argv[1])))
    ng.settimeout(0.1)
    for number in range(100):
        try:
            ng.send(b"%d d7:command4:pinge" % number)
            if b"pong" in ng.recv(1024):
                sys.exit(0)
        except ConnectionRefusedError:
            time.sleep(0.1)
        except TimeoutError:
            pass
sys.exit(1)
PING
"$kamailio" -f "$here/kamailio.cfg" -DD -E -Y "$RUN_DIR" -P "$RUN_DIR/kamailio.pid" -m 64 -M 8 &
kamailio_pid=$!

cat <<TEXT

tollgate runs. Modules on:${on:- none (build them with \`make\`)}. Ctrl-C stops it.

  Point a softphone at it (UDP or TCP), a second one as bob:
    user      alice            (bob, carol, dave)
    password  alice-demo       (<user>-demo)
    domain    $SIP_DOMAIN
    proxy     $SIP_ADDR:$SIP_PORT
  Call sip:bob@$SIP_DOMAIN, or +493012345 through the trunks.
  Ask the server:  kamcmd -s $RUN_DIR/kamailio_ctl core.uptime
  Database:        $db_path

TEXT

# Whichever ends first takes the other with it.
wait -n "$rtpengine_pid" "$kamailio_pid" && status=0 || status=$?
exit "$status"
