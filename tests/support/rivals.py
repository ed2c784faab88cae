# SPDX-License-Identifier: GPL-2.0-or-later
"""One Kamailio with drouting, lcr, dispatcher and callroute: what each of them makes of the same request.

    with Rivals(folder, stock, ours) as both:
        both.ask("lcr", 1, "lcr-1", "4930123")      ([the stock module's URIs], [callroute's URIs])

The stock module is asked until it has no further gateway, callroute for a 302;
nothing is sent to anybody. All of it happens in one run of the script, so that
both see the same moment.
"""

import os

from . import ports, sip
from .kamailio import Kamailio

CFG = """#!KAMAILIO
log_stderror=yes
children=1
listen=udp:127.0.0.1:{port}
loadmodule "{driver}.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "jsonrpcs.so"
loadmodule "drouting.so"
loadmodule "lcr.so"
loadmodule "dispatcher.so"
loadmodule "callroute.so"
modparam("drouting", "db_url", "{stock}")
modparam("drouting", "force_dns", 0)
modparam("drouting", "sort_order", {sort_order})
modparam("lcr", "db_url", "{stock}")
modparam("lcr", "lcr_count", 4)
modparam("lcr", "gw_uri_avp", "$avp(gateway)")
modparam("lcr", "ruri_user_avp", "$avp(user)")
modparam("lcr", "priority_ordering", {priority_ordering})
modparam("dispatcher", "db_url", "{stock}")
modparam("dispatcher", "flags", 2)
modparam("dispatcher", "use_default", {use_default})
modparam("callroute", "db_url", "{ours}")

request_route {{
    if (!is_method("INFO")) {{
        sl_send_reply("200", "OK");
        exit;
    }}
    $var(asked) = $ru;
    $var(number) = $rU;
    $var(set) = $(hdr(X-Set){{s.int}});
    $var(plan) = $hdr(X-Plan);
    $var(tried) = "";
    switch ($hdr(X-Module)) {{
        case "drouting":
            route(DROUTING);
            break;
        case "lcr":
            route(LCR);
            break;
        case "dispatcher":
            route(DISPATCHER);
            break;
    }}
    append_to_reply("X-Tried: $var(tried)\\r\\n");
    $ru = $var(asked);
    $du = $null;
    callroute_select("$var(plan)");
    if ($rc > 0) {{
        callroute_redirect();
        exit;
    }}
    sl_send_reply("404", "$callroute(reason)");
}}

route[DROUTING] {{
    if (!do_routing("$var(set)")) return;
    $var(tried) = $ru;
    while (use_next_gw()) {{
        $var(tried) = $var(tried) + " " + $ru;
    }}
}}

route[LCR] {{
    if (!load_gws($var(set), $var(number))) return;
    while (next_gw()) {{
        $var(tried) = $var(tried) + " " + $ru;
    }}
}}

route[DISPATCHER] {{
    if (!ds_select_dst("$var(set)", "{alg}")) return;
    $var(tried) = $du;
    while (ds_next_dst()) {{
        $var(tried) = $var(tried) + " " + $du;
    }}
}}
"""


class Rivals(Kamailio):
    """stock, ours: database URLs as Kamailio has them; zone: the server's time zone."""

    def __init__(self, folder, stock, ours, driver="db_sqlite", zone="UTC", sort_order=0, priority_ordering=0,
                 alg=8, use_default=0):
        cfg, port = os.path.join(str(folder), "rivals.cfg"), ports.port()
        with open(cfg, "w", encoding="utf-8") as out:
            out.write(CFG.format(port=port, stock=stock, ours=ours, driver=driver, sort_order=sort_order,
                                 priority_ordering=priority_ordering, alg=alg, use_default=use_default))
        super().__init__(cfg, str(folder), port, env={"TZ": zone}, name="rivals")
        self.end = sip.Endpoint(self.address)

    def stop(self):
        """Close our end, too."""
        self.end.close()
        return super().stop()

    def ask(self, module, key, plan, number):
        """(URIs of the stock module's set, group or instance `key`, URIs of callroute's plan), in their order."""
        callid, here = sip.token("ask"), f"sip:ask@{self.end.where}"
        self.end.send(sip.build(f"INFO sip:{number}@{self.host}:{self.port} SIP/2.0", [
            ("Via", self.end.via()), ("Max-Forwards", "70"), ("From", f"<{here}>;tag={sip.token()}"),
            ("To", f"<sip:{number}@{self.host}>"), ("Call-ID", callid), ("CSeq", "1 INFO"), ("Contact", f"<{here}>"),
            ("X-Module", module), ("X-Set", str(key)), ("X-Plan", plan)]))
        answer = self.end.final(callid, (1, "INFO"))
        assert answer is not None, f"no answer about {number} to {module} {key}"
        assert answer.status in (302, 404), answer
        return answer.get("x-tried", "").split(), answer.contact_uris()

    def explained(self, plan, number):
        """Names of the trunks that callroute.explain says would be tried."""
        return self.rpc("callroute.explain", number, plan)["chosen"]
