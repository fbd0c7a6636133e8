#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_milter.py: assay-milter with each of its engines, OpenDKIM + OpenDMARC, and rspamd: the same mails, the same signed DNS, one run.

    bench_milter.py [--quick | --tiny] [--only NAME...]

A mail has a connection of its own, as with Postfix. The filter has one core, the MTA's side and DNS the other. First each mail once,
which is compared with what it must yield; then 1, 8 and 64 connections, three times each, the filters in turn, since the computer may be
busier in one minute than in the next: medians of mails a second, processor time, times, and the filter's memory at its peak. Beside them
the floor: SHA-256 and one RSA-2048 verification a signature. A peer that cannot be had is named as skipped, and no ratio to it is printed.
Ratios are to what a peer did in the same run, at 8 connections; those of processor time are the ones to read on a busy computer. Goals
are our own.
Root (a network of its own). --quick: one short measurement each, about a minute; --tiny: only shows that all of it works.
Exit: 0; 1 ours lost a mail or judged one as it must not be; 2 usage; 69 not built; 77 skipped."""
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
CORES = sorted(os.sched_getaffinity(0))  # that we may use: the first for the MTA's side and DNS, the second for the filter
TWO_CORES = len(CORES) > 1
USER = "nobody"
SMALL = 10000  # octets
# Our own goals: so many times the mails a second of a peer, and so many times the processor time of the floor at most.
RATES = {"OpenDKIM + OpenDMARC": 9, "rspamd": 15}
FLOORS = 3
AS_POSTFIX = "8 p"  # 8 connections, written in pieces as Postfix writes to a unix socket (its buffer)
PIECE = 4096
IDLE_MB, IDLE_COUNT, BUSY_KB = 60, 10000, 64  # memory of the native engine: with that many idle connections; of one within a mail


def on_core(core):
    """core: 0 for the MTA's side and DNS, 1 for the filter."""
    return (lambda: os.sched_setaffinity(0, {CORES[core]})) if TWO_CORES else None


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
    """Of these processes and all below them, also of threads and children that have ended. A process's own clock (clock_getcpuclockid(3))
    is exact; /proc counts ticks of 10 ms, which would be a third of a short measurement."""
    spent = 0
    for pid in {p for top in pids for p in tree_of(top)}:
        try:
            spent += time.clock_gettime(~pid << 3 | 2)
            with open(f"/proc/{pid}/stat", encoding="ascii") as f:
                spent += sum(int(w) for w in f.read().rsplit(")", 1)[1].split()[13:15]) / CLOCK  # children that have ended
        except OSError:
            pass
    return spent


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
        os.environ.pop("ENGINE", None)  # Milter would put it below what is chosen here, for each of ours
        chosen = f"set milter.engine {engine}\n" if engine else ""
        m.write_policy(f'{POLICY}{chosen}set dns.anchor "{self.folder}/state/root.key"\n')
        m.start(under=(*(("taskset", "-c", str(CORES[1])) if TWO_CORES else ()), *under))
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
    try:
        done = subprocess.run([milter.program("assay"), "policy", "show", "--defaults"], text=True, capture_output=True)
    except OSError:
        return True  # not built: said later
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
                os.sched_setaffinity(p.pid, {CORES[0]})


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


def measure(running, world, connections, repeats, length):
    """Of each filter that runs, in turn: medians at each number of connections, {name: {connections: row}}."""
    rates = {f.name: f.load(world.manifest, "-c", 8)[0]["rate"] for f in running}
    found = {f.name: {} for f in running}
    for c, options in [(c, ()) for c in connections] + [(AS_POSTFIX, ("-w", PIECE))]:
        runs = {f.name: [] for f in running}
        for turn in range(repeats):
            for f in running[turn % len(running) :] + running[: turn % len(running)]:
                n = max(world.count, int(rates[f.name] * length))
                before = processor_seconds(f.pids)
                run = f.load(world.manifest, "-c", 8 if c == AS_POSTFIX else c, "-n", n, *options)[0]
                run["cpu"] = (processor_seconds(f.pids) - before) * 1000 / run["mails"]
                rates[f.name] = run["rate"]
                runs[f.name].append(run)
        for name, all_of_it in runs.items():
            found[name][c] = {
                **{k: statistics.median(r[k] for r in all_of_it) for k in ("rate", "cpu", "p50_ms", "p99_ms")},
                "lost": sum(r["outcomes"]["error"] for r in all_of_it),
                "error": next((r["error"] for r in all_of_it if r["error"]), ""),
            }
    return found


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


