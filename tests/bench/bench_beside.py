#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_beside.py: what a mail of 50 MB costs the others on the same loop of the native engine (milter.threads 1).

    bench_beside.py [MEGABYTES]      default 50, by QUICK=1 20

63 connections say MAIL, RCPT and RSET in turn, and the time of each answer is taken (the milter may not ask for these to be left out):
first alone; then beside a client that sends the mail as fast as it is taken, with no signature and with eight (both canonical forms, whole
and with l=, so that no two can share a digest); then beside the ends of that mail. No helper thread is needed for large bodies as long as
the longest wait stays below 100 ms, our goal: a connection is read at most 256 kB at a time (READ_MAX, wire_loop.c), so the others wait for
the digests of that much and no more."""
import argparse
import multiprocessing
import os
import pwd
import shutil
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../world"), os.path.join(HERE, "../scenario")]
sys.dont_write_bytecode = True
import figures  # noqa: E402
import milter  # noqa: E402
import mta  # noqa: E402

OTHERS = 63
CHUNK = 65535
MOST_MS = 100
POLICY = """record spf, dkim, dmarc, message-format of everyone
set mode enforce
set milter.engine native
set milter.threads 1
"""
SIGNATURE = b" v=1; a=rsa-sha256; c=%s; d=big.example; s=s%d; %s\r\n\th=from; bh=frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=; b=AAAA"


def milter_seconds(pid):
    return time.clock_gettime(~pid << 3 | 2)  # its own clock, as clock_getcpuclockid(3) names it


def large(address, megabytes, signatures, began, ended):
    """Sends the mail without waiting for the answers to its chunks, as fast as it is taken."""
    client = mta.Mta(address, timeout=60)
    client.connect("big.example", "192.0.2.20")
    client.helo("big.example")
    client.mail("<a@big.example>")
    client.rcpt("<user@example.org>")
    for i in range(signatures):
        part = b"l=%d;" % (megabytes * 10**5 * (11 - i)) if i > 1 else b""
        client.header("DKIM-Signature", SIGNATURE % ((b"simple/simple", b"relaxed/relaxed")[i % 2], i, part))
    client.header("From", b" a@big.example")
    client.header("Date", b" Thu, 01 Jan 2026 00:00:00 +0000")
    client.headers_end()
    line = b"It is a long way  to the end of this text, \t and there are blanks in it.  \r\n"
    piece = (line * (CHUNK // len(line) + 1))[:CHUNK]
    began.set()
    for _ in range(megabytes * 10**6 // CHUNK):
        client.body(piece)
    word = client.end().word
    ended.value = word.encode()
    client.quit()


def times_beside(clients, goes_on):
    """Milliseconds from a command to its answer, of all these connections in turn, as long as goes_on() is true."""
    found = []
    while goes_on():
        for c in clients:
            for command in (
                lambda: c.mail("<a@good.example>"),
                lambda: c.rcpt("<user@example.org>"),
            ):  # pylint: disable=cell-var-from-loop
                begun = time.perf_counter()
                command()
                found.append(1000 * (time.perf_counter() - begun))
            c.abort()
    return sorted(found)


def show(what, found, goal=None, more=""):
    """goal: ours, for the longest answer."""
    if not found:
        sys.exit(f"bench_beside: {what}: no answer was timed")
    p50, p99, most = statistics.median(found), found[int(len(found) * 0.99)], found[-1]
    print(f"{what:<44} {len(found):>7} answers   median {p50:6.2f} ms   p99 {p99:6.2f} ms   longest {most:7.2f} ms{more}", flush=True)
    figures.figure("beside", f"{what}: 99 of 100 answers", round(p99, 2), "ms", figures.LESS)
    figures.figure("beside", f"{what}: longest answer", round(most, 2), "ms", figures.LESS, goal)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("megabytes", nargs="?", type=int, metavar="MEGABYTES", default=20 if os.environ.get("QUICK") else 50)
    options = parser.parse_args()
    if options.megabytes < 1:
        parser.error("MEGABYTES: 1 or more")
    return options


def main():
    megabytes = arguments().megabytes
    if not os.access(milter.program("assay-milter"), os.X_OK):
        print(f"bench_beside: {milter.program('assay-milter')} is not built: make all benches", file=sys.stderr)
        return 69
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    m = milter.Milter(folder, pwd.getpwuid(os.geteuid()).pw_name if os.geteuid() else "nobody")
    os.environ.pop("ENGINE", None)
    m.write_policy(POLICY + f'set journal.dir "{m.state}/journal"\n')
    with open(f"{folder}/dns", "w", encoding="ascii") as f:
        f.write("zone example secure\n")
    try:
        m.start("--dns", f"{folder}/dns")
        clients = [mta.Mta(m.address, steps=mta.ALL_STEPS & ~(mta.NR_MAIL | mta.NR_RCPT)) for _ in range(OTHERS)]
        for c in clients:
            c.connect("mail.good.example", "192.0.2.10")
            c.helo("mail.good.example")
        until = time.monotonic() + 2
        show(f"{OTHERS} connections alone", times_beside(clients, lambda: time.monotonic() < until))
        for signatures in (0, 8):
            began, ended = multiprocessing.Event(), multiprocessing.Array("c", 20)
            used = milter_seconds(m.process.pid)
            sender = multiprocessing.Process(target=large, args=(m.address, megabytes, signatures, began, ended))
            sender.start()
            began.wait(60)
            found = times_beside(clients, sender.is_alive)
            sender.join()
            used = milter_seconds(m.process.pid) - used
            if ended.value != b"accept":
                sys.exit(f"the mail of {megabytes} MB was not accepted: {ended.value!r}")
            what = f"{OTHERS} beside a mail of {megabytes} MB, {signatures} signatures"
            show(what, found, MOST_MS, f"   ({used:.2f} s of processor for all; our goal: no answer takes {MOST_MS} ms)")
        for c in clients:
            c.quit()
    except KeyboardInterrupt:
        return 130
    finally:
        m.stop(30)
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
