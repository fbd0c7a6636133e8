# SPDX-License-Identifier: BSD-2-Clause
"""late_dns - a resolver on loopback whose answers come late, or never. Every domain NAME.example has SPF (192.0.2.10 alone) and DMARC
(p=reject), and names below it have nothing; a name with "never" in it gets no answer. Not signed: for tests of who waits, not of what
DNS says."""
import heapq
import random
import socket
import struct
import threading
import time

DELAYS = (0, 0.005, 0.02, 0.1)  # seconds
SOA, TXT = 6, 16


def record(name, kind):
    """The text of the TXT record, if there is one; the response code."""
    labels = name.split(".")
    if labels[-1] != "example":
        return None, 3
    if kind == TXT and len(labels) == 2:
        return b"v=spf1 ip4:192.0.2.10 -all", 0
    if kind == TXT and len(labels) == 3 and labels[0] == "_dmarc":
        return b"v=DMARC1; p=reject", 0
    return None, 0 if len(labels) <= 2 else 3


def parse(query):
    """The name that is asked, its type, and the octets of the question."""
    at, labels = 12, []
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]].decode("latin-1").lower())
        at += query[at] + 1
    return ".".join(labels), struct.unpack("!H", query[at + 1 : at + 3])[0], query[12 : at + 5]


class LateDns:
    def __init__(self, seed=1):
        self.asked = 0
        self.random = random.Random(seed)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.due, self.changed = [], threading.Condition()
        for loop in (self.take, self.give):
            threading.Thread(target=loop, daemon=True).start()

    def take(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            name, kind, question = parse(query)
            self.asked += 1
            if "never" in name:
                continue
            text, code = record(name, kind)
            reply = query[:2] + struct.pack("!HHHHH", 0x8180 | code, 1, int(text is not None), int(text is None), 0) + question
            if text is None:
                zone = b"\7example\0" if name.split(".")[-1] == "example" else b"\0"
                reply += zone + struct.pack("!HHIH", SOA, 1, 3600, 22) + b"\0\0" + struct.pack("!IIIII", 1, 3600, 600, 86400, 3600)
            else:
                reply += b"\xc0\x0c" + struct.pack("!HHIH", TXT, 1, 3600, len(text) + 1) + bytes([len(text)]) + text
            with self.changed:
                heapq.heappush(self.due, (time.monotonic() + self.random.choice(DELAYS), self.asked, reply, client))
                self.changed.notify()

    def give(self):
        while True:
            with self.changed:
                while not self.due:
                    self.changed.wait()
                left = self.due[0][0] - time.monotonic()
                if left > 0:
                    self.changed.wait(left)
                    continue
                _, _, reply, client = heapq.heappop(self.due)
            self.socket.sendto(reply, client)