def names():
    """Of all filters that are measured where they can be had."""
    engines = ("libmilter", "native") if has_engine() else (None,)
    return [f"Assay ({e})" if e else "Assay" for e in engines] + [name for name, _, _ in peers.PEERS]


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


def say_row(name, c, row, peak):
    how = f"8 at once in pieces of {PIECE}" if c == AS_POSTFIX else f"{c} at once"
    print(
        f"{name:22} {c:>4} {row['rate']:9.0f} {row['cpu']:8.3f} {row['p50_ms']:9.2f} {row['p99_ms']:9.2f} {peak:8.1f}"
        f"{'   lost ' + str(row['lost']) + ': ' + row['error'] if row['lost'] else ''}",
        flush=True,
    )
    figures.figure("milter", f"{name}, {how}: mails a second", row["rate"], "mails/s", figures.MORE)
    figures.figure("milter", f"{name}, {how}: processor time", row["cpu"], "CPU s/1,000", figures.LESS)
    figures.figure("milter", f"{name}, {how}: a mail, median", row["p50_ms"], "ms", figures.LESS)
    figures.figure("milter", f"{name}, {how}: a mail, 99 of 100", row["p99_ms"], "ms", figures.LESS)
    figures.figure("milter", f"{name}, {how}: lost", row["lost"], "mails", figures.LESS, 0 if name.startswith("Assay") else None)


def say_ratios(found, least):
    """At 8 connections, which the goals are for, or where they are not measured (--tiny), at the most. What lost mails is not compared:
    to refuse costs little."""
    at = (
        8
        if all(8 in rows for rows in found.values())
        else max((c for rows in found.values() for c in rows if c != AS_POSTFIX), default=0)
    )

    def words(least_or_most, goal):
        return f" (our goal: {least_or_most} {goal})" if goal else ""

    for name in (n for n in found if n.startswith("Assay")):
        own = found[name][at]
        for other in (n for n in found if not n.startswith("Assay")):
            row = found[other][at]
            if own["lost"] or row["lost"]:
                print(f"{name}: not compared with {other}: mails were lost")
                continue
            rate, cpu = own["rate"] / row["rate"], row["cpu"] / max(own["cpu"], 1e-6)
            goal = RATES.get(other) if at == 8 else None
            print(
                f"{name}: {rate:.1f} times the mails a second of {other} at {at} connections{words('at least', goal)};"
                f" {other} needs {cpu:.1f} times the processor time"
            )
            figures.figure("milter", f"{name} to {other}, {at} at once: mails a second", rate, "times", figures.MORE, goal)
            figures.figure("milter", f"{other} to {name}, {at} at once: processor time", cpu, "times", figures.MORE)
        above = own["cpu"] / least["cpu_per_1000"]
        goal = FLOORS if at == 8 else None
        print(f"{name}: {above:.1f} times the processor time of the floor{words('at most', goal)}, {own['cpu']:.3f} s for 1,000 mails")
        figures.figure("milter", f"{name} to the floor, {at} at once: processor time", above, "times", figures.LESS, goal)


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
    goal = IDLE_MB if native and count == IDLE_COUNT else None
    print(
        f"{name}: {count} idle connections: {total:.0f} MB in all, {each / 1024:.1f} kB each"
        + (f" (our goal: at most {goal} MB)" if goal else "")
    )
    figures.figure("milter", f"{name}, {count} idle connections: memory", total, "MB", figures.LESS, goal)
    each, total = begun(start, lambda f: held(f, world, busy, True))
    if each is None:
        print(f"{name}: {busy} connections in the middle of a mail could not be held: {total}")
        return
    goal = BUSY_KB if native else None
    print(f"{name}: a connection in the middle of a mail: {each / 1024:.1f} kB" + (f" (our goal: at most {goal})" if goal else ""))
    figures.figure("milter", f"{name}, a connection within a mail: memory", each / 1024, "kB", figures.LESS, goal)


def say_judged(f, world, good, false_passes):
    ours = f.milter is not None
    asked = "" if set(f.methods) >= {"spf", "dkim", "dmarc", "arc"} else f" (asked only for {', '.join(f.methods)})"
    print(f"{f.name:22} as it must be: {good} of {world.count}{asked}; passes that must not be: {false_passes}")
    if good < world.count and not os.environ.get("BENCH_SHOW"):
        print(f"{'':22} (BENCH_SHOW=1 shows the others, with what was expected)")
    goals = (world.count, 0) if ours else (None, None)
    figures.figure("milter", f"{f.name}: judged as it must be", good, f"of {world.count} mails", figures.MORE, goals[0])
    figures.figure("milter", f"{f.name}: passes that must not be", false_passes, "mails", figures.LESS, goals[1])


