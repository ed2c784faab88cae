# SPDX-License-Identifier: GPL-2.0-or-later
"""What the configurations of the tests have in common: templates for str.format, so braces are doubled.

    CFG = head("tmx", children=4) + REQUEST + start() + "    callroute_select(); ..."
"""

REQUEST = "\nrequest_route {{\n"
RELEASE = """            if (is_method("BYE")) callroute_release();
"""


def head(*modules, children=2, debug=None, listen=(), more=""):
    """The file up to its routes: listeners at {port} and {second}, the modules of every test and these ones, callroute.

    The line of dialog stands behind {dialog}, "" or "#"; `more` holds modparams, which {params} may overrule.
    """
    lines = ["#!KAMAILIO", "log_stderror=yes", f"children={children}"]
    if debug is not None:
        lines.append(f"debug={debug}")
    lines += [f"listen={where}" for where in ("udp:127.0.0.1:{port}", "udp:127.0.0.1:{second}", *listen)]
    lines += [f'loadmodule "{name}.so"'
              for name in ("db_sqlite", "tm", "sl", "rr", "pv", "xlog", "textops", "siputils", *modules, "jsonrpcs")]
    return "\n".join(lines) + """
{dialog}loadmodule "dialog.so"
loadmodule "callroute.so"
modparam("tm", "fr_timer", 5000)
modparam("callroute", "db_url", "sqlite:///{database}")
""" + more + "{params}\n"


def start(bye=""):
    """What a request_route does first: CANCEL, requests in a dialog (with `bye` before a BYE is relayed), OPTIONS."""
    return """    if (is_method("CANCEL")) {{
        if (t_check_trans()) t_relay();
        exit;
    }}
    if (has_totag()) {{
        if (loose_route()) {{
""" + bye + """            t_relay();
        }} else if (is_method("ACK")) {{
            if (t_check_trans()) t_relay();
        }} else {{
            sl_send_reply("481", "Call/Transaction Does Not Exist");
        }}
        exit;
    }}
    if (is_method("OPTIONS")) {{
        sl_send_reply("200", "OK");
        exit;
    }}
"""
