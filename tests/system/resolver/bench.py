#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench.py [ROUNDS [LOAD...]] - what the module costs: the same Unbound without it (plain), with a policy that records,
and with one that requires DNSSEC of the
signed and the unsigned zone, in turns. Loads: names in the cache (hot), names asked for the first time (miss); signed,
unsigned, and unsigned where DNSSEC
is required (refused). One thread (or THREADS=N) on the first core, dnsperf and the name servers on the second. Printed:
the median of queries a second and of processor
time for each query, both as a ratio to plain, and the resolver's memory. On a busy machine the processor time is the
one to read. LOAD: only those, by their names."""
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
if os.environ.get("ASSAY_RESOLVER_TESTS") != "inside":
    os.environ["ASSAY_RESOLVER_TESTS"] = "inside"
    os.execvp("unshare", ["unshare", "-n", "-m", "/usr/bin/python3", os.path.abspath(sys.argv[0]), *sys.argv[1:]])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

sys.path.append(os.path.join(HERE, "../../bench"))
import figures  # noqa: E402
import resolver  # noqa: E402
import tree  # noqa: E402

HEAD = 'policy "bench" owner "x@signed.zz"\nset mode enforce\nset journal.dir JOURNAL\nfollow dnssec of every name\n'
POLICIES = {
    "plain": None,
    "records": HEAD,
    "requires": HEAD + "require dnssec of names in signed.zz\nrequire dnssec of names in unsigned.zz\n",
}
MISSES = 60000
CORES = sorted(os.sched_getaffinity(0))  # with only one, all of it shares that one
OPTIONS = "  msg-cache-size: 64m\n  rrset-cache-size: 128m\n"
THREADS = int(os.environ.get("THREADS", "1"))
WIDTHS = (24, 42, 42)
LOADS = {
    "hot signed": (["www.signed.zz A"], 4),
    "hot unsigned": (["www.free.zz A"], 4),
    "hot refused": (["www.unsigned.zz A"], 4),
    "miss signed": ([f"n{i}.wild.two.zz A" for i in range(MISSES)], 0),
    "miss unsigned": ([f"n{i}.wild.free.zz A" for i in range(MISSES)], 0),
    "miss refused": ([f"n{i}.wild.unsigned.zz A" for i in range(MISSES)], 0),
}


def spent(pid):
    """Processor time of all threads in seconds, to the nanosecond (clock ticks would be 4 % of a load of misses)."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1e9


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return [int(line.split()[1]) for line in f if line.startswith("VmRSS")][0]


def check_codes(said, who, load):
    codes = [line for line in said.splitlines() if "Response codes" in line][0]
    refused = who == "requires" and "refused" in load
    assert ("SERVFAIL" if refused else "NOERROR") in codes and not ("NOERROR" if refused else "SERVFAIL") in codes, codes


def once(folder, world, who, load):
    names, seconds = LOADS[load]
    data = os.path.join(folder, load.replace(" ", "-"))
    with open(data, "w", encoding="ascii") as f:
        f.write("\n".join(names) + "\n")
    place = tempfile.mkdtemp(dir=folder)
    os.chmod(place, 0o755)
    r = resolver.Resolver(place, world, POLICIES[who], with_module=who != "plain", threads=THREADS, options=OPTIONS)
    with r:
        subprocess.run(["taskset", "-a", "-c", "-p", str(CORES[0]), str(r.process.pid)], check=True, capture_output=True)
        for name in ("www.signed.zz", "www.two.zz", "www.free.zz", "www.unsigned.zz"):
            r.ask(name)
        before = spent(r.process.pid)
        how = ["-l", str(seconds)] if seconds else ["-n", "1"]
        done = subprocess.run(
            ["taskset", "-c", str(CORES[-1]), "dnsperf", "-s", "127.0.0.1", "-d", data, "-c", "4", "-q", "60", "-t", "20", *how],
            capture_output=True,
            text=True,
        )
        cost = spent(r.process.pid) - before
        lines = done.stdout.splitlines()
        completed = int([line for line in lines if "Queries completed" in line][0].split()[2])
        rate = float([line for line in lines if "Queries per second" in line][0].split()[-1])
        check_codes(done.stdout, who, load)
        return rate, cost / completed * 1e6, memory(r.process.pid)


def play(folder, world, loads, rounds):
    for _, process in world.servers:
        subprocess.run(["taskset", "-a", "-c", "-p", str(CORES[-1]), str(process.pid)], check=False, capture_output=True)
    print(f"{'load':<15}" + "".join(f"{who:>{w}}" for who, w in zip(POLICIES, WIDTHS)))
    for load in loads:
        got = {who: [] for who in POLICIES}
        for turn in range(rounds):
            who_first = list(POLICIES)[turn % len(POLICIES) :] + list(POLICIES)[: turn % len(POLICIES)]
            for who in who_first:
                got[who].append(once(folder, world, who, load))
        middle = {who: [statistics.median(x[i] for x in got[who]) for i in range(3)] for who in POLICIES}
        base = middle["plain"]
        cells = []
        for who in POLICIES:
            rate, cost, kb = middle[who]
            if who != "plain":
                goal = {"hot signed": 0.99, "hot unsigned": 0.99, "hot refused": 0.90}.get(load, 0.97)
                what = f"{load}, policy that {who}, to plain Unbound"
                figures.figure("resolver", f"{what}: queries a second", rate / base[0], "times", figures.MORE, goal)
                figures.figure("resolver", f"{what}: processor time", cost / base[1], "times", figures.LESS)
            ratio = "" if who == "plain" else f" {rate / base[0]:.2f}x / cpu {cost / base[1]:.2f}x"
            cells.append(f"{rate:,.0f}/s {cost:.1f}us {kb / 1024:.0f}MB{ratio}")
        print(f"{load:<15}" + "".join(f"{c:>{w}}" for c, w in zip(cells, WIDTHS)), flush=True)


def run(how, loads):
    """how(folder, world, loads), with the signed tree served."""
    for load in loads:
        if load not in LOADS:
            sys.exit(f"bench: no load {load!r}; there are: {', '.join(LOADS)}")
    if not os.access(f"{resolver.UNBOUND}/sbin/unbound", os.X_OK) or not shutil.which("dnsperf"):
        print("skipped: needs dnsperf and the resolver (make resolver)")
        sys.exit(77)
    folder = tempfile.mkdtemp(prefix="assay-bench.")
    os.chmod(folder, 0o755)
    world = tree.Tree(folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        world.make()
        world.serve()
        time.sleep(1)
        how(folder, world, loads)
    finally:
        world.stop()
        subprocess.run(["rm", "-rf", folder], check=False)


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    run(lambda folder, world, loads: play(folder, world, loads, number), sys.argv[2:] or list(LOADS))
