#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""instructions.py [LOAD...] - what the module costs, in instructions for each question: the loads and policies of bench.py,
counted by valgrind's callgrind while the questions run, so that a busy machine changes nothing. Printed: instructions
for each question of plain Unbound and with the module, and plain's as a share of it. Counted is the process, all threads,
and not the kernel for it (sending and receiving), which costs the same for both: in time the shares are nearer to 1. What
the process does every second without a question is counted by itself, printed as "a second", and taken off.
HOT=N questions for cached names, MISS=N for new ones. KEEP=FOLDER keeps callgrind's files there (callgrind_annotate)."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import bench
import resolver
import tree

WARM = ("www.signed.zz", "www.two.zz", "www.free.zz", "www.unsigned.zz", "a.wild.two.zz", "a.wild.free.zz", "a.wild.unsigned.zz")
HOT, MISS = int(os.environ.get("HOT", "4000")), int(os.environ.get("MISS", "1500"))


class Counted(resolver.Resolver):
    def start(self, wait=True):
        env = dict(os.environ, ASSAY_POLICY=self.policy, ASSAY_RESOLVER_DIR=self.state, ASSAY_STATE=self.folder)
        self.parts, self.since = 0, 0.0
        self.out = os.path.join(self.folder, "callgrind.out")
        tool = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={self.out}"]
        self.process = subprocess.Popen(
            [*tool, f"{resolver.UNBOUND}/sbin/unbound", "-d", "-c", self.conf],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.folder, "stderr"), "ab"),
        )
        self.wait_ready(60)
        return self

    def control(self, what):
        subprocess.run(["callgrind_control", *what, str(self.process.pid)], check=True, capture_output=True)

    def counted(self):
        """Instructions, and seconds, since the last time."""
        self.parts += 1
        self.control(["-d"])
        now, before = time.time(), self.since
        self.since = now
        with open(f"{self.out}.{self.parts}", encoding="utf-8", errors="replace") as f:
            return int(re.search(r"^(?:summary|totals): (\d+)", f.read(), re.M).group(1)), now - before


def once(folder, world, who, load):
    """Instructions for each question, and for each second without one."""
    names, hot = bench.LOADS[load]
    names = names * HOT if hot else names[:MISS]
    data = os.path.join(folder, load.replace(" ", "-"))
    with open(data, "w", encoding="ascii") as f:
        f.write("\n".join(names) + "\n")
    place = tempfile.mkdtemp(dir=folder)
    os.chmod(place, 0o755)
    r = Counted(place, world, bench.POLICIES[who], with_module=who != "plain", threads=1, options=bench.OPTIONS)
    with r:
        for name in WARM + tuple(names[:1] * 3 if hot else ()):
            r.ask(name.split()[0], timeout=30)
        time.sleep(1)
        r.control(["-i", "on"])
        r.since = time.time()
        time.sleep(3)
        idle, seconds = r.counted()
        how = ["-n", "1", "-c", "1", "-q", "10", "-t", "60"]
        done = subprocess.run(["dnsperf", "-s", "127.0.0.1", "-d", data, *how], capture_output=True, text=True)
        total, took = r.counted()
    bench.check_codes(done.stdout, who, load)
    completed = int(re.search(r"Queries completed: +(\d+)", done.stdout).group(1))
    assert completed == len(names), done.stdout
    if os.environ.get("KEEP"):
        os.makedirs(os.environ["KEEP"], exist_ok=True)
        shutil.copy(f"{r.out}.2", os.path.join(os.environ["KEEP"], f"{who}-{load}".replace(" ", "-")))
    return (total - idle / seconds * took) / completed, idle / seconds


def play(folder, world, loads):
    print(f"{'load':<15}" + "".join(f"{who:>34}" for who in bench.POLICIES))
    for load in loads:
        cells, plain = [], 0
        for who in bench.POLICIES:
            each, idle = once(folder, world, who, load)
            plain = plain or each
            share = "" if who == "plain" else f" {plain / each:.3f}x"
            if who != "plain":
                what = f"{load}, policy that {who}, to plain Unbound: instructions"
                bench.figures.figure("resolver", what, each / plain, "times", bench.figures.LESS)
            cells.append(f"{each:,.0f}{share} ({idle:,.0f} a second)")
        print(f"{load:<15}" + "".join(f"{c:>34}" for c in cells), flush=True)


if __name__ == "__main__":
    bench.run(play, sys.argv[1:] or list(bench.LOADS))
