# SPDX-License-Identifier: GPL-2.0-or-later
"""One question to callroute's functions, asked by the native script and by KEMI (app_python3).

    both = Both(folder, trunks, sql)
    with both:
        both.ask("normalize", "030123")     (what the native script answers, what KEMI does)

A request with the header X-Do names what is done with it: a line of DOES. The reply's
reason phrase has the function's code and what $callroute(...) and the request say then.
Both servers read one database and send to the same far ends.
"""

import os
import shlex

from . import ports, testcfg
from .agent import Agent
from .inbound import CFG, Edge
from .kamailio import Kamailio
from .stack import complaints_of

# What to do: (native script, KEMI), each of which leaves the code: in $rc, as a value.
DOES = {
    "account": ("callroute_account();", "account()"),
    "normalize": ("callroute_account(); callroute_normalize();", "normalize()"),
    "normalize_of": ('callroute_account(); callroute_normalize("$hdr(X-Arg)");', "normalize_of(arg)"),
    "is_emergency": ("callroute_account(); callroute_is_emergency();", "is_emergency()"),
    "is_emergency_of": ('callroute_account(); callroute_is_emergency("$hdr(X-Arg)");', "is_emergency_of(arg)"),
    "is_trunk": ("callroute_is_trunk();", "is_trunk()"),
    "is_trunk_of": ('callroute_is_trunk("$hdr(X-Arg)");', "is_trunk_of(arg)"),
    "select": ("callroute_select();", "select()"),
    "select_plan": ('callroute_select("$hdr(X-Arg)");', "select_plan(arg)"),
    "select_dst": ('callroute_select("default", "$hdr(X-Arg)");', 'select_dst("default", arg)'),
    "select_src": ('callroute_select("", "$rU", "$hdr(X-Arg)");', 'select_src("", KSR.pv.gete("$rU"), arg)'),
    "did": ("callroute_did();", "did()"),
    "did_of": ('callroute_did("$hdr(X-Arg)");', "did_of(arg)"),
    "fork": ("callroute_did(); callroute_fork();", "fork()"),
    "fork_of": ('callroute_fork("$hdr(X-Arg)");', "fork_of(arg)"),
    "redirect": ("callroute_select(); callroute_redirect();", "redirect()"),
    "redirect_n": ("callroute_select(); callroute_redirect(1);", "redirect_n(1)"),
    "release": ("callroute_release();", "release()"),
    "release_held": ("callroute_select(); callroute_release();", "release()"),
    "explain": ("callroute_explain();", "explain()"),
    "next": ("callroute_next();", "next()"),
}
# What goes before, where the native text has two.
FIRST = {name: text.split("(", 1)[0].removeprefix("callroute_")
         for name, (text, _) in DOES.items() if text.count("callroute_") == 2}
SAYS = ("reason", "account", "number", "trunk", "attempt", "source", "target", "rule", "plan")

NATIVE = "".join(f'    if ($hdr(X-Do) == "{name}") {{ {text} $var(rc) = $rc; }}\n'
                 for name, (text, _) in DOES.items()) + \
    '    $var(said) = $_s($var(rc) ' + " ".join(f"$callroute({key})" for key in SAYS) + \
    ' $ru $branch(count));\n' + """
    if ($hdr(X-Do) == "call") {
        callroute_account();
        if (!callroute_normalize() || !callroute_select()) {
            sl_send_reply("480", "$callroute(reason)");
            exit;
        }
        t_on_failure("NEXT");
        t_relay();
        exit;
    }
    if (!($hdr(X-Do) =~ "redirect") || $var(rc) < 0) sl_send_reply("480", "$var(said)");
"""