def start_all(starts):
    running = []
    try:
        for start in starts.values():
            running.append(start())
    except BaseException:
        stop_all(running)
        raise
    return running


def stop_all(running):
    """Returns the words of those of ours that did not end well."""
    bad = []
    for f in running:
        codes = f.stop()
        if f.milter and any(codes):
            bad.append(f"{f.name} ended with {codes}: {f.milter.words()[-500:]}")
    return bad


def inside(options):
    size = {"tiny": (40, 12, (1, 4), 1, 0, 100, 10), "quick": (150, 40, (1, 8, 64), 1, 1, 1000, 50)}
    mails, domains, connections, repeats, length, idle, busy = size.get(options.size, (600, 80, (1, 8, 64), 3, 4, IDLE_COUNT, 200))
    world = World(mails, domains)
    least = floor(world, 2 if options.size else 5)
    print(f"{world.count} mails, {least['octets'] / 1e6:.1f} MB, {least['signatures']} signatures; cores: {len(CORES)}")
    if not TWO_CORES:
        print("one core: the filter shares it with the MTA's side and DNS, so that ratios of mails a second are too near to 1")
    figures.figure("milter", "the floor: processor time", least["cpu_per_1000"], "CPU s/1,000", figures.LESS)
    starts = dict(filters(options.only, world.servers.anchor))
    if not starts:
        print("skipped: there is no filter to measure")
        return 77
    running, judged, peaks = start_all(starts), {}, {}
    try:
        for f in running:
            judged[f.name] = compare(f, world)
        found = measure(running, world, connections, repeats, length)
        peaks = {f.name: memory(f.pids) for f in running}
    finally:
        bad = stop_all(running)
    print(f"{'CPU: s for 1,000 mails':22} {'conn':>4} {'mails/s':>9} {'CPU':>8} {'p50 ms':>9} {'p99 ms':>9} {'peak MB':>8}")
    print(f"{'the floor':22} {'':4} {least['rate']:9.0f} {least['cpu_per_1000']:8.3f}")
    for f in running:
        for c, row in found[f.name].items():
            say_row(f.name, c, row, peaks[f.name])
        say_judged(f, world, *judged[f.name])
        figures.figure("milter", f"{f.name}: memory at its peak", peaks[f.name], "MB", figures.LESS)
    print(f"{'':22} ({AS_POSTFIX}: 8 connections, each written in pieces of {PIECE} octets, as Postfix writes to a unix socket)")
    for f in running:
        if f.milter:
            say_memory(starts[f.name], f.name, world, idle, busy)
    say_ratios(found, least)
    absent = [n for n in names() if n not in found and not options.only]
    if absent:
        print(f"not measured: {', '.join(absent)}")
    print(f"Assay's engine, unless the policy has set milter.engine: {milter.engine()}")
    ours = [f.name for f in running if f.milter]
    bad += [f"{n}: {row['lost']} mails were lost: {row['error']}" for n in ours for row in found[n].values() if row["lost"]]
    bad += [f"{n}: not all mails were judged as they must be (BENCH_SHOW=1 shows them)" for n in ours if judged[n] != (world.count, 0)]
    print("".join(f"bench_milter: {words}\n" for words in bad), end="", file=sys.stderr)
    return 1 if bad else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0], epilog=f"Filters: Assay; {'; '.join(names())}")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", help="one short measurement each; also by QUICK=1")
    size.add_argument("--tiny", dest="size", action="store_const", const="tiny", help="only shows that all of it works")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these filters; Assay: all engines of ours")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    for name in options.only or ():
        if name != "Assay" and name not in names():
            parser.error(f"--only: no filter '{name}'; there are: Assay; {'; '.join(names())}")
    if os.environ.get("QUICK") and not options.size:
        options.size = "quick"
    return options


def main():
    options = arguments()
    for path in (LOAD, milter.program("assay"), milter.program("assay-milter")):
        if not os.access(path, os.X_OK):
            print(f"bench_milter: {path} is not built: make all benches", file=sys.stderr)
            return 69
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
