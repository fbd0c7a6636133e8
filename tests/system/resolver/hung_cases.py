# SPDX-License-Identifier: BSD-2-Clause
"""Nothing of ours stops DNS: a disk that does not answer, and FIFOs in the places of our files, under load, through
reload, SIGTERM and kill -9, with one thread and with two. Answers flow on, at most a second of silence, no process left."""
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import threading
import time

import dns.exception
from answers_cases import POLICY, describe
from cache_cases import passes, refused
from resolver import Resolver

# Preloaded library: file operations in the module's folders wait while the flag file exists.
HANG = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
static int ours(const char *p) { return p && (strstr(p, "/state") || strstr(p, "/journal") || strstr(p, "/unbound/policy")); }
static void gate(const char *p)
{
    const char *flag = getenv("HANG_FLAG"), *busy = getenv("BUSY_FLAG");
    while (busy && ours(p) && access(busy, F_OK) == 0)
        for (volatile int i = 0; i < 10000000; i++) ;
    while (flag && ours(p) && access(flag, F_OK) == 0)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
}
static void gate_fd(int fd)
{
    char link[64], path[512];
    snprintf(link, sizeof link, "/proc/thread-self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    gate(path);
}
#define REAL(ret, name, ...) static ret (*real)(__VA_ARGS__); if (!real) real = (ret (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
int open(const char *p, int f, ...) { va_list a; va_start(a, f); mode_t m = va_arg(a, mode_t); va_end(a); gate(p);
    REAL(int, "open", const char *, int, mode_t); return real(p, f, m); }
int openat(int d, const char *p, int f, ...) { va_list a; va_start(a, f); mode_t m = va_arg(a, mode_t); va_end(a); gate(p); gate_fd(d);
    REAL(int, "openat", int, const char *, int, mode_t); return real(d, p, f, m); }
int __open_2(const char *p, int f) { gate(p); REAL(int, "open", const char *, int, mode_t); return real(p, f, 0); }
int stat(const char *p, struct stat *s) { gate(p); REAL(int, "stat", const char *, struct stat *); return real(p, s); }
int lstat(const char *p, struct stat *s) { gate(p); REAL(int, "lstat", const char *, struct stat *); return real(p, s); }
int mkdir(const char *p, mode_t m) { gate(p); REAL(int, "mkdir", const char *, mode_t); return real(p, m); }
int rename(const char *p, const char *q) { gate(p); REAL(int, "rename", const char *, const char *); return real(p, q); }
int renameat(int d, const char *p, int e, const char *q) { gate_fd(d);
    REAL(int, "renameat", int, const char *, int, const char *); return real(d, p, e, q); }
int fsync(int fd) { gate_fd(fd); REAL(int, "fsync", int); return real(fd); }
int fdatasync(int fd) { gate_fd(fd); REAL(int, "fdatasync", int); return real(fd); }
ssize_t write(int fd, const void *b, size_t n) { gate_fd(fd); REAL(ssize_t, "write", int, const void *, size_t); return real(fd, b, n); }
FILE *fopen(const char *p, const char *m) { gate(p); REAL(FILE *, "fopen", const char *, const char *); return real(p, m); }
"""


class Disk:
    """A disk that can be made to hang."""

    def __init__(self, place):
        self.flag = os.path.join(place, "hangs")
        self.busy = os.path.join(place, "computes")
        self.shim = os.path.join(place, "hang.so")
        source = os.path.join(place, "hang.c")
        with open(source, "w", encoding="ascii") as f:
            f.write(HANG)
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-w", "-o", self.shim, source, "-ldl"], check=True)

    def hang(self):
        with open(self.flag, "w", encoding="ascii"):
            pass

    def compute(self):
        """Whoever reads there computes without end."""
        with open(self.busy, "w", encoding="ascii"):
            pass

    def answer(self):
        for flag in (self.flag, self.busy):
            if os.path.exists(flag):
                os.remove(flag)

    def resolver(self, place, tree, policy, **options):
        return Resolver(place, tree, policy, **options, env={"LD_PRELOAD": self.shim, "HANG_FLAG": self.flag, "BUSY_FLAG": self.busy})


def waits():
    """{thread: seconds it was ready to run and had no processor}, of this thread and of all that the test has started. To wait for a
    disk or a lock is not in it."""
    found = {}
    me = os.getpid()
    with contextlib.suppress(OSError):
        with open(f"/proc/{me}/task/{me}/children", encoding="ascii") as f:
            threads = [f"{pid}/task/{t}" for pid in f.read().split() for t in os.listdir(f"/proc/{pid}/task")]
        for thread in (*threads, f"{me}/task/{threading.get_native_id()}"):
            with contextlib.suppress(OSError), open(f"/proc/{thread}/schedstat", encoding="ascii") as f:
                found[thread] = int(f.read().split()[1]) / 1e9
    return found


class Load:
    """Asks all the while, and knows the longest time without an answer. local: also for a name that needs no network.
    A reload empties the cache: on a busy machine, a name that has to be asked for then is late whoever is at fault.
    longest: without the time that the asker waited for a processor, and the one thread of all others that waited most; late: that time."""

    SAMPLE = 0.05  # seconds: how old the figures are that a silence is compared with

    def __init__(self, r, local=False):
        self.r, self.going, self.longest, self.late, self.wrong, self.count, self.local = r, True, 0.0, 0.0, [], 0, local
        self.threads = [threading.Thread(target=self.run)]

    def run(self):
        names = (("www.unsigned.zz", "refused"), ("www.free.zz", "passes"), ("www.signed.zz", "secure"))
        last = sampled = time.monotonic()
        before = waits()
        while self.going:
            for name, want in [x for name in names for x in ((("localhost", None), name) if self.local else (name,))]:
                try:
                    answer = describe(self.r.ask(name, timeout=0.2))
                    if want and answer != want:
                        self.wrong.append(f"{name}: {answer}")
                    self.count += want is not None
                    self.note(time.monotonic() - last, before)
                    last = time.monotonic()
                except (dns.exception.DNSException, OSError):
                    continue
                if last - sampled > self.SAMPLE:
                    before, sampled = waits(), last
            time.sleep(0.005)
        self.note(time.monotonic() - last, before)

    def note(self, silence, before):
        if silence <= 0.5:  # most of the time: the figures are not looked at
            self.longest = max(self.longest, silence)
            return
        now, me = waits(), f"{os.getpid()}/task/{threading.get_native_id()}"
        waited = {thread: seconds - before.get(thread, 0) for thread, seconds in now.items()}
        late = waited.pop(me, 0) + max(waited.values(), default=0)
        if silence - late > self.longest:
            self.longest, self.late = silence - late, late

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.going = False
        for t in self.threads:
            t.join()


def threads_of(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def no_children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        assert not f.read().split(), "it has a helper process"


BOUND = 1.25  # seconds: one that a reload may wait for our thread, and Unbound's own part of it


def quiet(load, what, bound=BOUND):
    assert load.longest <= bound, f"{what}: {load.longest:.2f} s without an answer, and {load.late:.2f} s without a processor"
    assert not load.wrong, load.wrong[:5]
    load.longest = load.late = 0.0


def hung_disk(place, tree, threads):
    disk = Disk(place)
    with disk.resolver(place, tree, POLICY, threads=threads, name="unbound") as r:
        no_children(r.process.pid)
        for name in ("www.unsigned.zz", "www.free.zz", "www.signed.zz"):
            r.ask(name)
        time.sleep(1)
        with Load(r) as load:
            time.sleep(1)
            normal = threads_of(r.process.pid)
            quiet(load, "before")
            disk.hang()
            try:
                assert r.wait_for(lambda: "the disk that findings are recorded on does not answer" in r.words(), 9), r.words()[-300:]
                quiet(load, "while it hangs")
                for round in range(4):
                    r.control("reload")
                    time.sleep(1)
                    quiet(load, f"reload {round}")
                assert threads_of(r.process.pid) <= normal + 1, f"{threads_of(r.process.pid)} threads, {normal} before"
            finally:
                disk.answer()
            assert r.wait_for(lambda: len(r.records()) > 0, 12)
            time.sleep(1)
            r.control("reload")
            time.sleep(2)
            quiet(load, "when it answers again")
            assert threads_of(r.process.pid) <= normal, f"{threads_of(r.process.pid)} threads, {normal} before"
            version = r.policy_version()
            r.write_policy(POLICY + "# another\n")
            assert r.wait_for(lambda: r.policy_version() > version, 5), "the policy is no longer followed"
        disk.hang()
        time.sleep(0.5)
        began = time.time()
        assert r.stop() == 0, r.words()[-300:]
        assert time.time() - began < 1.5, f"the end took {time.time() - began:.1f} s"
        disk.answer()


def test_hung_disk_one_thread(place, tree):
    hung_disk(place, tree, 1)


def test_hung_disk_two_threads(place, tree):
    hung_disk(place, tree, 2)


def test_hung_disk_stopped_after_giving_up(place, tree):
    disk = Disk(place)
    for how in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT):
        disk.answer()
        r = disk.resolver(place, tree, POLICY, threads=1, name="unbound").start()
        refused(r, "www.unsigned.zz")
        disk.hang()
        assert r.wait_for(lambda: r.words().count("findings are recorded on does not answer"), 9), r.words()[-300:]
        passes(r, "www.free.zz")
        began = time.time()
        r.process.send_signal(how)
        r.process.wait(5)
        assert time.time() - began < 1.2, f"{how}: {time.time() - began:.1f} s"
        os.remove(r.log)
    disk.answer()


def left_running(disk):
    """Processes that were started with this disk, those that ended left out."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as f, open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                if disk.flag.encode() in f.read() and stat.read().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(int(pid))
        except OSError:
            pass
    return found


PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH = 0x4206, 0x4207, 17


class Stopped:
    """Threads that are stopped, and no other of their process is."""

    def __init__(self, tids):
        self.tids, self.libc = tids, ctypes.CDLL(None, use_errno=True)

    def call(self, request, tid):
        return self.libc.ptrace(ctypes.c_long(request), ctypes.c_long(tid), None, None)

    def __enter__(self):
        for tid in self.tids:
            assert self.call(PTRACE_SEIZE, tid) == 0 and self.call(PTRACE_INTERRUPT, tid) == 0, os.strerror(ctypes.get_errno())
            os.waitpid(tid, 0x40000000)  # __WALL
        return self

    def __exit__(self, *_):
        for tid in self.tids:
            self.call(PTRACE_DETACH, tid)


def of_ours(pid):
    """Threads that are none of Unbound's: whenever one looks, they do not poll for questions."""
    found = {int(t) for t in os.listdir(f"/proc/{pid}/task")} - {pid}
    for _ in range(20):
        for tid in list(found):
            with open(f"/proc/{pid}/task/{tid}/wchan", encoding="ascii") as f:
                if "poll" in f.read():
                    found.remove(tid)
        time.sleep(0.02)
    return sorted(found)


def stopped_writer(r, threads):
    pid = r.process.pid
    refused(r, "www.unsigned.zz")
    tids = of_ours(pid)
    assert tids and len(tids) + threads <= threads_of(pid), f"{tids} of {threads_of(pid)} threads"
    with Load(r) as load:
        time.sleep(0.5)
        load.longest = 0.0
        with Stopped(tids):
            time.sleep(1)
            quiet(load, "stopped")
            for number in range(2):
                r.control("reload")
                time.sleep(1)
                quiet(load, f"reload {number}")
        time.sleep(1)
        quiet(load, "going on")
    tids = of_ours(pid)
    with Stopped(tids):
        began = time.time()
        r.process.terminate()
        while time.time() - began < 3 and threads_of(pid) > 1 + len(tids):
            time.sleep(0.02)
        took = time.time() - began
    assert r.process.wait(5) == 0 and took < 1.2, f"the end took {took:.1f} s"


def test_stopped_writer_under_load(place, tree):
    """The threads that write and read for the module are stopped: answers flow on, over reloads, and it ends at once."""
    for threads in (1, 2):
        with Resolver(place, tree, POLICY, threads=threads, name=f"stopped{threads}") as r:
            stopped_writer(r, threads)


def ends_under_load(r, disk, how):
    refused(r, "www.unsigned.zz")
    time.sleep(1)  # its policy is kept beside it
    with Load(r) as load:
        disk.hang()
        time.sleep(2)
        quiet(load, "while it hangs")
        began = time.time()
        r.process.send_signal(how)
        r.process.wait(5)
        ended = time.time() - began
        assert ended <= 1.0, f"{how.name}: the end took {ended:.2f} s"
        assert not left_running(disk), f"{how.name}: {left_running(disk)} left"
        disk.answer()
        r.start()
        time.sleep(1)
    quiet(load, f"{how.name} and a new start", 1.0 + ended)
    assert r.stop() == 0


def test_hung_disk_ends_under_load(place, tree):
    """While it is asked and its disk hangs: SIGTERM, and kill -9. The next one answers within a second, no process is left."""
    disk = Disk(place)
    for threads in (1, 2):
        for how in (signal.SIGTERM, signal.SIGKILL):
            disk.answer()
            with disk.resolver(place, tree, POLICY, threads=threads, name=f"ends{threads}{int(how)}") as r:
                ends_under_load(r, disk, how)
            assert not left_running(disk)


def test_start_with_a_hung_disk(place, tree):
    """No policy can be read: answers pass, loudly; when the disk answers, it is in force."""
    disk = Disk(place)
    disk.hang()
    r = disk.resolver(place, tree, POLICY, name="unbound")
    began = time.time()
    try:
        r.start()
        assert time.time() - began < 3, f"the start took {time.time() - began:.1f} s"
        assert "NO policy in force" in r.words(), r.words()
        passes(r, "www.unsigned.zz")
        disk.answer()
        assert r.wait_for(lambda: describe(r.ask("www.unsigned.zz")) == "refused", 5), r.words()[-300:]
    finally:
        disk.answer()
        r.stop()


def test_start_with_a_long_policy(place, tree):
    """The first policy takes long to read, and its disk answers: nobody knows yet what it requires. Questions are answered
    with a failure that says so; then it is in force. Unbound is not held up by it, nor is its end."""
    disk = Disk(place)
    for ends in (False, True):
        disk.compute()
        r = disk.resolver(place, tree, POLICY, name="unbound", threads=2)
        began = time.time()
        try:
            r.start()
            assert time.time() - began < 9, f"the start took {time.time() - began:.1f} s"
            for name in ("www.unsigned.zz", "www.free.zz", "www.signed.zz", "no.unsigned.zz"):
                for how in ({}, {"cd": True}, {"tcp": True}, {}):
                    answer = r.ask(name, **how)
                    assert answer.rcode == "SERVFAIL" and not answer.data and [code for code, _ in answer.ede] == [14], answer
                    assert "still being read" in answer.ede[0][1], answer
            assert r.wait_for(lambda: "Not Ready" in r.words()), r.words()
            if ends:
                began = time.time()
                assert r.stop() == 0, r.words()[-300:]
                assert time.time() - began < 5, f"the end took {time.time() - began:.1f} s"
                continue
            disk.answer()
            assert r.wait_for(lambda: describe(r.ask("www.unsigned.zz")) == "refused", 20), r.words()[-300:]
            passes(r, "www.free.zz")
            passes(r, "www.signed.zz", want="secure")
        finally:
            disk.answer()
            r.stop()


def test_the_last_policy_holds_over_a_reload(place, tree):
    """The policy's disk hangs, and Unbound is reloaded: what was in force stays in force."""
    disk = Disk(place)
    with disk.resolver(place, tree, POLICY, name="unbound") as r:
        refused(r, "www.unsigned.zz")
        disk.hang()
        try:
            time.sleep(0.5)
            for _ in range(3):
                r.control("reload")
                r.wait_ready()
                for _ in range(2):
                    refused(r, "www.unsigned.zz")
                    passes(r, "www.free.zz")
        finally:
            disk.answer()
        version = r.policy_version()
        r.write_policy(POLICY + "# another\n")
        assert r.wait_for(lambda: r.policy_version() > version, 6), r.words()[-300:]


@contextlib.contextmanager
def prompt(r, what):
    """Started in under three seconds, ended in under one and a half."""
    began = time.time()
    r.start()
    assert time.time() - began < 3, f"{what}: the start took {time.time() - began:.1f} s"
    try:
        yield
    finally:
        began = time.time()
        assert r.stop() == 0
        assert time.time() - began < 1.5, f"{what}: the end took {time.time() - began:.1f} s"


def test_fifos_in_the_places_of_files(place, tree):
    for threads in (1, 2):
        for fifo in (".status.new", "status.json", "suspensions-ended", "suspensions-ended.new", "policy.snapshot", "pause"):
            r = Resolver(place, tree, POLICY, name=f"{fifo}{threads}", threads=threads)
            folder = r.folder if fifo == "pause" else r.state
            os.mkfifo(os.path.join(folder, fifo))
            with prompt(r, fifo):
                refused(r, "www.unsigned.zz")
                with Load(r) as load:
                    time.sleep(0.5)
                    r.control("reload")
                    time.sleep(1)
                quiet(load, fifo)
                assert r.wait_for(lambda: r.status().get("policy", {}).get("source") == "file", 6), f"{fifo}: {r.status()}"


def put(kind, path):
    """Puts what is no regular file there."""
    if kind == "socket":
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(path)
    elif kind == "folder":
        os.mkdir(path)
    elif kind == "FIFO":
        os.mkfifo(path)
    else:
        os.symlink(kind, path)


def test_what_is_no_file(place, tree):
    """Of each kind, in the place of every file of ours: none is waited for, at start, reload and end."""
    fifo = os.path.join(place, "fifo")
    os.mkfifo(fifo)
    for number, kind in enumerate(("socket", "folder", "FIFO", fifo, "/dev/zero", "/dev/tty", "nowhere")):
        with_list = POLICY + 'list some in "some.list"\nrequire dnssec of names in list some\n'
        r = Resolver(place, tree, with_list, name=f"kind{number}", threads=1 + number % 2)
        names = os.path.join(r.folder, "some.list")
        with open(names, "w", encoding="ascii") as f:
            f.write("two.zz\n")
        for name in (".status.new", "status.json", "suspensions-ended", "suspensions-ended.new", "policy.snapshot.new"):
            put(kind, os.path.join(r.state, name))
        put(kind, os.path.join(r.folder, "pause"))
        with prompt(r, kind):
            refused(r, "www.unsigned.zz")
            with Load(r) as load:
                time.sleep(0.3)
                os.remove(names)
                put(kind, names)
                time.sleep(0.7)
                r.control("reload_keep_cache")
                time.sleep(1)
            quiet(load, kind)


def test_a_fifo_in_the_place_of_the_policy(place, tree):
    with Resolver(place, tree, POLICY, threads=1) as r:
        refused(r, "www.unsigned.zz")
        os.mkfifo(r.policy + ".fifo")
        os.replace(r.policy + ".fifo", r.policy)
        with Load(r) as load:
            time.sleep(1)
            r.control("reload")
            time.sleep(1.5)
        quiet(load, "policy")
        os.remove(r.policy)
        version = r.policy_version()
        r.write_policy(POLICY + "# another\n")
        assert r.wait_for(lambda: r.policy_version() > version, 6), "the policy is no longer followed"


def test_many_reloads_under_load(place, tree):
    for threads in (1, 2):
        with Resolver(place, tree, POLICY, name=f"t{threads}", threads=threads) as r:
            refused(r, "www.unsigned.zz")
            with Load(r, local=True) as load:
                for _ in range(15):
                    r.control("reload")
                    time.sleep(0.3)
                    count = load.count
                    assert r.wait_for(lambda: load.count > count + 3, 60), r.words()[-500:]
            quiet(load, "reloads", 2.0)  # with Unbound's own part, on a busy machine
            assert r.stop() == 0
            zones = {x["zone"] for x in r.records()}
            assert {"unsigned.zz", "free.zz", "signed.zz"} <= zones, zones


def test_reloads_of_a_long_policy(place, tree):
    """A policy that takes a second or more to read, or many on a busy machine, is not waited for: the one in force goes on."""
    names = os.path.join(place, "names")
    with open(names, "w", encoding="ascii") as f:
        f.writelines(f"n{i}.example{i % 977}.net\n" for i in range(1000000))
    long = POLICY + f'list long in "{names}"\nrequire dnssec of names in list long\n'
    with Resolver(place, tree, long, threads=2) as r:
        r.first_policy()
        refused(r, "www.unsigned.zz")
        with Load(r, local=True) as load:
            for _ in range(3):
                version, count, before, load.longest = r.policy_version(), load.count, len(r.words()), 0.0
                r.control("reload")
                assert r.wait_for(lambda: r.policy_version() > version and load.count > count + 3, 120), r.words()[-500:]
                said = r.words()[before:]
                first = said.index("start of service") < said.index(" in force")
                assert first or load.longest <= BOUND, f"{load.longest:.2f} s without an answer:\n{said}"
            assert not load.wrong, load.wrong[:5]
        # What changed meanwhile is taken over, although the reload has ended.
        r.write_policy(long + "require dnssec of names in free.zz\n")
        r.control("reload")
        assert r.wait_for(lambda: describe(r.ask("www.free.zz")) == "refused", 120), r.words()[-500:]
        assert r.stop() == 0


def test_a_killed_resolver_leaves_its_findings(place, tree):
    """What was written is in the journal; nothing is left running."""
    r = Resolver(place, tree, POLICY, threads=1).start()
    refused(r, "www.unsigned.zz")
    passes(r, "www.free.zz")
    assert r.wait_for(lambda: {x["zone"] for x in r.records()} >= {"unsigned.zz", "free.zz"}, 5)
    no_children(r.process.pid)
    r.process.kill()
    r.process.wait()
    assert {x["zone"] for x in r.records()} >= {"unsigned.zz", "free.zz"}
