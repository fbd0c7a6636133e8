#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""ask - asks assay-outgoing every 100 ms, as Postfix does by its socketmap, until a file appears.

  ask.py SOCKET STOPFILE LONGEST

Each question is a new connection, as after a restart. Answered means: a whole reply that is not TEMP came within two
seconds. At the end prints how many questions were asked and the longest time from one answer to the next. Exit: 0 that
was at most LONGEST seconds, 1 it was longer."""
import os
import socket
import sys
import time

EVERY = 0.1
QUESTION = b"assay [192.0.2.1]"  # an address: answered without DNS


def ask(path):
    """The reply, or why there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.settimeout(2)
        try:
            s.connect(path)
            s.sendall(b"%d:%s," % (len(QUESTION), QUESTION))
            said = b""
            while not said.endswith(b","):
                piece = s.recv(4096)
                if not piece:
                    return None, "the connection was closed"
                said += piece
        except OSError as e:
            return None, str(e)
    reply = said.split(b":", 1)[1].rstrip(b",").decode()
    return (None, reply) if reply.startswith("TEMP") else (reply, "")


def main():
    path, stop, most = sys.argv[1], sys.argv[2], float(sys.argv[3])
    asked = refused = 0
    longest = 0.0
    why = {}
    last = time.monotonic()
    while True:
        began = time.monotonic()
        reply, problem = ask(path)
        now = time.monotonic()
        asked += 1
        if reply is None:
            refused += 1
            why[problem] = why.get(problem, 0) + 1
        longest = max(longest, now - last)
        if reply is not None:
            last = now
        if os.path.exists(stop):
            break
        time.sleep(max(0.0, began + EVERY - now))
    print(f"asked {asked} times, {refused} not answered, longest without an answer {longest:.2f} s")
    for problem, n in sorted(why.items()):
        print(f"  {n} times: {problem}")
    return 0 if asked >= 10 and longest <= most else 1


sys.exit(main())
