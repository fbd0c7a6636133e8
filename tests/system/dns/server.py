# SPDX-License-Identifier: BSD-2-Clause
"""server - a name space for the tests in run: root servers, honest zones, a server that never answers, and one that leads on.

    *.good, *.victim      answered by the root servers themselves (SPF of 203.0.113.0/24 and 10.0.0.0/8, p=reject)
    *.dead1 ... *.dead9   delegated to DEAD, which hears and says nothing
    *.KIND.evil           delegated to EVIL, which counts what it is asked:
        plain   answers at once
        cname   leads through CHAIN names to the answer
        loop    leads through names without end
        wide    hands each name to thirteen name servers without addresses, none of which exists
        late    the same, but the sixth that is asked for has one
        deep    hands the zone on at each label
        lame    is served by thirteen addresses, and says SERVFAIL to the first five questions for a name
        short   says that each answer is too long for UDP, and hears nothing on TCP
        mute    does not answer
        hydra   cname, and each link is late
        slow    plain, but each answer comes after SLOW seconds
        zones   plain, but each mx term names a zone of its own, with a name server in it
        outside the same, with two name servers whose names are in none of them

The same answers, without delegations, are given by FORWARD (port 53) to whoever asks with RD."""
import selectors
import socket
import struct
import threading
import time

DEAD, EVIL, FORWARD = "198.51.100.2", "198.51.100.3", "198.51.100.4"
LAME = [f"198.51.100.{i}" for i in range(100, 113)]  # more addresses of EVIL's
LAME_TIMES = 5
CHAIN = 7
SLOW = 0.7
A, NS, CNAME, SOA, PTR, MX, TXT, AAAA = 1, 2, 5, 6, 12, 15, 16, 28


def wire(labels):
    return b"".join(bytes([len(one)]) + one for one in labels) + b"\0"


def record(labels, kind, data, ttl=300):
    return wire(labels) + struct.pack("!HHIH", kind, 1, ttl, len(data)) + data


def text(labels, words):
    return record(labels, TXT, b"".join(bytes([len(words[i : i + 255])]) + words[i : i + 255] for i in range(0, len(words), 255)))


def address(labels, words):
    return record(labels, A, socket.inet_aton(words))


def name_of(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1 : at + 1 + query[at]])
        at += query[at] + 1
    return labels, at + 1


class Reply:
    def __init__(self):
        self.answer, self.authority, self.additional, self.code, self.authoritative = [], [], [], 0, True
        self.truncated = False

    def nothing(self, zone, exists=False):
        self.code = 0 if exists else 3
        data = wire([b"ns"] + zone) + wire([b"admin"] + zone) + struct.pack("!IIIII", 1, 3600, 600, 86400, 60)
        self.authority.append(record(zone, SOA, data, 60))
        return self

    def octets(self, query, end):
        flags = 0x8000 | (0x0400 if self.authoritative else 0) | (0x0200 if self.truncated else 0)
        flags |= (0x0180 if query[2] & 1 else 0) | self.code
        head = query[:2] + struct.pack("!HHHHH", flags, 1, len(self.answer), len(self.authority), len(self.additional))
        return head + query[12:end] + b"".join(self.answer + self.authority + self.additional)


def honest(low, labels, kind):
    """What good and victim publish: each name directly below them is a domain."""
    r = Reply()
    if kind == TXT and len(low) == 2:
        r.answer.append(text(labels, b"v=spf1 ip4:203.0.113.0/24 ip4:10.0.0.0/8 -all"))
    elif kind == TXT and len(low) == 3 and low[0] == b"_dmarc":
        r.answer.append(text(labels, b"v=DMARC1; p=reject"))
    else:
        r.nothing([low[-1]], exists=len(low) <= 2)
    return r


