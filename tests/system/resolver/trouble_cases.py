# SPDX-License-Identifier: BSD-2-Clause
"""Trouble: folders that cannot be written, a full disk, restarts, the wrong order of modules. The resolver answers on."""
import contextlib
import os
import shutil
import signal
import subprocess
import time

from answers_cases import POLICY
from cache_cases import passes, refused
from resolver import Resolver


def answers_on(r):
    for _ in range(2):
        refused(r, "www.unsigned.zz")
        passes(r, "www.free.zz")
        passes(r, "www.signed.zz", want="secure")


def test_journal_that_cannot_be_written(place, tree):
    blocked = os.path.join(place, "blocked")
    with open(blocked, "w", encoding="ascii"):
        pass
    policy = POLICY.replace("journal.dir JOURNAL", f"journal.dir {blocked}/journal")
    with Resolver(place, tree, policy) as r:
        answers_on(r)
        assert r.words().count("findings cannot be recorded") == 1, r.words()
        assert r.wait_for(lambda: r.status().get("journal", {}).get("open") is False, 6), r.status()
        os.remove(blocked)
        os.makedirs(f"{blocked}/journal")
        r.journal = f"{blocked}/journal"
        assert r.wait_for(lambda: [x for x in r.records() if x["zone"] == "unsigned.zz"], 25), "nothing is written once the folder is there"
        answers_on(r)


