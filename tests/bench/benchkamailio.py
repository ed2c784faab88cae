# SPDX-License-Identifier: GPL-2.0-or-later
"""A stock Kamailio with the modules that are compared, ours, and tgbench."""

import os

from support import ports
from support.kamailio import BUILD, Kamailio, RpcError, module_path

# Kamailio's shared and private memory, MB. Only what is touched is real.
SHM_MB, PKG_MB = 8192, 4096

CORE = """\
debug=-1
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:{host}:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "jsonrpcs.so"
loadmodule "db_sqlite.so"
"""

STOCK = """\
loadmodule "drouting.so"
modparam("drouting", "db_url", "{url}")
loadmodule "mtree.so"
modparam("mtree", "db_url", "{url}")
modparam("mtree", "mtree", "name=t;dbtable=mtree;type=2")
loadmodule "pdt.so"
modparam("pdt", "db_url", "{url}")
modparam("pdt", "check_domain", 0)
loadmodule "lcr.so"
modparam("lcr", "db_url", "{url}")
modparam("lcr", "gw_uri_avp", "$avp(gw_uri)")
modparam("lcr", "ruri_user_avp", "$avp(ruri_user)")
modparam("lcr", "rule_id_avp", "$avp(rule_id)")
modparam("lcr", "lcr_rule_hash_size", {lcr_hash})
loadmodule "htable.so"
modparam("htable", "db_url", "{url}")
modparam("htable", "htable", "t=>size=18;dbtable=htable;")
loadmodule "dispatcher.so"
modparam("dispatcher", "db_url", "{url}")
"""

CALLROUTE = """\
loadmodule "db_mysql.so"
loadmodule "callroute.so"
modparam("callroute", "db_url", "{url}")
modparam("callroute", "snapshot_mb", 512)
modparam("callroute", "max_shrink", 100)
loadmodule "tgbench.so"
"""
ROUTING = STOCK + CALLROUTE

COUNTING = """\
loadmodule "pipelimit.so"
modparam("pipelimit", "timer_interval", 3600)
{pipelimit}
loadmodule "htable.so"
modparam("htable", "htable", "small=>initval=0;")
modparam("htable", "htable", "large=>size=20;initval=0;")
loadmodule "pike.so"
loadmodule "fraudguard.so"
modparam("fraudguard", "db_url", "{url}")
modparam("fraudguard", "cells", {cells})
modparam("fraudguard", "calls", 524288)
loadmodule "tgbench.so"
"""

# No request ever comes in.
ROUTE = "request_route { exit; }\n"


def start(run_dir, modules, **values):
    """A started Kamailio with CORE and `modules`."""
    os.makedirs(run_dir, exist_ok=True)
    port = ports.port()
    values = {"host": ports.HOME, "port": port, "lcr_hash": 1 << 20, "pipelimit": "", "cells": 1 << 22, **values}
    cfg = os.path.join(run_dir, "kamailio.cfg")
    with open(cfg, "w", encoding="utf-8") as out:
        out.write((CORE + modules).format(**values) + ROUTE)
    kamailio = Kamailio(cfg, run_dir, port, shm_mb=SHM_MB, pkg_mb=PKG_MB, answers_options=False)
    kamailio.argv[kamailio.argv.index("-L") + 1] = f"{os.path.join(BUILD, 'bench', 'modules')}:{module_path()}"
    return kamailio.start()


def shm_used(kamailio):
    """Bytes of shared memory in use, the allocator's own included."""
    return kamailio.rpc("tgbench.shm")


__all__ = ["CALLROUTE", "COUNTING", "ROUTING", "RpcError", "shm_used", "start"]