PYTHON = """
import KSR as KSR

FIRST = %r
SAYS = %r


def pv(name):
    text = str(KSR.pv.getw(name))
    return "<null>" if text == "<<null>>" else text


def dialog(msg):
    if KSR.rr.loose_route() > 0:
        if KSR.is_BYE():
            KSR.callroute.release()
        KSR.tm.t_relay()
    elif KSR.is_ACK():
        if KSR.tm.t_check_trans() > 0:
            KSR.tm.t_relay()
    else:
        KSR.sl.send_reply(481, "Call/Transaction Does Not Exist")
    return 1


class Script:
    def child_init(self, rank):
        return 0

    # app_python3 looks for these two, and trips over their absence later.
    def ksr_reply_route(self, msg):
        return 1

    def ksr_onsend_route(self, msg):
        return 1

    def ksr_request_route(self, msg):
        if KSR.is_CANCEL():
            if KSR.tm.t_check_trans() > 0:
                KSR.tm.t_relay()
            return 1
        if KSR.siputils.has_totag() > 0:
            return dialog(msg)
        if KSR.is_OPTIONS():
            KSR.sl.send_reply(200, "OK")
            return 1
        KSR.rr.record_route()
        do, arg = pv("$hdr(X-Do)"), pv("$hdr(X-Arg)")
        if do == "call":
            return self.call()
        if do in FIRST:
            DOES[FIRST[do]](arg)
        rc = DOES[do](arg)
        said = " ".join([str(rc)] + [pv("$callroute(%%s)" %% key) for key in SAYS] + [pv("$ru"), pv("$branch(count)")])
        if "redirect" not in do or rc < 0:
            KSR.sl.send_reply(480, said)
        return 1

    def call(self):
        KSR.callroute.account()
        if KSR.callroute.normalize() < 0 or KSR.callroute.select() < 0:
            KSR.sl.send_reply(480, pv("$callroute(reason)"))
            return 1
        KSR.tm.t_on_failure("failure")
        KSR.tm.t_relay()
        return 1

    def failure(self, msg):
        rc = KSR.callroute.next()
        KSR.info("next rc=%%d reason=%%s trunk=%%s\\n" %% (rc, pv("$callroute(reason)"), pv("$callroute(trunk)")))
        if rc > 0:
            KSR.tm.t_on_failure("failure")
            KSR.tm.t_relay()
        return 1

    def event(self, msg, name):
        KSR.info("event %%s trunk=%%s state=%%s gen=%%s\\n" %% (
            name, pv("$callroute(trunk)"), pv("$callroute(state)"), pv("$callroute(gen)")))
        return 1


def mod_init():
    return Script()


DOES = {
%s}
"""

KEMI_CFG = testcfg.head("kex", "usrloc", "registrar", "auth", "app_python3", debug=2) + """
modparam("app_python3", "load", "{script}")
modparam("callroute", "event_callback", "event")
cfgengine "python"
"""


class Both(Edge):
    """The native script's server, as an Edge, and KEMI's beside it as `kemi`."""

    def __init__(self, folder, trunks, sql):
        next_ = """
failure_route[NEXT] {
    callroute_next();
    $var(rc) = $rc;
    xlog("L_NOTICE", "next rc=$var(rc) reason=$callroute(reason) trunk=$callroute(trunk)\\n");
    if ($var(rc) > 0) {
        t_on_failure("NEXT");
        t_relay();
    }
}
"""
        super().__init__(folder, trunks, sql=sql, cfg=CFG, before=NATIVE, routes=next_, aliases=[ports.HOME])
        own = os.path.join(self.folder, "kemi")
        os.mkdir(own)
        does = "".join(f"    {name!r}: lambda arg: KSR.callroute.{kemi},\n" for name, (_, kemi) in DOES.items())
        script = os.path.join(own, "script.py")
        with open(script, "w", encoding="utf-8") as out:
            out.write(PYTHON % (FIRST, SAYS, does))
        port = ports.port()
        cfg = os.path.join(own, "kemi.cfg")
        with open(cfg, "w", encoding="utf-8") as out:
            out.write(KEMI_CFG.format(port=port, second=ports.port(), database=self.database, params="", dialog="#",
                                      script=script))
        self.kemi = Kamailio(cfg, own, port, aliases=[ports.HOME], name="kemi")

    def __enter__(self):
        super().__enter__()
        try:
            self.kemi.start()
        except BaseException:
            self.kemi.stop()
            super().__exit__(None)
            raise
        return self

    def __exit__(self, kind, *rest):
        complaints = complaints_of(self.kemi)
        super().__exit__(kind, *rest)
        if kind is None and complaints:
            raise self.kemi.error("\n".join(complaints))

    @property
    def servers(self):
        """The native one, then KEMI's."""
        return self.kamailio, self.kemi

    def at(self, server, host=ports.OFFICE, port=0):
        """A caller of one of the two."""
        return self.keep(Agent(server.address, "4989111", "caller.test", "", host, port=port))

    def ask(self, do, number="+4930123456", arg="", host=ports.OFFICE, port=0):  # pylint: disable=arguments-differ
        """The answers of both to an INVITE that says what to do."""
        answers = []
        for server in self.servers:
            agent = self.at(server, host, port)
            headers = [("X-Do", do), *([("X-Arg", arg)] if arg else [])]
            answers.append(agent.invite(f"sip:{number}@127.0.0.1", headers=headers))
            agent.close()
        return answers


def words(answer):
    """A reason phrase as {key: text}: rc, those of SAYS, ru, branches."""
    return dict(zip(("rc", *SAYS, "ru", "branches"), shlex.split(answer.reason)))