def leaf(labels, kind):
    """The end of each way that EVIL leads: SPF of ten terms of ten hosts, keys that are none."""
    r, first = Reply(), labels[0].lower()
    if kind == TXT and first.startswith(b"spf"):
        zone = b".".join(labels)
        r.answer.append(text(labels, b"v=spf1 " + b"".join(b"mx:m%d.%s " % (i, zone) for i in range(10)) + b"-all"))
    elif kind == TXT:
        r.answer.append(text(labels, b"x"))
    elif kind == MX:
        r.answer += [record(labels, MX, struct.pack("!H", i) + wire([b"h%d" % i] + labels)) for i in range(10)]
    elif kind == A:
        r.answer.append(address(labels, "203.0.113.250"))
    else:
        r.nothing([b"evil"], exists=True)
    return r


def led(low, labels, kind):
    way = low[-2] if len(low) > 2 else b"plain"
    if way in (b"cname", b"loop"):
        step = int(low[0][4:]) if low[0].startswith(b"link") else 0
        if step < CHAIN or way == b"loop":
            r = Reply()
            r.answer.append(record(labels, CNAME, wire([b"link%d" % (step + 1)] + (labels[1:] if step else labels))))
            return r
        return leaf_as(labels, kind)
    if way == b"hydra":
        return hydra(low, labels, kind)
    if way in (b"wide", b"late"):
        return wide(low, labels, kind, way == b"late")
    if way == b"targets":
        good = low[0].startswith(b"g") and kind == A
        r = Reply()
        return r.nothing([b"evil"]) if not good else leaf_address(r, labels)
    if way == b"mute":
        return None
    if way in (b"zones", b"outside"):
        return zones(low, labels, kind, way == b"outside")
    return leaf(labels, kind)


seen_zones = set()


def zones(low, labels, kind, outside):
    """Each mx term names a zone of its own, handed on at its first question: by a name server in it, or by two elsewhere."""
    at = next((i for i, one in enumerate(low) if one[:1] == b"m" and one[1:].isdigit()), None)
    if low[0].startswith(b"ns") or at is None:
        return leaf(labels, kind)
    zone = labels[at:]
    if tuple(low[at:]) in seen_zones:
        return leaf(labels, kind)
    seen_zones.add(tuple(low[at:]))
    if not outside:
        return delegation(zone, EVIL)
    r = Reply()
    r.authoritative = False
    for i in range(2):
        r.authority.append(record(zone, NS, wire([b"g%d" % i, low[at]] + labels[at + 1 : -2] + [b"targets", b"evil"])))
    return r


def hydra(low, labels, kind):
    """One link of a chain: a separate zone, whose sixth name server is the first with an address."""
    r = wide(low, labels, kind, True)
    step = int(low[0][4:]) if low[0].startswith(b"link") else 0
    if not r.authoritative:
        return r
    if step >= CHAIN:
        return leaf_as(labels, kind)
    r = Reply()
    r.answer.append(record(labels, CNAME, wire([b"link%d" % (step + 1)] + (labels[1:] if step else labels))))
    return r


def leaf_as(labels, kind):
    """The answer at the end of a chain: of the name without its link label, owned by the link."""
    r = leaf(labels[1:], kind)
    r.answer = [wire(labels) + one[len(wire(labels[1:])) :] for one in r.answer]
    return r


def leaf_address(r, labels):
    r.answer.append(address(labels, EVIL))
    return r


served_late = {}


def wide(low, labels, kind, late):
    key = tuple(low)
    served_late[key] = served_late.get(key, 0) + 1
    if served_late[key] > 1:
        return leaf(labels, kind)
    r = Reply()
    r.authoritative = False
    tag = b"%08x" % (hash(key) & 0xFFFFFFFF)
    for i in range(13):
        r.authority.append(record(labels, NS, wire([b"%s%d" % (b"g" if late and i >= 5 else b"n", i), tag, b"targets", b"evil"])))
    return r


def delegation(zone, address_of):
    r = Reply()
    r.authoritative = False
    r.authority.append(record(zone, NS, wire([b"ns"] + zone)))
    r.additional.append(address([b"ns"] + zone, address_of))
    return r


def delegation_to_many(zone, addresses):
    r = Reply()
    r.authoritative = False
    for i, one in enumerate(addresses):
        r.authority.append(record(zone, NS, wire([b"ns%d" % i] + zone)))
        r.additional.append(address([b"ns%d" % i] + zone, one))
    return r


def failure():
    r = Reply()
    r.code = 2
    return r


