# SPDX-License-Identifier: BSD-2-Clause
"""An Unbound of one thread stays a process of one thread: what writes is a process beside it, which outlives neither
and loses nothing when one is killed."""
import os
import signal
import time

from answers_cases import POLICY
from cache_cases import passes, refused
from resolver import Resolver


def threads_of(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def lives(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(") ", 1)[1][0] != "Z"
    except OSError:
        return False


def writer_of(r):
    with open(f"/proc/{r.process.pid}/task/{r.process.pid}/children", encoding="ascii") as f:
        children = [int(p) for p in f.read().split()]
    names = {}
    for pid in children:
        with open(f"/proc/{pid}/comm", encoding="ascii") as f:
            names[pid] = f.read().strip()
    found = [pid for pid, name in names.items() if name == "assay-writer" and lives(pid)]
    assert len(found) == 1, names
    return found[0]


def snapshot(r):
    with open(os.path.join(r.state, "policy.snapshot"), encoding="utf-8") as f:
        return f.readline().split()[2]


def recorded(r, zone, seconds=8):
    return r.wait_for(lambda: [x for x in r.records() if x["zone"] == zone], seconds)


def test_one_thread_stays_one(place, tree):
    with Resolver(place, tree, POLICY, threads=1) as r:
        first = writer_of(r)
        refused(r, "www.unsigned.zz")
        passes(r, "www.free.zz")
        assert threads_of(r.process.pid) == 1, threads_of(r.process.pid)
        before = snapshot(r)
        r.change_policy(POLICY.replace("require dnssec of names in unsigned.zz", "follow dnssec of names in unsigned.zz"))
        passes(r, "www.unsigned.zz")
        assert threads_of(r.process.pid) == 1 and writer_of(r) == first
        assert r.wait_for(lambda: snapshot(r) != before, 5), "the snapshot of the last good policy stays as it was"
        held = [os.readlink(f"/proc/{first}/fd/{fd}") for fd in os.listdir(f"/proc/{first}/fd") if int(fd) > 2]
        assert held and not any("socket" in f or "eventpoll" in f for f in held), f"the writer holds {held}"
        r.control("reload")
        r.wait_ready()
        second = writer_of(r)
        assert second != first and not lives(first)
        refused(r, "www.hosted.zz")
        assert threads_of(r.process.pid) == 1
        assert recorded(r, "unsigned.zz") and recorded(r, "free.zz"), r.records()
        assert r.wait_for(lambda: r.status().get("policy", {}).get("source") == "file", 5), r.status()
        assert r.stop() == 0, r.words()[-500:]
        assert not lives(second)


def test_two_threads_have_no_process_beside(place, tree):
    with Resolver(place, tree, POLICY, threads=2) as r:
        with open(f"/proc/{r.process.pid}/task/{r.process.pid}/children", encoding="ascii") as f:
            assert not f.read().split()
        refused(r, "www.unsigned.zz")


def test_a_killed_writer_is_replaced(place, tree):
    with Resolver(place, tree, POLICY, threads=1) as r:
        refused(r, "www.unsigned.zz")
        os.kill(writer_of(r), signal.SIGKILL)
        assert r.wait_for(lambda: "has ended (signal 9)" in r.words(), 5), r.words()
        passes(r, "www.free.zz")
        assert recorded(r, "free.zz"), r.records()
        refused(r, "www.hosted.zz")
        assert r.stop() == 0, r.words()[-500:]


def test_a_killed_resolver_leaves_its_findings(place, tree):
    policy = POLICY.replace("set resolver.record-every 1s", "set resolver.record-every 60s")
    with Resolver(place, tree, policy, threads=1) as r:
        writer = writer_of(r)
        refused(r, "www.unsigned.zz")
        passes(r, "www.free.zz")
        os.kill(r.process.pid, signal.SIGKILL)
        r.process.wait()
        end = time.time() + 5
        while lives(writer) and time.time() < end:
            time.sleep(0.02)
        assert not lives(writer), "the writer goes on"
        zones = {x["zone"]: x for x in r.records()}
        assert zones.get("unsigned.zz", {}).get("refused") == 1 and "free.zz" in zones, r.records()


def write_names(path, count):
    with open(path + ".new", "w", encoding="ascii") as f:
        f.writelines(f"name-number-{i}.example\n" for i in range(count))
        f.write("free.zz\n" if count > 60000 else "")
    os.replace(path + ".new", path)


def test_a_long_list_is_read_by_a_thread(place, tree):
    """Over a megabyte of names that changes: not read where questions wait meanwhile."""
    with Resolver(place, tree, POLICY, threads=1) as r:
        refused(r, "www.unsigned.zz")
        names = os.path.join(r.folder, "many.list")
        write_names(names, 60000)
        r.change_policy(POLICY + 'list many in "many.list"\nrequire dnssec of names in list many\n')
        passes(r, "www.free.zz")
        assert threads_of(r.process.pid) == 1
        version = r.policy_version()
        write_names(names, 60001)
        assert r.wait_for(lambda: r.policy_version() > version, 8), r.words()[-500:]
        time.sleep(0.5)
        refused(r, "www.free.zz")
        assert threads_of(r.process.pid) == 2
        assert r.stop() == 0, r.words()[-500:]
