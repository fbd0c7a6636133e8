#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_milter [MAILS]: processor time of assay-milter for 1,000 mails, each on a connection of its own as Postfix does
it, against the same program
where it judges nothing (mail of an own network). DNS from a table: what is measured is the filter, not the net."""
import importlib.machinery
import importlib.util
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.dont_write_bytecode = True
sys.path[:0] = [os.path.join(TESTS, "world"), os.path.join(TESTS, "scenario")]
import keys  # noqa: E402

loader = importlib.machinery.SourceFileLoader("sessions", os.path.join(TESTS, "scenario", "check-sessions"))
sessions = importlib.util.module_from_spec(importlib.util.spec_from_loader("sessions", loader))
loader.exec_module(sessions)

MAILS = int(sys.argv[1]) if len(sys.argv) > 1 else 2000


def processor_time(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def measure(process, address, message):
    for _ in range(50):
        sessions.conversation(address, message)
    before, began = processor_time(process.pid), time.monotonic()
    for _ in range(MAILS):
        answer = sessions.conversation(address, message)
        if answer.word != "accept":
            sys.exit(f"bench_milter: {answer}")
    return (processor_time(process.pid) - before) * 1000 / MAILS, MAILS / (time.monotonic() - began)


def run(policy, messages):
    folder = tempfile.mkdtemp()
    os.chmod(folder, 0o755)
    os.mkdir(f"{folder}/state")
    os.chmod(f"{folder}/state", 0o777)
    with open(f"{folder}/policy", "w", encoding="utf-8") as f:
        f.write(policy)
    with open(f"{folder}/dns", "w", encoding="utf-8") as f:
        f.write(sessions.DNS + "".join(f"{k}._domainkey.good.example secure TXT {keys.txt(keys.record(k))}\n" for k in ("rsa", "ed25519")))
    process = sessions.start(folder, [])
    try:
        if not sessions.wait_for(f"{folder}/s", process):
            sys.exit("bench_milter: assay-milter does not listen")
        return [measure(process, f"unix:{folder}/s", m) for m in messages]
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    if not os.access(sessions.PROGRAM, os.X_OK):
        sys.exit(f"bench_milter: {sessions.PROGRAM} is not built (make all)")
    plain = sessions.GOOD
    big = plain + b"0123456789 abcdefghijklmnopqrstuvwxyz ABCDEFGHIJ\r\n" * 2000
    kinds = {
        "unsigned": plain,
        "rsa-sha256": keys.sign(plain, "good.example", "rsa", "rsa"),
        "ed25519-sha256": keys.sign(plain, "good.example", "ed25519", "ed25519"),
        "rsa-sha256, 100 kB": keys.sign(big, "good.example", "rsa", "rsa"),
    }
    nothing = run("own network 192.0.2.0/24\nset mode enforce\n", [plain])[0]
    print(f"{'judged by nothing':24} {nothing[0]:6.3f} CPU s per 1,000  {nothing[1]:7.0f} mails/s one by one   1.00")
    for name, (cpu, rate) in zip(
        kinds, run("follow dmarc, spf, dnssec of everyone\nrequire message-format of everyone\nset mode enforce\n", kinds.values())
    ):
        print(f"{name:24} {cpu:6.3f} CPU s per 1,000  {rate:7.0f} mails/s one by one   {cpu / max(nothing[0], 1e-9):.2f}")


if __name__ == "__main__":
    main()
