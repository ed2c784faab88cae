#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, shown step by step on loopback: telephones, trunks, a stopped fraud, a stopped hijack.

    tests/demo/demo.py [--keep] [--without rtpengine|fraudguard|regguard]

Needs the packages and the modules (`make demo` sees to both). Everything runs
on ports of its own in a temporary folder, which is removed at the end unless
--keep is given or a step failed. Exit status 0 only when every step went as
expected; --without takes the part away that a step is about, and that step must
then fail. The steps are in steps.py, each a function of the running stack.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import steps  # noqa: E402
from support import ports, report, server, stack as stack_  # noqa: E402
from support.process import ProcessError  # noqa: E402
from support.report import say  # noqa: E402

# The tools of the demo: Debian's baresip and SIPp play every other part.
NEEDED = ("rtpengine", "baresip", "sipp", "setpriv")


def reusable_nonces(text):
    """params.cfg without one-time nonces, which would stop the replay before regguard sees it.

    Most registrars run like this; the demo shows regguard, not the layer in front of it.
    """
    return text.replace('"one_time_nonce", 1)', '"one_time_nonce", 0)')


# What --without takes out of the script: {part: {file of cfg/: (line, what stands there instead)}}.
WITHOUT = {
    "rtpengine": {},
    "fraudguard": {"routes/limits.cfg": ("if (fraudguard_call(", "return; if (fraudguard_call(")},
    "regguard": {"routes/register.cfg": ("regguard_check();", "is_method(\"REGISTER\");")},
}


def play(run_dir, table, without=None):
    """Start everything, run the steps, stop everything."""
    edit = {"params.cfg": reusable_nonces}
    for name, (old, new) in WITHOUT.get(without, {}).items():
        edit[name] = lambda text, old=old, new=new: text.replace(old, new)
    stack = stack_.Stack(run_dir, edit=edit)
    say(f"Starting rtpengine and Kamailio with {', '.join(stack_.MODULES)} on {ports.HOME}, SQLite, in {run_dir}")
    stack.start()
    show = steps.Show(stack)
    if without == "rtpengine":
        stack.rtpengine.stop()
    try:
        for step in (show.register, show.call, show.trunk, show.fraud, show.hijack):
            title, expected = step.__doc__.strip().split("\n\n")[0].rstrip(".").split(": ", 1)
            table.run(" ".join(title.split()), " ".join(expected.split()), step)
    finally:
        complaints = stack.stop()
        show.close()
    table.run("clean up", "all stopped by their own ids, none crashed, nothing left",
              lambda step: steps.cleaned_up(step, stack, complaints))


def main():
    """Run the demo; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--keep", action="store_true", help="keep the logs and recordings")
    parser.add_argument("--without", choices=WITHOUT, help="take a part away and see its step fail")
    chosen = parser.parse_args()
    server.binary()         # says what is wrong when there is none
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        print(f"not installed: {', '.join(missing)}; run tests/packages.sh run demo as root", file=sys.stderr)
        return 2
    if os.geteuid() != 0:
        print("the demo sniffs a REGISTER on the loopback interface: please run it as root", file=sys.stderr)
        return 2
    # A signal unwinds the context managers, so that nothing stays behind.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    run_dir = tempfile.mkdtemp(prefix="tollgate-demo-")
    table = report.Report()
    status = 1
    try:
        play(run_dir, table, chosen.without)
        status = table.close()
    except ProcessError as failure:
        print(f"\n{failure}", file=sys.stderr)
    except KeyboardInterrupt:
        status = 130
    finally:
        if chosen.keep or status:
            say(f"Logs and recordings: {run_dir}")
        else:
            shutil.rmtree(run_dir)
    return status


if __name__ == "__main__":
    sys.exit(main())
