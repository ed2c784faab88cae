# SPDX-License-Identifier: GPL-2.0-or-later
"""Building against a Kamailio: the right source is found, and what is wrong is said in one line."""

import os
import shutil

import pytest

from support.kamailio import ROOT
from support.process import run

SOURCE = os.path.join(ROOT, "modules", "make", "kamailio-source.sh")
FLAGS = os.path.join(ROOT, "modules", "make", "kamailio-flags.sh")


def fake_server(folder, version, flags="USE_TCP"):
    """A program that says of itself what `kamailio -v` would."""
    path = folder / "kamailio"
    path.write_text(f"#!/bin/sh\necho 'version: kamailio {version} (x86_64/linux)'\necho 'flags: {flags}'\n")
    path.chmod(0o755)
    return str(path)


def refused(argv, **env):
    """The one line with which it stops."""
    done = run(argv, 60, env=env)
    assert done.returncode != 0, done.stdout
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_the_installed_server_finds_its_source():
    done = run([SOURCE], 300)
    assert done.returncode == 0, done.stdout
    tree = done.stdout.strip().splitlines()[-1]
    assert os.path.exists(os.path.join(tree, "src", "core", "sr_module.h"))
    with open(os.path.join(tree, "src", "config.mak"), encoding="utf-8") as made:
        release = next(line.split()[1] for line in made if line.startswith("RELEASE="))
    assert f"kamailio {release} " in run([shutil.which("kamailio") or "/usr/sbin/kamailio", "-v"], 20).stdout


def test_no_server():
    assert "no Kamailio server found" in refused([SOURCE], KAMAILIO="/nonexistent/kamailio")


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
    line = refused([SOURCE], KAMAILIO=fake_server(tmp_path, "5.9.1"))
    assert "5.9.1" in line and "KSR=" in line


def test_ksr_is_no_source(tmp_path):
    assert "is no Kamailio source tree" in refused([SOURCE], KSR=str(tmp_path))


def test_ksr_is_another_version(tmp_path):
    tree = run([SOURCE], 300).stdout.strip().splitlines()[-1]
    line = refused([SOURCE], KSR=tree, KAMAILIO=fake_server(tmp_path, "5.7.9"))
    assert "5.7.9" in line and "set KSR to the source of 5.7.9" in line


def test_flags_that_differ_are_named(tmp_path):
    """The loader would refuse the module: the build says so first, and which flags they are."""
    tree = run([SOURCE], 300).stdout.strip().splitlines()[-1]
    version = run(["/usr/sbin/kamailio", "-v"], 20).stdout.split()[2]
    server = fake_server(tmp_path, version, "USE_TCP, USE_SOMETHING_ELSE")
    done = run([FLAGS, tree, str(tmp_path / "defs")], 120, env={"KAMAILIO": server})
    assert done.returncode != 0
    assert "> USE_SOMETHING_ELSE" in done.stdout and "would not load" in done.stdout
    assert not (tmp_path / "defs").exists()
