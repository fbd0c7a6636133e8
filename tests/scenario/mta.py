# SPDX-License-Identifier: BSD-2-Clause
"""mta - the MTA's side of the milter protocol (version 6), as Postfix and Sendmail speak it: for tests that need what
no MTA would send, or that need
to see each answer.

    with Mta("unix:/run/x.sock") as mta:            # or inet:PORT@HOST
        mta.connect("client.example", "192.0.2.1")  # macros given by stage: mta.macros["connect"] = {...}
        mta.helo("client.example")
        mta.mail("<a@client.example>")
        mta.rcpt("<user@example.org>")
        answer = mta.message(b"From: a@client.example\\r\\n\\r\\nHello\\r\\n")
        print(answer.word, answer.code, answer.text, answer.changes)

Every step gives an Answer. word: continue, accept, reject, tempfail, discard, reply, skip, none (the filter asked not
to answer). For a reply, code
is its SMTP code and text all its lines. changes (at the end of a message): tuples ("insert", index, name, value), ("add", name, value),
("change", index, name, value), ("quarantine", reason), in order. apply() makes the changes on a message as Postfix does.

Anything that is not the protocol raises ProtocolError with what came. Time-outs are TimeoutError. Nothing is retried.
"""
import socket
import struct

# SMFIC_: what an MTA says. SMFIR_: what a filter says (libmilter/mfdef.h gives both as letters).
WORDS = {b"c": "continue", b"a": "accept", b"r": "reject", b"t": "tempfail", b"d": "discard", b"s": "skip", b"4": "shutdown"}
ADDHDRS, CHGBODY, ADDRCPT, DELRCPT, CHGHDRS, QUARANTINE, CHGFROM, ADDRCPT_PAR, SETSYMLIST = (1 << n for n in range(9))
ALL_ACTIONS = 0x1FF
NOUNKNOWN, NODATA, SKIP, RCPT_REJ = 0x100, 0x200, 0x400, 0x800
NR_HDR, NR_CONN, NR_HELO, NR_MAIL, NR_RCPT, NR_DATA, NR_UNKN, NR_EOH, NR_BODY = (
    0x80,
    0x1000,
    0x2000,
    0x4000,
    0x8000,
    0x10000,
    0x20000,
    0x40000,
    0x80000,
)
HDR_LEADSPC = 0x100000
ALL_STEPS = 0x1FFFFF
STAGES = ("connect", "helo", "mail", "rcpt", "data", "end", "headers-end")  # SMFIM_ 0 to 6
LETTER = {"connect": b"C", "helo": b"H", "mail": b"M", "rcpt": b"R", "data": b"T", "end": b"E", "headers-end": b"N"}
CHUNK = 65535


class ProtocolError(Exception):
    pass


class Answer:
    def __init__(self, word, code=0, text="", changes=()):
        self.word, self.code, self.text, self.changes = word, code, text, list(changes)

    @property
    def good(self):
        return self.word in ("continue", "accept", "none", "skip")

    def __repr__(self):
        return f"Answer({self.word!r}, {self.code}, {self.text!r}, {self.changes!r})"


def octets(text):
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def z(text):
    return octets(text) + b"\0"


def split_message(message):
    """[(name, value with leading blank, folds as LF)], body; as Postfix hands them over: blanks before the colon are gone."""
    head, _, body = message.partition(b"\r\n\r\n")
    fields = []
    for line in head.split(b"\r\n") if head else []:
        if line[:1] in (b" ", b"\t") and fields:
            fields[-1][1] += b"\n" + line
        elif b":" in line:
            name, _, value = line.partition(b":")
            fields.append([name.rstrip(b" \t"), value])
    return [tuple(f) for f in fields], body