def truncated():
    r = Reply()
    r.truncated = True
    return r


class Server(threading.Thread):
    def __init__(self, roots):
        super().__init__(daemon=True)
        self.selector, self.evil, self.octets, self.names, self.deep = selectors.DefaultSelector(), 0, 0, {}, {}
        self.lame, self.late = {}, []
        self.lock = threading.Lock()
        for at in list(roots) + [DEAD, EVIL, FORWARD] + LAME:
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            s.bind((at, 53))
            self.selector.register(s, selectors.EVENT_READ, at)

    def reset(self):
        with self.lock:
            self.evil = self.octets = 0

    def counted(self):
        with self.lock:
            return self.evil, self.octets

    def run(self):
        while True:
            for key, _ in self.selector.select(0.05 if self.late else None):
                query, peer = key.fileobj.recvfrom(4096)
                try:
                    answer = self.answer(key.data, query)
                except (IndexError, struct.error):
                    continue
                if key.data == EVIL or key.data in LAME:
                    with self.lock:
                        self.evil += 1
                        self.octets += len(query) + len(answer or b"")
                if answer and b"\x04slow\x04evil" in query.lower():
                    self.late.append((time.monotonic() + SLOW, key.fileobj, answer, peer))
                elif answer:
                    key.fileobj.sendto(answer, peer)
            while self.late and self.late[0][0] <= time.monotonic():
                _, s, answer, peer = self.late.pop(0)
                s.sendto(answer, peer)

    def answer(self, at, query):
        labels, end = name_of(query)
        (kind,) = struct.unpack("!H", query[end : end + 2])
        low = [one.lower() for one in labels]
        if at == DEAD:
            return None
        r = self.evil_answer(low, labels, kind) if at == EVIL or at in LAME else self.root_answer(at, low, labels, kind)
        return r.octets(query, end + 4) if r else None

    def evil_answer(self, low, labels, kind):
        if len(low) > 2 and low[-2] == b"deep":
            seen = self.deep.get(tuple(low), 2)
            self.deep[tuple(low)] = seen + 1
            if seen < len(low):
                return delegation(labels[-seen - 1 :], EVIL)
        if len(low) > 2 and low[-2] == b"lame":
            seen = self.lame.get((tuple(low), kind), 0)
            self.lame[(tuple(low), kind)] = seen + 1
            return leaf(labels, kind) if seen >= LAME_TIMES else failure()
        if len(low) > 2 and low[-2] == b"short":
            return truncated()
        return led(low, labels, kind)

    def root_answer(self, at, low, labels, kind):
        r = Reply()
        if not low:
            if kind == NS:
                r.answer.append(record([], NS, wire([b"a", b"root-servers", b"net"])))
                r.additional.append(address([b"a", b"root-servers", b"net"], "198.41.0.4"))
                return r
            if kind == SOA:
                r.nothing([])
                r.answer, r.authority, r.code = r.authority, [], 0
                return r
            return r.nothing([], exists=True)
        if low[-1].startswith(b"dead"):
            return None if at == FORWARD else delegation([labels[-1]], DEAD)
        if low[-1] == b"evil" and at != FORWARD and low[-2:-1] == [b"lame"]:
            return delegation_to_many(labels[-2:], LAME)
        if low[-1] == b"evil":
            return led(low, labels, kind) if at == FORWARD else delegation([labels[-1]], EVIL)
        if low[-1] in (b"good", b"victim"):
            return honest(low, labels, kind)
        if low[-2:] == [b"in-addr", b"arpa"] and at == FORWARD and kind == PTR and low[-3:-2] == [b"10"]:
            name = [b"host", b"home", b"arpa"] if low[0] == b"8" else [b"host", b"site", b"test"]
            r.answer.append(record(labels, PTR, wire(name)))
            return r
        if low[-1] == b"test" and at == FORWARD and kind == A:
            r.answer.append(address(labels, "10.9.8.7"))
            return r
        if low[-2:] == [b"home", b"arpa"] and at == FORWARD and kind == A:
            r.answer.append(address(labels, "10.9.8.8"))
            return r
        return r.nothing([low[-1]])
