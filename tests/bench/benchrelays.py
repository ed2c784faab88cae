# SPDX-License-Identifier: GPL-2.0-or-later
"""The Kamailios that carry the same calls: a bare relay, and one for each way to choose a trunk.

They differ in what chooses the trunk and in what ends its work; everything else is one file.
"""

import os

from support import ports
from support.kamailio import Kamailio

SHM_MB, PKG_MB = 2048, 1024

CFG = """\
log_stderror=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:{host}:{port}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "jsonrpcs.so"
loadmodule "db_sqlite.so"
{modules}

request_route {{
    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{
            {within}
            t_relay();
        }} else if (is_method("ACK")) {{
            t_check_trans();
        }}
        exit;
    }}
    if (!is_method("INVITE")) {{
        sl_send_reply("405", "Method Not Allowed");
        exit;
    }}
    record_route();
    {choose}
    t_on_failure("NEXT");
    t_relay();
}}

failure_route[NEXT] {{
    if (t_is_canceled()) exit;
    {after}
}}
"""

DIALOG = 'loadmodule "dialog.so"\n'
CALLROUTE = """\
loadmodule "callroute.so"
modparam("callroute", "db_url", "{url}")
"""
DROUTING = """\
loadmodule "drouting.so"
modparam("drouting", "db_url", "{url}")
"""
LCR = """\
loadmodule "lcr.so"
modparam("lcr", "db_url", "{url}")
modparam("lcr", "gw_uri_avp", "$avp(gw_uri)")
modparam("lcr", "ruri_user_avp", "$avp(ruri_user)")
modparam("lcr", "rule_id_avp", "$avp(rule_id)")
modparam("lcr", "lcr_rule_hash_size", 1048576)
"""
TO_TRUNK = '$du = "sip:{trunk}";'
# What cfg/minimal/callroute.cfg does.
BY_CALLROUTE = """
    callroute_account();
    $var(account) = $rc;
    if (!callroute_is_emergency()) {{
        if ($var(account) < 0) {{
            sl_send_reply("403", "$callroute(reason)");
            exit;
        }}
        if (!callroute_normalize()) {{
            sl_send_reply("484", "$callroute(reason)");
            exit;
        }}
    }}
    if (!callroute_select()) {{
        sl_send_reply("503", "$callroute(reason)");
        exit;
    }}
"""
# They know digits only.
BY_DROUTING = """
    strip(1);
    if (!do_routing("0")) {{
        sl_send_reply("503", "No Route");
        exit;
    }}
"""
BY_LCR = """
    strip(1);
    if (!load_gws("1") || !next_gw()) {{
        sl_send_reply("503", "No Route");
        exit;
    }}
"""
CALLROUTE_NEXT = 'if (callroute_next()) {{ t_on_failure("NEXT"); t_relay(); }}'

# name: modules, choose, within a dialog, after a failure
RELAYS = {
    "bare relay": ("", TO_TRUNK, "", ""),
    "callroute": (CALLROUTE, BY_CALLROUTE, 'if (is_method("BYE")) callroute_release();', CALLROUTE_NEXT),
    "drouting": (DROUTING, BY_DROUTING, "", 'if (use_next_gw()) {{ t_on_failure("NEXT"); t_relay(); }}'),
    "lcr": (LCR, BY_LCR, "", 'if (next_gw()) {{ t_on_failure("NEXT"); t_relay(); }}'),
    "bare relay, dialog": (DIALOG, "dlg_manage();\n" + TO_TRUNK, "", ""),
    "callroute, dialog": (DIALOG + CALLROUTE, BY_CALLROUTE, "", CALLROUTE_NEXT),
}


class Relay(Kamailio):
    """One of RELAYS, on a port of its own, with one of Kamailio's allocators ("qm" is its default)."""

    def __init__(self, folder, name, allocator, url, trunk):
        run_dir = os.path.join(folder, f"{allocator}-{list(RELAYS).index(name)}")
        os.makedirs(run_dir)
        port = ports.port()
        parts = [part.format(url=url, trunk=trunk) for part in RELAYS[name]]
        cfg = os.path.join(run_dir, "kamailio.cfg")
        with open(cfg, "w", encoding="utf-8") as out:
            out.write(CFG.format(host=ports.HOME, port=port, **dict(zip(("modules", "choose", "within", "after"),
                                                                        parts))))
        super().__init__(cfg, run_dir, port, shm_mb=SHM_MB, pkg_mb=PKG_MB, answers_options=False)
        self.argv += ["-x", allocator, "-X", allocator]
        self.what, self.allocator = name, allocator

    def cpu(self):
        """Seconds of processor time that its processes have had so far, by the scheduler's own count."""
        spent = 0
        for pid in self.members():
            try:
                with open(f"/proc/{pid}/schedstat", encoding="utf-8") as source:
                    spent += int(source.read().split()[0])
            except (FileNotFoundError, ProcessLookupError):
                continue
        return spent / 1e9