class Mta:
    def __init__(self, address, timeout=60, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.macros = {
            "connect": {"j": "mx.example.org", "{daemon_name}": "smtpd", "{daemon_addr}": "203.0.113.1", "{daemon_port}": "25"},
            "helo": {},
            "mail": {},
            "rcpt": {},
            "data": {},
            "headers-end": {},
            "end": {"i": "4TESTqueueid"},
        }
        self.offered = (version, actions, steps)
        self.wanted_macros = {}
        self.socket = self._open(address, timeout)
        self._negotiate()

    @staticmethod
    def _open(address, timeout):
        kind, _, rest = address.partition(":")
        if kind in ("unix", "local"):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(timeout)
            s.connect(rest)
        else:
            port, _, host = rest.partition("@")
            s = socket.create_connection((host or "127.0.0.1", int(port)), timeout)
        return s

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.quit()

    # ---- packets: length (4 octets, network order, of what follows), command, data

    def send(self, command, data=b""):
        self.socket.sendall(struct.pack("!I", len(data) + 1) + command + data)

    def _exactly(self, n):
        got = b""
        while len(got) < n:
            more = self.socket.recv(n - len(got))
            if not more:
                raise ProtocolError(f"the filter hung up after {len(got)} of {n} octets")
            got += more
        return got

    def receive(self):
        (n,) = struct.unpack("!I", self._exactly(4))
        if not 1 <= n <= 1 << 24:
            raise ProtocolError(f"a packet of {n} octets")
        packet = self._exactly(n)
        return packet[:1], packet[1:]

    def _negotiate(self):
        self.send(b"O", struct.pack("!III", *self.offered))
        letter, data = self.receive()
        if letter != b"O" or len(data) < 12:
            raise ProtocolError(f"negotiation was answered by {letter!r} {data!r}")
        self.version, self.actions, self.steps = struct.unpack("!III", data[:12])
        if self.actions & ~self.offered[1] or self.steps & ~self.offered[2]:
            raise ProtocolError("the filter asks for what was not offered")
        rest = data[12:]
        while len(rest) > 4:
            (stage,) = struct.unpack("!I", rest[:4])
            names, _, rest = rest[4:].partition(b"\0")
            self.wanted_macros[STAGES[stage]] = names.decode().split()

    def _macros(self, stage):
        """Those set for the stage; where the filter has named the ones it wants, only these, as real MTAs do."""
        wanted = self.wanted_macros.get(stage)
        pairs = [(k, v) for k, v in self.macros[stage].items() if v is not None and (wanted is None or k in wanted)]
        self.send(b"D", LETTER[stage] + b"".join(z(k) + z(v) for k, v in pairs))

    def _answer(self, silent=0):
        """The answer to a step; none is waited for where the filter asked (NR_) not to give one."""
        if self.steps & silent:
            return Answer("none")
        changes = []
        while True:
            letter, data = self.receive()
            if letter == b"p":  # still working
                continue
            if letter == b"y":
                text = data.rstrip(b"\0").decode("utf-8", "surrogateescape").replace("%%", "%")
                lines = text.split("\r\n")
                return Answer("reply", int(lines[0][:3]), " ".join(line[4:] for line in lines), changes)
            if letter in WORDS:
                return Answer(WORDS[letter], 0, "", changes)
            changes.append(self._change(letter, data))

    @staticmethod
    def _change(letter, data):
        def texts(d):
            return [t.decode("utf-8", "surrogateescape") for t in d.split(b"\0")[:-1]]

        if letter == b"i":
            return ("insert", struct.unpack("!I", data[:4])[0], *texts(data[4:]))
        if letter == b"m":
            return ("change", struct.unpack("!I", data[:4])[0], *texts(data[4:]))
        if letter == b"h":
            return ("add", *texts(data))
        if letter == b"q":
            return ("quarantine", *texts(data))
        names = {b"+": "add-rcpt", b"2": "add-rcpt", b"-": "delete-rcpt", b"b": "replace-body", b"e": "change-from"}
        if letter not in names:
            raise ProtocolError(f"unknown answer {letter!r} {data!r}")
        return (names[letter], data)

    # ---- the conversation

    def connect(self, host, address, port=40000):
        """address: IPv4 or IPv6 text; None: unknown."""
        self._macros("connect")
        if address is None:
            data = z(host) + b"U"
        elif ":" in address:
            data = z(host) + b"6" + struct.pack("!H", port) + z("IPv6:" + address)
        else:
            data = z(host) + b"4" + struct.pack("!H", port) + z(address)
        self.send(b"C", data)
        return self._answer(NR_CONN)

    def helo(self, name):
        self._macros("helo")
        self.send(b"H", z(name))
        return self._answer(NR_HELO)

    def mail(self, path, *parameters):
        self._macros("mail")
        self.send(b"M", b"".join(z(a) for a in (path, *parameters)))
        return self._answer(NR_MAIL)

    def rcpt(self, path, *parameters):
        self._macros("rcpt")
        self.send(b"R", b"".join(z(a) for a in (path, *parameters)))
        return self._answer(NR_RCPT)

    def data(self):
        if self.steps & NODATA:
            return Answer("none")
        self._macros("data")
        self.send(b"T")
        return self._answer(NR_DATA)

    def header(self, name, value):
        """value: with its leading blank; it is taken off for a filter that did not ask to keep it."""
        value = octets(value)
        if not self.steps & HDR_LEADSPC and value[:1] == b" ":
            value = value[1:]
        self.send(b"L", z(name) + z(value))
        return self._answer(NR_HDR)

    def headers_end(self):
        self._macros("headers-end")
        self.send(b"N")
        return self._answer(NR_EOH)

    def body(self, piece):
        self.send(b"B", octets(piece))
        return self._answer(NR_BODY)

    def end(self):
        self._macros("end")
        self.send(b"E")
        return self._answer()

    def abort(self):
        self.send(b"A")

    def quit(self):
        try:
            self.send(b"Q")
        except OSError:
            pass
        self.socket.close()

    def message(self, message, chunk=CHUNK):
        """Everything from DATA on, of a message with CRLF line ends. Stops at the first answer that ends it."""
        fields, body = split_message(message)
        answer = self.data()
        if not answer.good:
            return answer
        for name, value in fields:
            answer = self.header(name, value)
            if answer.word not in ("continue", "none"):
                return answer
        answer = self.headers_end()
        if answer.word not in ("continue", "none"):
            return answer
        for at in range(0, len(body), chunk):
            answer = self.body(body[at : at + chunk])
            if answer.word == "skip":
                break
            if answer.word not in ("continue", "none"):
                return answer
        return self.end()


def apply(message, changes):
    """The message after the filter's changes to its header, as Postfix makes them: indices count from 1 within a name,
    an empty value removes."""
    fields, body = split_message(message)
    fields = [list(f) for f in fields]
    for change in changes:
        if change[0] == "insert":
            fields.insert(min(change[1], len(fields)), [octets(change[2]), octets(change[3])])
        elif change[0] == "add":
            fields.append([octets(change[1]), octets(change[2])])
        elif change[0] == "change":
            same = [f for f in fields if f[0].lower() == octets(change[2]).lower()]
            if change[1] > len(same):
                if change[3]:
                    fields.append([octets(change[2]), octets(change[3])])
            elif change[3]:
                same[change[1] - 1][1] = octets(change[3])
            else:
                fields.remove(same[change[1] - 1])
    head = b"".join(n + b":" + v.replace(b"\n", b"\r\n") + b"\r\n" for n, v in fields)
    return head + b"\r\n" + body
