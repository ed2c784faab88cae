# SPDX-License-Identifier: GPL-2.0-or-later
"""Building against a Kamailio: the right source is found, and what is wrong is said in one line."""

import os
import re

import pytest

from support import server
from support.kamailio import ROOT
from support.process import run

SOURCE = os.path.join(ROOT, "modules", "make", "kamailio-source.sh")
FLAGS = os.path.join(ROOT, "modules", "make", "kamailio-flags.sh")
WHERE = os.path.join(ROOT, "modules", "make", "kamailio-where.sh")


def fake_server(folder, release, flags=None):
    """A program that says of itself what a Kamailio would; with `flags` its modules carry these instead."""
    path, modules = folder / "kamailio", folder / "modules"
    modules.mkdir()
    with open(os.path.join(server.modules(), "tm.so"), "rb") as stock:
        data = stock.read()
    if flags is not None:
        old = re.search(rb"USE_TCP, [A-Z0-9_, -]+", data)[0]
        data = data.replace(old, flags.encode().ljust(len(old), b"\0"))
    (modules / "tm.so").write_bytes(data)
    path.write_text(f"#!/bin/sh\necho 'version: kamailio {release} (x86_64/linux) 0123ab'\n"
                    f"echo '  Default paths to modules: {folder}/none/:{modules}/'\n")
    path.chmod(0o755)
    return str(path)


def refused(argv, **env):
    """The one line with which it stops."""
    done = run(argv, 60, env=env)
    assert done.returncode != 0, done.stdout
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.skipif(not server.from_debian(), reason="the server under test is not Debian's: its source is not fetched")
def test_the_installed_server_finds_its_source():
    done = run([SOURCE], 300)
    assert done.returncode == 0, done.stdout
    tree = done.stdout.strip().splitlines()[-1]
    assert os.path.exists(os.path.join(tree, "src", "core", "sr_module.h"))
    with open(os.path.join(tree, "src", "config.mak"), encoding="utf-8") as made:
        release = next(line.split()[1] for line in made if line.startswith("RELEASE="))
    assert tuple(map(int, release.split("."))) == server.version()


def test_no_server():
    assert "no Kamailio server found" in refused([SOURCE], KAMAILIO="/nonexistent/kamailio", KSR="")


@pytest.mark.parametrize("version", ["5.5.2", "4.4.7"])
def test_too_old(tmp_path, version):
    line = refused([SOURCE], KAMAILIO=fake_server(tmp_path, version))
    assert version in line and "5.6 and newer" in line


def test_not_a_kamailio(tmp_path):
    path = tmp_path / "kamailio"
    path.write_text("#!/bin/sh\necho hello\n")
    path.chmod(0o755)
    assert "names no Kamailio version" in refused([SOURCE], KAMAILIO=str(path))


def test_not_from_a_package(tmp_path):
    line = refused([SOURCE], KAMAILIO=fake_server(tmp_path, "5.9.1"), KSR="")
    assert "5.9.1" in line and "KSR=" in line


def test_ksr_is_no_source(tmp_path):
    assert "is no Kamailio source tree" in refused([SOURCE], KSR=str(tmp_path))


def source():
    """The tree that the modules are built with: KSR, or what is fetched for Debian's server."""
    return os.environ.get("KSR") or run([SOURCE], 300).stdout.strip().splitlines()[-1]


def test_ksr_is_another_version(tmp_path):
    line = refused([SOURCE], KSR=source(), KAMAILIO=fake_server(tmp_path, "5.7.9"))
    assert "5.7.9" in line and "set KSR to the source of 5.7.9" in line


def test_what_the_server_says_of_itself_is_not_what_its_modules_carry(tmp_path):
    """A server built from git prints a commit and more flags: its modules are looked at, where `kamailio -I` says."""
    release = ".".join(map(str, server.version()))
    fake = fake_server(tmp_path, release)
    done = run([FLAGS, source(), str(tmp_path / "defs")], 120, env={"KAMAILIO": fake})
    assert done.returncode == 0, done.stdout
    assert f"-isystem {source()}/src" in (tmp_path / "defs").read_text()


def test_flags_that_differ_are_named(tmp_path):
    """The loader would refuse the module: the build says so first, and which flags they are."""
    release = ".".join(map(str, server.version()))
    flags = "USE_TCP, USE_SOMETHING_ELSE, USE_A, USE_B, USE_C, USE_D, USE_E"
    done = run([FLAGS, source(), str(tmp_path / "defs")], 120, env={"KAMAILIO": fake_server(tmp_path, release, flags)})
    assert done.returncode != 0
    assert "> USE_SOMETHING_ELSE" in done.stdout and "would not load" in done.stdout
    assert not (tmp_path / "defs").exists()


def test_a_server_without_modules(tmp_path):
    fake = fake_server(tmp_path, "5.6.3")
    os.remove(tmp_path / "modules" / "tm.so")
    assert "no tm.so in" in refused([WHERE, "modules"], KAMAILIO=fake)


# -- make install ------------------------------------------------------------------


def make(target, **variables):
    """What `make` says; the tree is built already."""
    return run(["make", "--no-print-directory", target, *(f"{name}={value}" for name, value in variables.items())],
               300, cwd=ROOT, env={"MAKEFLAGS": ""})


def files(folder):
    """{path below the folder: content}"""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_install_and_uninstall(tmp_path):
    """Each file is named; a second install changes nothing; what an operator edited is kept, also by uninstall."""
    done = make("install", DESTDIR=tmp_path)
    assert done.returncode == 0, done.stdout
    first = files(tmp_path)
    listed = [name for name in first if name.endswith("/installed")]
    assert len(listed) == 1 and len(first) > 25
    assert all(f"installed {tmp_path}/{name}\n" in done.stdout for name in first if name not in listed)
    modules = server.modules().lstrip("/")
    assert {f"{modules}/{name}.so" for name in ("callroute", "fraudguard", "regguard")} <= set(first)
    assert make("install", DESTDIR=tmp_path).returncode == 0 and files(tmp_path) == first
    edited = next(tmp_path / name for name in first if name.endswith("/defs.cfg"))
    edited.write_text("# mine\n")
    done = make("install", DESTDIR=tmp_path)
    assert f"kept      {edited} (edited; the new one is defs.cfg.new)" in done.stdout
    assert edited.read_text() == "# mine\n" and (edited.parent / "defs.cfg.new").exists()
    done = make("uninstall", DESTDIR=tmp_path)
    assert done.returncode == 0 and f"kept      {edited} (edited)" in done.stdout
    assert list(files(tmp_path)) == [str(edited.relative_to(tmp_path))]
    done = make("uninstall", DESTDIR=tmp_path)
    assert done.returncode != 0 and "nothing was installed" in done.stdout
