# SPDX-License-Identifier: BSD-2-Clause
"""smtp - a client that says exactly what it is told to, byte for byte, from the address it is told to. smtplib would
mend what must stay broken."""
import re
import socket


class Refused(Exception):
    pass


class Client:
    """One connection. Every step returns the reply: (code, "text lines joined by blanks"). replies keeps all of them with their step."""

    def __init__(self, source, server, port=25, timeout=60):
        self.replies = []
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        if source:
            self.socket.bind((source, 0))
        self.socket.connect((server, port))
        self.file = self.socket.makefile("rb")
        self.read("connect")

    def read(self, step):
        lines, code = [], 0
        while True:
            line = self.file.readline(4096)
            if not line:
                reply = (code or 0, " ".join(lines) or "connection closed")
                break
            line = line.rstrip(b"\r\n").decode("utf-8", "replace")
            code = int(line[:3]) if line[:3].isdigit() else 0
            words = line[4:]
            enhanced = re.match(r"\d\.\d+\.\d+ ", lines[0]) if lines else None
            if enhanced and words.startswith(enhanced.group(0)):  # the same on each line (RFC 2034 4): once is enough
                words = words[len(enhanced.group(0)) :]
            lines.append(words)
            if line[3:4] != "-":
                reply = (code, " ".join(lines))
                break
        self.replies.append((step, *reply))
        return reply

    def say(self, line, step=None):
        self.socket.sendall(line if isinstance(line, bytes) else line.encode("utf-8", "surrogateescape") + b"\r\n")
        return self.read(step or (line if isinstance(line, str) else line.decode("latin-1")).split(" ", 1)[0].split(":")[0].lower())

    def data(self, message):
        """DATA and the message (bytes with CRLF lines; dots are doubled here), as far as the server lets us."""
        code, words = self.say("DATA")
        if code != 354:
            return code, words
        if not message.endswith(b"\r\n"):
            message += b"\r\n"
        stuffed = message.replace(b"\r\n.", b"\r\n..")
        if stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        self.socket.sendall(stuffed + b".\r\n")
        return self.read("end")

    def chunks(self, message, size):
        """BDAT (RFC 3030): the message as it is, in chunks of that many octets, cut anywhere."""
        pieces = [message[at : at + size] for at in range(0, len(message), size)] or [b""]
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1
            self.socket.sendall(b"BDAT %d%s\r\n" % (len(piece), b" LAST" if last else b"") + piece)
            code, words = self.read("end" if last else "bdat")
            if code != 250:
                self.replies[-1] = ("end", code, words)
                break
        return code, words

    def pipelined(self, sender, recipients, message):
        """RFC 2920: MAIL, every RCPT and DATA in one segment, then the message."""
        lines = [b"MAIL FROM:" + sender] + [b"RCPT TO:" + r.encode() for r in recipients] + [b"DATA"]
        self.socket.sendall(b"\r\n".join(lines) + b"\r\n")
        self.read("mail")
        for _ in recipients:
            self.read("rcpt")
        code, words = self.read("data")
        if code == 354:
            self.socket.sendall(message.replace(b"\r\n.", b"\r\n..") + b"\r\n.\r\n")
            code, words = self.read("end")
        return code, words

    def close(self):
        try:
            self.socket.sendall(b"QUIT\r\n")
            self.socket.settimeout(2)
            self.file.readline()
        except OSError:
            pass
        self.file.close()
        self.socket.close()


def send(source, server, helo, sender, recipients, message, port=25, before=()):
    """One mail. Returns [(step, code, text)]: those of connect, helo, mail, each rcpt, and end. before: lines said
    between EHLO and MAIL."""
    client = Client(source, server, port)
    try:
        if client.replies[-1][1] != 220 or client.say(f"EHLO {helo}", "helo")[0] != 250:
            return client.replies
        for line in before:
            client.say(line)
        if client.say(f"MAIL FROM:<{sender}>", "mail")[0] != 250:
            return client.replies
        accepted = [r for r in recipients if client.say(f"RCPT TO:<{r}>", f"rcpt {r}")[0] // 100 == 2]
        if accepted:
            client.data(message)
        return client.replies
    except OSError as e:
        client.replies.append(("end", 0, str(e)))
        return client.replies
    finally:
        client.close()
