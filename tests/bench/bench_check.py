#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_check.py [DOMAINS]: assay check over a list of domains (default 1,000) that share fifty mail hosts, in a private network of its
own. Prints the time, the peak of memory and the most sockets at one time, and how many domains were wholly tested: a domain that was
not asked costs no time, so that without all of them the other figures mean nothing (exit 1). Figures, not a test."""
import collections
import csv
import os
import re
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "tests/system/check"), os.path.join(TOP, "tests/world")]
sys.dont_write_bytecode = True
import cases  # noqa: E402
import figures  # noqa: E402
import hosts  # noqa: E402
import names  # noqa: E402
import space  # noqa: E402

ASSAY = os.path.join(TOP, os.environ.get("BUILD", "build"), "assay")
HOSTS = 50


def main(count):
    folder = f"{space.PLACE}/bench"
    os.makedirs(folder)
    authority = hosts.Authority(folder)
    pairs = [a for p in names.SERVERS for a in p] + list(names.ROOTS6)
    pairs += [f"25.25.25.{n + 1}" for n in range(HOSTS)]
    batch = "".join(f"addr replace {a}/{128 if ':' in a else 32} dev lo{' nodad' if ':' in a else ''}\n" for a in pairs)
    subprocess.run(["ip", "-batch", "-"], input=batch + "route add default dev lo\n", text=True, check=True)
    lines = []
    for n in range(HOSTS):
        own = authority.association(authority.issue(f"mx{n}.many.example")[1])
        lines += [f"mx{n} A 25.25.25.{n + 1}", f"_25._tcp.mx{n} TLSA 3 1 1 {own}"]
    for n in range(count):
        lines += [f"d{n} MX 10 mx{n % HOSTS}", f'd{n} TXT "v=spf1 mx -all"', f'_dmarc.d{n} TXT "v=DMARC1; p=reject"']
    host = f"ns1 A {names.FIRST[0]}\nns1 AAAA {names.FIRST[1]}\nns2 A {names.SECOND[0]}\nns2 AAAA {names.SECOND[1]}"
    zones = [names.Zone("."), names.Zone("example", f"ns.nic A {names.TLD[0]}"), names.Zone("host.example", host)]
    zones.append(names.Zone("many.example", "\n".join(lines)))
    listeners = hosts.Listeners()
    for n in range(HOSTS):
        listeners.add(f"25.25.25.{n + 1}", 25, hosts.Host(hosts.context(*authority.issue(f"mx{n}.many.example"))))
    listeners.start()
    _, anchor = names.serve(f"{folder}/dns", zones, space.ROOTS + names.ROOTS6)
    with open(f"{folder}/policy", "w", encoding="ascii") as f:
        f.write(f'record spf of everyone\nset dns.anchor "{anchor}"\n')
    with open(f"{folder}/list", "w", encoding="ascii") as f:
        f.writelines(f"d{n}.many.example\n" for n in range(count))
    command = [ASSAY, "check", "--policy", f"{folder}/policy", "--ca-file", authority.path, "--list", f"{folder}/list", "--csv"]
    begun, most = time.monotonic(), 0
    with open(f"{folder}/out", "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdout=out)
        while process.poll() is None:
            most = max(most, sum(1 for f in fds(process.pid) if f.startswith("socket:")))
            time.sleep(0.05)
    took = time.monotonic() - begun
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    done, whole, causes = outcome(f"{folder}/out")
    print(
        f"{done} domains in {took:.0f} s ({done / took:.1f} a second), peak {peak} MB, at most {most} sockets; exit {process.returncode}"
    )
    print(f"{whole} of them wholly tested")
    figures.figure("check", f"{count} domains a second", done / took, "domains/s", figures.MORE)
    figures.figure("check", f"{count} domains: memory at its peak", peak, "MB", figures.LESS)
    figures.figure("check", f"{count} domains: most sockets at one time", most, "sockets", figures.LESS)
    figures.figure("check", f"{count} domains: wholly tested", whole, "domains", figures.MORE, count)
    for cause, times in causes.most_common(5):
        print(f"could not be tested, {times} times: {cause}")
    return 0 if done == whole == count else 1


# Of strangers' domains these are not known here: nothing was seen of their mail, and there is no RTR cache.
NOT_HERE = {"dkim", "sender-ptr", "sender-aligned", "sender-tls", "rpki", "rpki-ns"}


def outcome(path):
    """How many domains there are, how many were tested in full and found with the grade that they were made for, and why others not."""
    domains, short, causes = set(), set(), collections.Counter()
    with open(path, encoding="utf-8", newline="") as f:
        for row in csv.DictReader(f):
            domains.add(row["domain"])
            untested = row["state"] == "untested" and row["test"] not in NOT_HERE
            if untested or row["grade"] != "A" or (row["test"], row["state"]) == ("exists", "fail"):
                short.add(row["domain"])
            if untested:
                causes[re.sub(r"\b(d|mx)\d+\.", r"\1N.", row["evidence"])] += 1
    return len(domains), len(domains - short), causes


def fds(pid):
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            yield os.readlink(f"/proc/{pid}/fd/{name}")
    except OSError:
        return


if __name__ == "__main__":
    if os.environ.get("WORLD_FOLDER"):
        sys.exit(main(int(sys.argv[1])))
    if len(sys.argv) > 1 and not (sys.argv[1].isdecimal() and int(sys.argv[1])):
        sys.exit(__doc__)
    why = space.can_enter()
    if why:
        print(f"bench_check: skipped: {why}")
        sys.exit(77)
    if not os.access(ASSAY, os.X_OK):
        sys.exit(f"bench_check: {ASSAY} is not built: make")
    sys.exit(space.outside("bench", [sys.executable, "-B", os.path.abspath(__file__), sys.argv[1] if len(sys.argv) > 1 else "1000"]))
