# SPDX-License-Identifier: GPL-2.0-or-later
"""Which Kamailio is under test: KAMAILIO=/path/sbin/kamailio, else the one in PATH; its parts are found beside it."""

import functools
import os
import re
import shutil

from .process import ProcessError, run

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


@functools.lru_cache(maxsize=None)
def binary():
    """The server's program."""
    name = os.environ.get("KAMAILIO") or "kamailio"
    found = shutil.which(name, path=PATH)
    if not found:
        raise ProcessError(f"no Kamailio server found ('{name}'): tests/packages.sh run, or set KAMAILIO=/path/to/it")
    return found


@functools.lru_cache(maxsize=None)
def _internals():
    return run([binary(), "-I"], 20).stdout


def version():
    """(6, 1, 4)"""
    return tuple(map(int, re.search(r"Version: kamailio (\d+)\.(\d+)\.(\d+)", _internals()).groups()))


def modules():
    """The folder of its own modules."""
    named = re.search(r"Default paths to modules: *(\S+)", _internals())
    for folder in named[1].split(":") if named else ():
        if os.path.exists(os.path.join(folder, "tm.so")):
            return folder.rstrip("/")
    raise ProcessError(f"no tm.so where {binary()} looks for its modules: {named[1] if named else 'nowhere'}")


def sql():
    """The folder of its SQL files: mysql/ and db_sqlite/ are in it."""
    return os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(binary()))), "share", "kamailio")


def kamcmd():
    """The program that asks it by RPC: beside it, else in PATH."""
    return shutil.which("kamcmd", path=f"{os.path.dirname(os.path.realpath(binary()))}:{PATH}") or "kamcmd"


def config():
    """The configuration file that it comes with."""
    return re.search(r"Default config: *(\S+)", _internals())[1]


def from_debian():
    """Whether it is the one of Debian's package."""
    return run(["dpkg-query", "-S", os.path.realpath(binary())], 20).returncode == 0
