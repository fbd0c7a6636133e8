#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_growth.py [--quick | --tiny] [NAME...]: what a mail, a policy and a ledger cost as they grow: plots (SVG, by gnuplot) in the folder
bench/growth of the build, and a sentence for each: straight, or where it is not.

connections: 1 to 1,000 at once; body: 1 kB to 50 MB; fields: 1 to 1,900 of one name; signatures: 0 to 50; policy: 1 to 1,000,000
entries; ledger: 10,000 to 10,000,000 findings. --quick: up to a tenth of the ends; --tiny: two or three points each, to show that it works.
Root (a network of its own)."""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "world")]
sys.dont_write_bytecode = True
import bench_milter  # noqa: E402
import figures  # noqa: E402
import growth  # noqa: E402
import mail_world  # noqa: E402
import milter  # noqa: E402
import peers  # noqa: E402
import space  # noqa: E402

FOLDER = milter.program("bench/growth")
MAIL_NAMES = ("connections", "body", "fields", "signatures")
NAMES = MAIL_NAMES + ("policy", "ledger")
POINTS = {
    "full": {
        "connections": (1, 3, 10, 30, 100, 300, 1000),
        "body": (1000, 10000, 100000, 1000000, 10000000, 50000000),
        "fields": (1, 10, 100, 300, 1000, 1900),
        "signatures": (0, 1, 2, 4, 8, 16, 32, 50),
        "policy": (1, 10, 100, 1000, 10000, 100000, 1000000),
        "ledger": (10000, 100000, 1000000, 10000000),
    },
    "quick": {
        "connections": (1, 10, 100),
        "body": (1000, 10000, 100000, 1000000, 5000000),
        "fields": (1, 100, 1000, 1900),
        "signatures": (0, 1, 4, 8, 16),
        "policy": (1, 100, 10000, 100000),
        "ledger": (10000, 30000, 100000),
    },
    "tiny": {
        "connections": (1, 2, 4),
        "body": (1000, 10000, 50000),
        "fields": (1, 10, 100),
        "signatures": (0, 1, 2),
        "policy": (1, 10, 100),
        "ledger": (1000, 2000, 4000),
    },
}
LENGTH = {"full": 2.0, "quick": 0.7, "tiny": 0.1}  # seconds of one measurement


def show(name, what, unit, grows, points, **more):
    os.makedirs(FOLDER, exist_ok=True)
    path = growth.plot(f"{FOLDER}/{name}", what, grows, unit, points)
    print(f"{name}: {'  '.join(f'{growth.number(x)}: {growth.number(y)}' for x, y in points)} ({unit})")
    words = growth.sentence(what, unit, grows, points, **more)
    print(f"    {words}\n    {os.path.relpath(path, space.TOP)}", flush=True)
    figures.figure(
        "growth", f"{name}: {what[0].lower()}{what[1:]} ({growth.number(points[-1][0])} {grows})", points[-1][1], unit, figures.LESS
    )


def one_mail(folder, name, world, size=0, signatures=0, fields=0):
    """A manifest with one mail of that body, that many more fields of one name, and that many signatures, of different domains."""
    rng = random.Random(f"{name} {size}")
    m = mail_world.Mail(world, 1, name, rng, 2000)
    if size:
        m.kind, m.body = "text/plain", (b"0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRS\r\n" * (size // 61 + 1))[:size]
    m.begin(world.domains[1])
    m.message = b"DKIM-Signature: v=1; a=none\r\n" * fields + m.message
    for i in range(signatures):
        m.sign(world.domains[i], canonical="relaxed/relaxed")
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/{name}", "wb") as f:
        f.write(m.message)
    with open(f"{folder}/{name}.tsv", "w", encoding="ascii") as f:
        f.write("\t".join((name, m.address, m.helo, m.helo, m.sender, mail_world.RCPT, name, "")) + "\n")
    return f"{folder}/{name}.tsv"


def processor_ms(f, manifest, connections, length):
    """Processor time of one mail in milliseconds, and what was lost. Each mail comes first without being measured: its DNS answers and
    keys are then known at each point, and not only from the second on."""
    with open(manifest, encoding="ascii") as corpus:
        mails = sum(1 for _ in corpus)
    first = f.load(manifest, "-c", connections, "-n", max(8, connections, mails))[0]
    n = max(2 * connections, min(100000, int(first["rate"] * length) + 8))
    before = bench_milter.processor_seconds(f.pids)
    run = f.load(manifest, "-c", connections, "-n", n)[0]
    return (bench_milter.processor_seconds(f.pids) - before) * 1000 / run["mails"], run["outcomes"]["error"]


def mail_points(size, names):
    """connections, body, fields, signatures. Each at 8 connections but for the first."""
    domains = max(POINTS[size]["signatures"]) + 8
    world = bench_milter.World(60 if size == "full" else 40, domains)
    made = mail_world.World(domains)
    folder = f"{space.PLACE}/growth"
    # A mail of 50 MB is over the default bound of nothing here: the whole body is judged.
    f = bench_milter.new_filter("growth", ()).start_ours("native" if bench_milter.has_engine() else None, world.servers.anchor)
    lost = 0
    for name in [n for n in MAIL_NAMES if n in names]:
        points = []
        for x in POINTS[size][name]:
            if name == "connections":
                manifest = world.manifest
            else:
                more = {"body": {"size": x, "signatures": 1}, "fields": {"fields": x}, "signatures": {"signatures": x}}[name]
                manifest = one_mail(folder, f"{name}{x}", made, **more)
            ms, broken = processor_ms(f, manifest, x if name == "connections" else 8, LENGTH[size])
            points.append((x, max(ms, 0.001)))
            lost += broken
        what, grows = {
            "connections": ("Processor time of a mail", "connections at once"),
            "body": ("Processor time of a mail with one signature", "octets of its body"),
            "fields": ("Processor time of a small mail with broken signatures", "header fields"),
            "signatures": ("Processor time of a small mail", "DKIM signatures"),
        }[name]
        why = "no more than 16 signatures of a mail are verified, by a limit of ours" if name == "signatures" else ""
        show(name, what, "ms", grows, points, flat=name == "connections", why=why)
    code = f.stop()
    if lost or any(code):
        sys.exit(f"bench_growth: {lost} mails were lost; assay-milter ended with {code}: {f.milter.words()[-500:]}")


def figures_of(*command):
    """What a bench in C measures: {name: value}."""
    with tempfile.NamedTemporaryFile(suffix=".json") as kept:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "BENCH_FIGURES": kept.name})
        if done.returncode:
            sys.exit(f"bench_growth: {' '.join(command)} ends with {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
        return {f["name"]: f["value"] for f in figures.read(kept.name)}


def policy(size):
    found = [(n, figures_of(milter.program("bench/bench_policy"), str(n))) for n in POINTS[size]["policy"]]
    show("policy", "Time to load a policy", "ms", "entries of its list", [(n, max(f["load"] * 1000, 0.001)) for n, f in found])
    questions = [(n, max(f["question, in the list"], 0.1)) for n, f in found]
    show(
        "policy-question",
        "Time to answer a question",
        "ns",
        "entries of its list",
        questions,
        flat=True,
        why="what does not fit the processor's caches waits for memory",
    )


def ledger(size):
    found = [(n, figures_of(milter.program("bench/bench_ledger"), str(n))) for n in POINTS[size]["ledger"]]
    # Written for each finding: 2.4 kB at a million, 4.1 kB at four million, whatever SQLite's cache (64 MB, 2 GB).
    why = "the larger an index, the more of its pages a transaction changes; each is written to the log, then to the file"
    show("ledger", "Time to take findings in", "s", "findings", [(n, max(n / f["ingested"], 0.001)) for n, f in found], why=why)
    slowest = [(n, max(v for k, v in f.items() if k.startswith("question") and k.endswith("processor time"))) for n, f in found]
    show(
        "ledger-question",
        "Processor time of the slowest question",
        "ms",
        "findings",
        slowest,
        why="questions read daily totals, not each finding",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--quick", dest="size", action="store_const", const="quick", help="up to a tenth of the ends; also by QUICK=1")
    choice.add_argument("--tiny", dest="size", action="store_const", const="tiny", help="only shows that all of it works")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    options = parser.parse_args()
    size = options.size or ("quick" if os.environ.get("QUICK") else "full")
    names = options.names or list(NAMES)
    unknown = [n for n in names if n not in NAMES]
    if unknown:
        parser.error(f"{unknown[0]}: one of {', '.join(NAMES)} was expected")
    if options.inside:
        mail_points(size, names)
        return 0
    for path in (bench_milter.LOAD, *map(milter.program, ("assay", "assay-milter", "bench/bench_policy", "bench/bench_ledger"))):
        if not os.access(path, os.X_OK):
            print(f"bench_growth: {path} is not built: make all benches", file=sys.stderr)
            return 69
    peers.fetch()
    if not peers.program("gnuplot-nox"):
        print("no plots: Debian's gnuplot-nox cannot be installed here; the points are written all the same (.dat)")
    code = 0
    if set(names) & set(MAIL_NAMES):
        why = space.can_enter()
        if why:
            print(f"skipped: {', '.join(MAIL_NAMES)}: {why}")
        else:
            command = ["/usr/bin/python3", "-B", os.path.abspath(__file__), "--inside", f"--{size}" if size != "full" else "", *names]
            code = space.outside("growth", [w for w in command if w])
    for name, run in (("policy", policy), ("ledger", ledger)):
        if name in names and code < 128:
            run(size)
    return code


if __name__ == "__main__":
    sys.exit(main())