def test_full_disk(place, tree):
    small = os.path.join(place, "small")
    os.makedirs(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
    try:
        os.makedirs(f"{small}/journal")
        with open(f"{small}/fill", "wb") as f:
            try:
                f.write(b"x" * 100000)
            except OSError:
                pass
        policy = POLICY.replace("journal.dir JOURNAL", f"journal.dir {small}/journal")
        with Resolver(place, tree, policy) as r:
            r.journal = f"{small}/journal"
            answers_on(r)
            time.sleep(3)
            answers_on(r)
            os.remove(f"{small}/fill")
            assert r.wait_for(lambda: [x for x in r.records() if x["zone"] == "unsigned.zz"], 25), "nothing is written once there is space"
    finally:
        subprocess.run(["umount", "-l", small], check=False)


def test_state_folder_that_cannot_be_made(place, tree):
    r = Resolver(place, tree, POLICY)
    r.state = "/proc/nowhere"
    with r:
        answers_on(r)
        assert r.wait_for(lambda: "cannot be written" in r.words())


def test_many_reloads_lose_no_thread(place, tree):
    with Resolver(place, tree, POLICY) as r:

        def threads():
            with open(f"/proc/{r.process.pid}/status", encoding="ascii") as f:
                return [int(line.split()[1]) for line in f if line.startswith("Threads:")][0]

        before = threads()
        for _ in range(8):
            answers_on(r)
            r.control("reload")
            r.wait_ready()
        answers_on(r)
        assert threads() == before, f"{before} threads before, {threads()} after"


def test_killed_and_started(place, tree):
    r = Resolver(place, tree, POLICY).start()
    answers_on(r)
    time.sleep(2.5)
    r.process.kill()
    r.process.wait()
    r.start()
    try:
        answers_on(r)
        assert [x for x in r.records() if x["zone"] == "unsigned.zz"], r.records()
    finally:
        r.stop()


def test_class_chaos(place, tree):
    with Resolver(place, tree, POLICY, options='  identity: "x"\n') as r:
        for name in ("version.bind", "id.server", "hostname.bind", "trustanchor.unbound", "nothing.at.all"):
            r.ask(name, "TXT", rdclass="CH")
        answers_on(r)


def prepare(place, lib, policy="", *more, plain="/bin/true", command=None):
    from resolver import TOP

    with open(os.path.join(place, "p"), "w", encoding="ascii") as f:
        f.write(policy)
    env = dict(
        os.environ,
        ASSAY_LIB=lib,
        ASSAY_RUN=os.path.join(place, "run"),
        ASSAY_POLICY=os.path.join(place, "p"),
        ASSAY_COMMAND=command or os.path.join(TOP, os.environ.get("BUILD", "build"), "assay"),
        ASSAY_MODULES=os.path.join(place, "modules"),
        UNBOUND_PLAIN=plain,
        ASSAY_QUIET="1",
    )
    return subprocess.run([f"{TOP}/resolver-module/assay-unbound-prepare", *more], env=env, capture_output=True, text=True)


def installed(place):
    """An Unbound and the module in a folder of their own, and the folder of what prepare() writes."""
    from resolver import MODULE, UNBOUND

    lib, run = os.path.join(place, "lib"), os.path.join(place, "run")
    os.makedirs(f"{lib}/unbound")
    shutil.copy(f"{UNBOUND}/sbin/unbound", f"{lib}/unbound/unbound")
    shutil.copy(MODULE, f"{lib}/assay-unbound.so")
    return lib, run


def made_for_another_unbound(lib):
    with open(f"{lib}/assay-unbound.so", "r+b") as f:
        data = f.read()
        at = data.index(b"assay-stamp{1.")
        f.seek(at + 12)
        f.write(b"9")


def test_module_and_unbound_are_compared_before_start(place, tree):
    lib, run = installed(place)
    assert prepare(place, lib).returncode == 0
    with open(f"{run}/module.conf", encoding="ascii") as f:
        assert f'dynlib-file: "{lib}/assay-unbound.so"' in f.read()
    assert os.readlink(f"{run}/unbound") == f"{lib}/unbound/unbound"
    assert prepare(place, lib, "", "--check").returncode in (0, 1)

    made_for_another_unbound(lib)
    check = prepare(place, lib, "", "--check")
    assert check.returncode == 2 and "built for another Unbound" in check.stdout, check
    off = prepare(place, lib)
    assert off.returncode == 0 and "WITHOUT the module" in off.stderr, off
    with open(f"{run}/module.conf", encoding="ascii") as f:
        assert "dynlib" not in f.read()
    assert os.readlink(f"{run}/unbound") == "/bin/true" and os.path.exists(f"{run}/broken")
    os.remove(f"{lib}/assay-unbound.so")
    assert "there is no module" in prepare(place, lib).stderr


def test_when_broken_as_the_policy_says(place, tree):
    """Of a module that does not fit: off and stop, the answer of the last start, and an assay that does not answer."""
    lib, run = installed(place)
    made_for_another_unbound(lib)
    stop = prepare(place, lib, "set resolver.when-broken stop\n")
    assert stop.returncode == 1 and "not started" in stop.stderr, stop
    with open(f"{place}/more", "w", encoding="ascii") as f:
        f.write('set resolver.when-broken "stop"\n')
    written = ('set resolver.when-broken "stop"\n', 'set\n  resolver.when-broken\n  "stop" # words\n', f'include "{place}/more"\n')
    for policy in written:  # as the policy's own reader understands it
        stop = prepare(place, lib, policy)
        assert stop.returncode == 1 and "not started" in stop.stderr, (policy, stop)
    stop = prepare(place, lib, "set resolver.when-broken stop\nrequir nonsense\n")
    assert stop.returncode == 1 and "it was stop at the last start" in stop.stderr, stop
    assert prepare(place, lib, "set resolver.when-broken off\n").returncode == 0
    # An assay that hangs, heeds no signal, or leaves something behind that holds its output, is not waited for.
    sleeps = f"{place}/sleeps"  # the process ids of what stays
    sleep = f"sh -c 'echo $$ >>{sleeps}; exec sleep 20'"
    for number, words in enumerate((sleep, f'trap "" TERM HUP INT; {sleep} & wait; {sleep}', f"setsid {sleep}", "exit 1")):
        hung = f"{place}/hung{number}"
        with open(hung, "w", encoding="ascii") as f:
            f.write(f"#!/bin/sh\n{words}\n")
        os.chmod(hung, 0o755)
        began = time.time()
        off = prepare(place, lib, "set resolver.when-broken stop\n", command=hung)
        assert off.returncode == 0 and "it was off at the last start" in off.stderr, off
        assert time.time() - began < 12, f"{words}: {time.time() - began:.1f} s"
    with open(sleeps, encoding="ascii") as f:
        for pid in f:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
    assert "cannot be read" in prepare(place, lib, "", command=f"{place}/missing").stderr
    os.remove(f"{run}/when-broken")
    off = prepare(place, lib, "requir nonsense\n")
    assert off.returncode == 0 and "off is taken" in off.stderr, off


def test_order_of_modules_at_the_start(place, tree):
    """The operator's chain of modules: without our module, if it does not fit; else with it, where no answer bypasses it."""
    from resolver import MODULE

    lib, run = installed(place)
    made_for_another_unbound(lib)
    for line, chain in (
        ("dynlib respip validator iterator", "respip validator iterator"),
        ("dns64 dynlib validator iterator", "dns64 validator iterator"),
        ('dynlib validator iterator"\nserver: x', "validator iterator"),
        ("validator iterator", "validator iterator"),
    ):
        with open(f"{place}/modules", "w", encoding="ascii") as f:
            f.write(f"{line}\n")
        assert prepare(place, lib).returncode == 0
        with open(f"{run}/module.conf", encoding="ascii") as f:
            assert f.read() == f'server:\n    module-config: "{chain}"\n', line
    # Orders in which answers would bypass the module: it stays in, in its place, and that is said.
    shutil.copy(MODULE, f"{lib}/assay-unbound.so")
    for line, chain in (
        ("subnetcache dynlib validator iterator", "dynlib subnetcache validator iterator"),
        ("cachedb dynlib validator iterator", "dynlib validator cachedb iterator"),
        ("dynlib dns64 validator iterator", "dns64 dynlib validator iterator"),
        ("respip subnetcache dynlib python validator iterator", "dynlib respip subnetcache python validator iterator"),
        ("dns64  dynlib\trespip subnetcache validator cachedb iterator", None),
    ):
        with open(f"{place}/modules", "w", encoding="ascii") as f:
            f.write(f"{line}\n")
        done = prepare(place, lib)
        assert done.returncode == 0 and ("would bypass the module" in done.stderr) == (chain is not None), done
        assert chain is None or f'"{chain}" is taken' in done.stderr, done
        with open(f"{run}/module.conf", encoding="ascii") as f:
            assert f'module-config: "{chain or line}"\n' in f.read(), line
    os.remove(f"{place}/modules")
    os.mkfifo(f"{place}/modules")
    began = time.time()
    done = prepare(place, lib)
    assert done.returncode == 0 and "it is not a file" in done.stderr and time.time() - began < 3, done
