#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_milter.py: assay-milter with each of its engines, OpenDKIM + OpenDMARC, and rspamd: the same mails, the same signed DNS, one run.

    bench_milter.py [--quick | --tiny] [--only NAME...]

A mail has a connection of its own, as with Postfix. The filter has one core, the MTA's side and DNS the other. First each mail once,
which is compared with what it must yield; then 1, 8 and 64 connections, three times each: medians of mails a second, processor time,
times, and the filter's memory at its peak. Beside them the floor: SHA-256 and one RSA-2048 verification a signature. A peer that cannot
be had is named as skipped, and no ratio to it is printed. Root (a network of its own). --quick: some 30 s; --tiny: only shows that all of
it works."""
import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "world")]
sys.dont_write_bytecode = True
import dns  # noqa: E402
import figures  # noqa: E402
import mail_world  # noqa: E402
import milter  # noqa: E402
import peers  # noqa: E402
import space  # noqa: E402

POLICY = """policy "bench" owner "x@example.org"
record spf, dkim, arc, dmarc, message-format of everyone
set mode enforce
set dns.per-client 0
"""
LOAD = milter.program("bench/milter_load")
CLOCK = os.sysconf("SC_CLK_TCK")
TWO_CORES = (os.cpu_count() or 1) > 1
USER = "nobody"
SMALL = 10000  # octets
FLOORS = 3  # asked: 0.18 s for 1,000 mails of a corpus whose floor is 0.06 s


def on_core(core):
    return (lambda: os.sched_setaffinity(0, {core})) if TWO_CORES else None


def tree_of(pid):
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += space.children(found[-1])
        try:
            tasks = os.listdir(f"/proc/{found[-1]}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{found[-1]}/task/{task}/children", encoding="ascii") as f:
                    todo += [int(p) for p in f.read().split() if int(p) not in found + todo]
            except OSError:
                pass
    return found


def processor_seconds(pids):
    """Of these processes and all below them, also of threads and children that have ended."""
    ticks = 0
    for pid in {p for top in pids for p in tree_of(top)}:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                ticks += sum(int(w) for w in f.read().rsplit(")", 1)[1].split()[11:15])
        except OSError:
            pass
    return ticks / CLOCK


def memory(pids, what="VmHWM"):
    """Of these processes and all below them, in MB."""
    kilobytes = 0
    for pid in {p for top in pids for p in tree_of(top)}:
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as f:
                kilobytes += sum(int(line.split()[1]) for line in f if line.startswith(what + ":"))
        except OSError:
            pass
    return kilobytes / 1024


class Filter:
    """A filter, or several in a chain, that run. name: as in the table; methods: what it judges."""

    def __init__(self, name, methods, folder):
        self.name, self.methods, self.folder = name, methods, folder
        self.addresses, self.processes, self.milter = [], [], None

    @property
    def pids(self):
        return [p.pid for p in self.processes]

    def start_peer(self, parts):
        for package, describe in parts:
            command, address = describe(self.folder)
            with open(f"{self.folder}/{package}.out", "ab") as out:
                self.processes.append(
                    subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=out,
                        env=peers.environment(command[0]),
                        preexec_fn=on_core(1),
                    )
                )
            self.addresses.append(address)
        try:
            dns.wait_for(self.name, lambda: all(os.path.exists(a[5:]) for a in self.addresses), 120)
        except RuntimeError as e:
            self.stop()
            raise RuntimeError(f"{e}: {self.said(parts)}") from e
        time.sleep(0.5)
        return self

    def said(self, parts):
        words = ""
        for package, _ in parts:
            for path in (f"{self.folder}/{package}.out", f"{self.folder}/{package}/{package}.log"):
                if os.path.exists(path):
                    with open(path, encoding="utf-8", errors="replace") as f:
                        words += f.read()[-1500:]
        return words

    def start_ours(self, engine, anchor, under=()):
        os.makedirs(f"{self.folder}/state", exist_ok=True)
        shutil.copy(anchor, f"{self.folder}/state/root.key")
        m = self.milter = milter.Milter(self.folder, USER)
        chosen = f"set milter.engine {engine}\n" if engine else ""
        m.write_policy(f'{POLICY}{chosen}set dns.anchor "{self.folder}/state/root.key"\n')
        m.start(under=(*(("taskset", "-c", "1") if TWO_CORES else ()), *under))
        self.processes, self.addresses = [m.process], [m.address]
        return self

    def stop(self):
        for p in self.processes:
            p.send_signal(signal.SIGTERM)
        for p in self.processes:
            try:
                p.wait(90)  # what is in flight may take 25 s, and more on a computer with much else to do
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
        return [p.returncode for p in self.processes]

    def load(self, manifest, *options):
        """What milter_load says, as objects."""
        command = [LOAD] + [w for a in self.addresses for w in ("-m", a)] + [str(o) for o in options] + [manifest]
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=on_core(0))
        if done.returncode == 2:
            raise RuntimeError(done.stderr.strip())
        return [json.loads(line) for line in done.stdout.splitlines()]


def has_engine():
    """Whether this assay has `set milter.engine`."""
    done = subprocess.run([milter.program("assay"), "policy", "show", "--defaults"], text=True, capture_output=True)
    return "milter.engine" in done.stdout


class World:
    """The corpus and the DNS that it is true in. small: one small signed mail of it."""

    def __init__(self, mails, domains):
        self.folder = f"{space.PLACE}/bench"
        made = mail_world.World(domains)
        self.count = mail_world.corpus(made, self.folder, mails)
        self.manifest = f"{self.folder}/manifest.tsv"
        self.small = f"{self.folder}/small.tsv"
        with open(self.manifest, encoding="ascii") as f:
            lines = f.read().splitlines()
        self.expected = {line.split("\t")[0]: line.split("\t")[7] for line in lines}
        signed = (line for line in lines if line.split("\t")[0].endswith(".signed"))
        with open(self.small, "w", encoding="ascii") as f:
            f.write(next(line for line in signed if os.path.getsize(f"{self.folder}/{line.split(chr(9))[6]}") < SMALL) + "\n")
        self.servers = dns.Servers(f"{space.PLACE}/dns", space.ROOTS, made.zones()).start()
        binary = dns.unbound_binary() or peers.program("unbound")
        if not binary:
            raise RuntimeError("needs an Unbound (make resolver, or Debian's package)")
        before = dict(os.environ)
        os.environ.update(peers.environment(binary))
        self.unbound = dns.Unbound(f"{space.PLACE}/unbound", self.servers.anchor, binary).start()
        os.environ.clear()
        os.environ.update(before)
        for p in self.servers.processes + [self.unbound.process]:
            if TWO_CORES:
                os.sched_setaffinity(p.pid, {0})


def new_filter(name, methods):
    folder = f"{space.PLACE}/{''.join(c for c in name.lower() if c.isalnum())}"
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    return Filter(name, methods, folder)


def compare(f, world):
    """Each mail once. Returns how many yield all that they must, and how many get a pass that they must not."""
    good = false_passes = 0
    for row in f.load(world.manifest, "-e"):
        wrong = mail_world.unmet(world.expected[row["id"]], row["action"], mail_world.results_of(row["results"]), f.methods)
        good += not wrong
        false_passes += any("pass" in w.rsplit(", not ", 1)[1].split(",") for w in wrong)
        if wrong and os.environ.get("BENCH_SHOW"):
            print(f"    {f.name}: {row['id']}: {row['action']} {'; '.join(wrong)}")
    return good, false_passes


def measure(f, world, connections, repeats, length):
    """Medians at each number of connections."""
    rate = f.load(world.manifest, "-c", 8)[0]["rate"]
    rows = {}
    for c in connections:
        runs = []
        for _ in range(repeats):
            n = max(world.count, int(rate * length))
            before = processor_seconds(f.pids)
            run = f.load(world.manifest, "-c", c, "-n", n)[0]
            run["cpu"] = (processor_seconds(f.pids) - before) * 1000 / run["mails"]
            rate = run["rate"]
            runs.append(run)
        middle = {k: statistics.median(r[k] for r in runs) for k in ("rate", "cpu", "p50_ms", "p99_ms")}
        rows[c] = {**middle, "lost": sum(r["outcomes"]["error"] for r in runs), "error": runs[-1]["error"]}
    return rows


def held(f, world, count, with_body):
    """Octets of memory that one connection more costs, with `count` of them open; and the whole in MB. f: has just begun, so that no
    memory is left over from connections before. Its first mail has it load what it needs for any."""
    f.load(world.small, "-c", 1, "-n", 1)
    before = memory(f.pids, "VmRSS")
    command = [LOAD, "-m", f.addresses[0], "-H", str(count)] + (["-b"] if with_body else []) + [world.small]
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=on_core(0))
    said = p.stdout.readline()
    after = memory(f.pids, "VmRSS")
    p.stdin.close()
    p.wait()
    return ((after - before) * 1048576 / count, after) if said else (None, p.stderr.read().strip())


def filters(only, anchor):
    """Each filter that can be had, started; then the names of those that cannot."""
    engines = ("libmilter", "native") if has_engine() else (None,)
    for engine in engines:
        name = f"Assay ({engine})" if engine else "Assay"
        if not only or name in only or "Assay" in only:
            yield name, lambda n=name, e=engine: new_filter(n, ("spf", "dkim", "dmarc", "arc")).start_ours(e, anchor)
    for name, methods, parts in peers.PEERS:
        missing = [package for package, _ in parts if not peers.program(package)]
        if missing and (not only or name in only):
            print(f"skipped: {name}: Debian's {', '.join(missing)} cannot be installed here")
        elif not only or name in only:
            yield name, lambda n=name, m=methods, p=parts: new_filter(n, m).start_peer(p)


def floor(world, passes):
    done = subprocess.run([LOAD, "-f", str(passes), world.manifest], capture_output=True, text=True, check=True, preexec_fn=on_core(1))
    return json.loads(done.stdout)


def say_row(name, c, row, peak, note=""):
    print(
        f"{name:22} {c:4} {row['rate']:9.0f} {row['cpu']:8.3f} {row['p50_ms']:9.2f} {row['p99_ms']:9.2f} {peak:8.1f}"
        f"{'   lost ' + str(row['lost']) + ': ' + row['error'] if row['lost'] else ''}{note}",
        flush=True,
    )
    for key in ("rate", "cpu", "p99_ms"):
        figures.figure(
            "milter", f"{name}, {c} connections, {key}", row[key], {"rate": "mails/s", "cpu": "CPU s/1,000", "p99_ms": "ms"}[key]
        )
    figures.figure("milter", f"{name}, {c} connections, lost", row["lost"], "mails")


def say_ratios(found, least):
    ours = [n for n in found if n.startswith("Assay")]
    for name in ours:
        for other in found:
            if other not in ours and 8 in found[name] and 8 in found[other]:
                ratio = found[name][8]["rate"] / found[other][8]["rate"]
                asked = {"OpenDKIM + OpenDMARC": 9, "rspamd": 15}.get(other)
                print(f"{name}: {ratio:.1f} times the mails a second of {other} at 8 connections (asked: {asked})")
                figures.figure("milter", f"{name} to {other}, mails/s at 8", ratio, "times", asked)
        if 8 in found[name]:
            cpu = found[name][8]["cpu"]
            above = cpu / least["cpu_per_1000"]
            print(f"{name}: {cpu:.3f} s of processor time for 1,000 mails, {above:.1f} times the floor (asked: {FLOORS})")
            figures.figure("milter", f"{name} to the floor, CPU at 8", above, "times", FLOORS)


def begun(start, use):
    """What `use` says of a filter that has just begun."""
    f = start()
    try:
        return use(f)
    finally:
        f.stop()


def say_memory(start, name, world, idle, busy):
    native = "native" in name
    count = idle if native else min(idle, 1000)  # libmilter has a thread each
    each, total = begun(start, lambda f: held(f, world, count, False))
    if each is None:
        print(f"{name}: {count} idle connections could not be held: {total}")
        return
    print(
        f"{name}: {count} idle connections: {total:.0f} MB in all, {each / 1024:.1f} kB each"
        + (" (asked: 60 MB of 10,000)" if native else "")
    )
    figures.figure("milter", f"{name}, {count} idle connections", total, "MB", 60 if native else None)
    each, total = begun(start, lambda f: held(f, world, busy, True))
    if each is not None:
        print(f"{name}: a connection in the middle of a mail: {each / 1024:.1f} kB" + (" (asked: 64)" if native else ""))
        figures.figure("milter", f"{name}, a busy connection", each / 1024, "kB", 64 if native else None)


def inside(options):
    size = {"tiny": (40, 12, (1, 4), 1, 0, 100, 10), "quick": (150, 40, (1, 8, 64), 1, 1, 1000, 50)}
    mails, domains, connections, repeats, length, idle, busy = size.get(options.size, (600, 80, (1, 8, 64), 3, 4, 10000, 200))
    world = World(mails, domains)
    least = floor(world, 2 if options.size else 5)
    print(f"{world.count} mails, {least['octets'] / 1e6:.1f} MB, {least['signatures']} signatures; cores: {os.cpu_count()}")
    print(f"{'':22} {'conn':>4} {'mails/s':>9} {'CPU/1000':>8} {'p50 ms':>9} {'p99 ms':>9} {'peak MB':>8}")
    print(f"{'the floor':22} {'':4} {least['rate']:9.0f} {least['cpu_per_1000']:8.3f}")
    figures.figure("milter", "the floor", least["cpu_per_1000"], "CPU s/1,000")
    found = {}
    for name, start in filters(options.only, world.servers.anchor):
        f = start()
        try:
            good, false_passes = compare(f, world)
            found[name] = measure(f, world, connections, repeats, length)
            peak = memory(f.pids)
            for c, row in found[name].items():
                say_row(name, c, row, peak)
            print(f"{name:22} as it must be: {good} of {world.count}; passes that must not be: {false_passes}")
            figures.figure("milter", f"{name}, as it must be", good, f"of {world.count} mails")
            figures.figure("milter", f"{name}, peak memory", peak, "MB")
        finally:
            codes = f.stop()
        if f.milter and any(codes):
            sys.exit(f"{name} ended with {codes}: {f.milter.words()[-500:]}")
        if f.milter:
            say_memory(start, name, world, idle, busy)
    say_ratios(found, least)
    return 0 if found and all(row["lost"] == 0 for n in found if n.startswith("Assay") for row in found[n].values()) else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", dest="size", action="store_const", const="quick")
    parser.add_argument("--tiny", dest="size", action="store_const", const="tiny")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if os.environ.get("QUICK") and not options.size:
        options.size = "quick"
    if options.inside:
        return inside(options)
    why = space.can_enter()
    if why:
        print(f"skipped: {why}")
        return 77
    peers.fetch()
    return space.outside("bench", ["/usr/bin/python3", "-B", os.path.abspath(__file__), "--inside", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
