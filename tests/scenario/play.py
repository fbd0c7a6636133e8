# SPDX-License-Identifier: BSD-2-Clause
"""play - plays scenarios against a real Postfix and assay-milter, inside a private space. What is expected is compared
with what is there: the
SMTP replies, the Maildir, Postfix's queue, the milter's log and its journal; never with what the milter was told."""
import datetime
import fnmatch
import hmac
import os
import pwd
import re
import shutil
import ssl
import subprocess
import time

import keys
import language
import postfix
import certificates
import milter
import smtp
from house import SERVER, SERVER6, wait_until


def installed_policy(name):
    """A policy of contrib/policies; its lists are found where they are."""
    folder = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "contrib/policies")
    with open(f"{folder}/{name}", encoding="utf-8") as f:
        return re.sub(r'( in ")([\w.-]+\.list")', rf"\g<1>{folder}/\g<2>", f.read())


def substitute(text, folder):
    """@rsa@ @ed25519@ @rsa1024@ (a TXT record's strings), @key:rsa@ (its private key), @today+N@ @today-N@, @folder@,
    @cert:NAME@ (the digest of its key), @contrib:NAME@ (a policy of contrib/policies)."""
    text = re.sub(r"@cert:(\w+)@", lambda m: certificates.public_key_digest(m.group(1)), text)
    text = re.sub(r"@key:(rsa\d*|ed25519)@", lambda m: keys.private(m.group(1)), text)
    text = re.sub(r"@(rsa\d*|ed25519)@", lambda m: keys.txt(keys.record(m.group(1))), text)
    text = re.sub(r"@today([+-]\d+)?@", lambda m: str(datetime.date.today() + datetime.timedelta(int(m.group(1) or 0))), text)
    text = re.sub(r"@p:(rsa\d*|ed25519)@", lambda m: keys.txt(keys.record(m.group(1)).split("p=")[1]), text)
    text = re.sub(r"@contrib:([\w.-]+)@", lambda m: installed_policy(m.group(1)), text)
    return text.replace("@folder@", folder)


def matches(text, pattern):
    """Wildcards * and ?; anything may stand before and after. Blanks and folds count as one blank."""
    flat = " ".join(text.split())
    pattern = re.sub(r"([\[])", "[[]", " ".join(pattern.split()))
    return fnmatch.fnmatchcase(flat, f"*{pattern}*")


def handed_on(mail, before):
    """The copy that the mail before delivered, as the next host gets it: without what the delivery agent put on top."""
    if not before or not before.delivered:
        raise language.Wrong(f"{mail.place}: again: the mail before was not delivered")
    lines = before.delivered[0][1].replace(b"\r\n", b"\n").split(b"\n")
    while lines[0].split(b":")[0].lower() in (b"return-path", b"x-original-to", b"delivered-to"):
        lines.pop(0)
    message = b"\r\n".join(lines)
    for change in mail.all("again"):
        old, arrow, new = change.partition(" => ")
        if arrow and language.unescape(old) not in message:
            raise language.Wrong(f"{mail.place}: again: there is no {old} in it")
        message = message.replace(language.unescape(old), language.unescape(new)) if arrow else message
    return b"".join(language.unescape(t) + b"\r\n" for t in mail.all("top")) + message


def prove(mail, message, folder):
    """prove KEYFILE SECONDS: an Assay-Verdict on top with a fleet's proof that is so old (below 0: of the future), as judge/fleet.h
    has it: HMAC-SHA-256 over the field's text, MAIL FROM, From and Message-ID, each with its length, and the body's hash."""
    name, seconds = mail.last("prove").split()
    with open(f"{folder}/{name}", "rb") as f:
        key = f.read()
    headers, body = keys.split(message)
    text = f"deliver; policy=00000000; host=other.example.org; time={int(time.time()) - int(seconds)}".encode()
    parts = [text, language.unescape(mail.last("from", "<>")).split(b" ")[0]]
    for field in ("From", "Message-ID"):
        for h in headers:
            if h.split(b":", 1)[0].lower() == field.lower().encode():
                parts += [field.encode(), h.split(b":", 1)[1].strip()]
    octets = b"".join(len(part).to_bytes(8, "big") + part for part in parts) + keys.body_hash(body)
    return b"Assay-Verdict: " + text + b"; proof=" + hmac.new(key, octets, "sha256").hexdigest().encode() + b"\r\n" + message


def compose(mail, number, before=None, folder=None):
    """The message, bytes with CRLF, as the mail's lines say."""
    message = composed(mail, number, before)
    return prove(mail, message, folder) if mail.all("prove") else message


def composed(mail, number, before):
    if mail.all("again"):
        return handed_on(mail, before)
    if mail.all("raw"):
        return b"".join(language.unescape(r) for r in mail.all("raw"))
    headers = list(mail.all("header"))
    for line in mail.all("repeat"):
        times, _, what = line.partition(" ")
        kind, _, text = what.partition(" ")
        if kind not in ("header", "letters"):
            raise language.Wrong(f"{mail.place}: repeat N header NAME: VALUE, or repeat N letters NAME: LETTER")
        headers += [text] * int(times) if kind == "header" else [text + text[-1] * int(times)]
    if "bare" not in mail.values:
        have = {h.split(":")[0].strip().lower() for h in headers}
        for name, value in (
            ("To", "user@example.org"),
            ("Subject", mail.name),
            ("Date", time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())),
            ("Message-ID", f"<{number}.{os.getpid()}@scenario.example>"),
        ):
            if name.lower() not in have:
                headers.append(f"{name}: {value}")
    body = mail.all("body") or ["Good morning."]
    message = b"".join(language.unescape(h) + b"\r\n" for h in headers) + b"\r\n" + b"".join(language.unescape(b) + b"\r\n" for b in body)
    for line in mail.all("sign"):
        message = sign(message, language.words(line), mail.place)
    for line in mail.all("seal"):
        message = seal(message, language.words(line), mail.place)
    message += b"".join(language.unescape(t) + b"\r\n" for t in mail.all("tail"))
    return b"".join(language.unescape(t) + b"\r\n" for t in mail.all("top")) + message


def sign(message, words, place):
    """sign KIND DOMAIN SELECTOR [fields=a,b] [length=N] [extra="x=1; "] [canonical=simple/simple]"""
    kind, domain, selector = words[:3]
    options = dict(w.split("=", 1) for w in words[3:])
    arguments = {"fields": tuple(options["fields"].split(","))} if "fields" in options else {}
    if "length" in options:
        arguments["length"] = int(options["length"])
    if "extra" in options:
        arguments["extra"] = options["extra"]
    if "canonical" in options:
        arguments["canonical"] = options["canonical"]
    unknown = set(options) - {"fields", "length", "extra", "canonical"}
    if unknown:
        raise language.Wrong(f"{place}: sign: unknown {', '.join(unknown)}")
    return keys.sign(message, domain, selector, kind, **arguments)


def seal(message, words, place):
    """seal KIND DOMAIN SELECTOR RESULTS [below=LINE] [i=N] [cv=WORD] [fields=a,b]: one more ARC set; LINE is put below the body first."""
    kind, domain, selector, results = words[:4]
    options = dict(w.split("=", 1) for w in words[4:])
    unknown = set(options) - {"below", "i", "cv", "fields"}
    if unknown:
        raise language.Wrong(f"{place}: seal: unknown {', '.join(unknown)}")
    if "below" in options:
        message += options["below"].encode() + b"\r\n"
    number = int(options.get("i", 1 + sum(h.startswith(b"ARC-Seal:") for h in keys.split(message)[0])))
    validation = options.get("cv", "none" if number == 1 else "pass")
    arguments = {"fields": tuple(options["fields"].split(","))} if "fields" in options else {}
    return keys.seal(message, number, domain, selector, results, validation, kind, **arguments)


def bracketed(text):
    return text if text.startswith("<") else f"<{text}>"


def talk(mail, message):
    """The SMTP conversation. Returns the replies, (step, code, text)."""
    client = smtp.Client(mail.last("client"), SERVER6 if ":" in mail.last("client") else SERVER, int(mail.last("port", "25")))
    try:
        if client.replies[-1][1] != 220 or client.say(f"EHLO {mail.last('helo')}", "helo")[0] != 250:
            return client.replies
        if mail.last("tls"):
            start_tls(client, mail)
        for line in mail.all("say"):
            client.say(language.unescape(line) + b"\r\n", "say")
        if mail.last("data") == "pipelined":
            recipients = [bracketed(to) for to in mail.all("to") or ["<user@example.org>"]]
            client.pipelined(language.unescape(mail.last("from", "<>")), recipients, message)
            return client.replies
        if client.say(b"MAIL FROM:" + language.unescape(mail.last("from", "<>")) + b"\r\n", "mail")[0] != 250:
            return client.replies
        accepted = 0
        for to in mail.all("to") or ["<user@example.org>"]:
            accepted += client.say(f"RCPT TO:{bracketed(to)}", "rcpt")[0] // 100 == 2
        if accepted and mail.last("data"):
            client.chunks(message, int(mail.last("data").removeprefix("bdat ")))
        elif accepted:
            client.data(message)
    except OSError as e:
        client.replies.append(("end", 0, f"connection: {e}"))
    finally:
        client.close()
    return client.replies


def start_tls(client, mail):
    if client.say("STARTTLS", "starttls")[0] != 220:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if mail.last("certificate"):
        context.load_cert_chain(*certificates.files(mail.last("certificate")))
    version = mail.last("tls").split()[0]
    if version in ("1.0", "1.1", "1.2"):
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, "TLSv" + version.replace(".", "_").replace("1_0", "1"))
    client.socket = context.wrap_socket(client.socket)
    client.file = client.socket.makefile("rb")
    client.say(f"EHLO {mail.last('helo')}", "helo")


class Outcome:
    """Where one mail ended, as found in the mailbox, the queue or the log."""

    def __init__(self, replies):
        self.replies = replies
        self.queue_id = None
        self.held, self.delivered = [], []  # held: content; delivered: (recipient, content)
        self.log, self.journal = "", []

    def last_reply(self):
        final = [r for r in self.replies if r[0] in ("end", "data")]
        if final:
            return final[-1]
        bad = [r for r in self.replies if r[1] // 100 != 2]
        return bad[-1] if bad else self.replies[-1]

    def action(self):
        code = self.last_reply()[1]
        if code // 100 == 5:
            return "reject"
        if code // 100 == 4:
            return "defer"
        if code // 100 != 2:
            return "lost"
        if self.held:
            return "hold"
        if not self.delivered:
            return "lost"
        stamp = header_values(self.delivered[0][1], "Assay-Verdict")
        found = re.search(r"\b(deliver|tag|quarantine)\b", stamp[0]) if stamp else None
        return found.group(1) if found else "deliver"

    def contents(self):
        return [content for _, content in self.delivered] + self.held


def header_values(content, name):
    head = re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0]
    fields = re.split(rb"\r?\n(?![ \t])", head)
    return [
        f.split(b":", 1)[1].decode("utf-8", "replace")
        for f in fields
        if f.split(b":", 1)[0].strip().lower() == name.lower().encode() and b":" in f
    ]


def find(house, outcome):
    """Looks where the mail is now."""
    said = re.search(r"queued as (\S+)", outcome.last_reply()[2])
    if said:
        outcome.queue_id = said.group(1)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not (outcome.held or outcome.delivered):
            for row in house.postfix.queued():
                if row["queue_id"] == outcome.queue_id and row["queue_name"] == "hold":
                    outcome.held.append(house.postfix.content(outcome.queue_id))
            if not outcome.held:
                house.postfix.wait_idle()
                mark = re.compile(rb"\bid " + outcome.queue_id.encode() + rb"\b")
                outcome.delivered = [(to, c) for to, c in postfix.delivered(house.mail) if mark.search(c)]
            if not (outcome.held or outcome.delivered):
                time.sleep(0.02)


class Player:
    def __init__(self, house):
        self.house, self.number, self.before = house, 0, None
        self.complaints = []

    def complain(self, place, words):
        self.complaints.append(f"{place}: {words}")

    def write_policy(self, text):
        """As the scenario has it, and the journal where we can read it; below, so that no line number changes."""
        m = self.house.milter
        m.write_policy(substitute(text, m.folder) + f'set journal.dir "{m.state}/journal"\n')

    def prepare(self, scenario):
        """A milter of its own for each scenario: fresh state, its policy, its DNS."""
        m = self.house.milter
        m.stop()
        folder = m.folder
        subprocess.run(f"rm -rf {folder}/* {self.house.mail}/all", shell=True, check=True)
        self.write_policy(scenario.sections["policy"])
        with open(f"{folder}/dns", "w", encoding="utf-8", errors="surrogateescape") as f:
            f.write(substitute(scenario.sections["dns"], folder))
        for name, text in scenario.files.items():
            with open(f"{folder}/{name}", "w", encoding="utf-8") as f:
                f.write(substitute(text, folder))
            milter.whole(f"{folder}/{name}")
            if name.endswith(".pem"):  # a private key: the milter's alone
                os.chmod(f"{folder}/{name}", 0o600)
                shutil.chown(f"{folder}/{name}", m.user)
        m.rights()
        for name in scenario.files:
            if name.endswith(".key"):  # a fleet's key: root's, readable by the milter's group
                os.chmod(f"{folder}/{name}", 0o640)
                shutil.chown(f"{folder}/{name}", "root", pwd.getpwnam(m.user).pw_gid)
        m.start("--dns", f"{folder}/dns", *language.words(scenario.sections["options"]))

    def play(self, scenario):
        self.complaints = []
        m = self.house.milter
        try:
            self.prepare(scenario)
            for step in scenario.steps:
                if isinstance(step, language.Mail):
                    self.mail(step)
                elif step[0] == "policy":
                    self.write_policy(step[1])
                elif step[0] == "reload":
                    said = m.reload()
                    if step[1] and not matches(said, step[1]):
                        self.complain(step[2], f"reload should say: {step[1]}\n    it says: {said.strip()}")
                elif step[0] == "assay":
                    said = m.command(step[1])
                    if said:
                        self.complain(step[2], said)
                elif step[0] == "restart":
                    m.stop()
                    m.start("--dns", f"{m.folder}/dns")
            if not m.alive():
                self.complain(scenario.place, "assay-milter has died")
            code = m.stop()
            if code not in (0, None):
                self.complain(scenario.place, f"assay-milter ended with {code} when told to stop:\n    {m.words()[-1500:]}")
        except (RuntimeError, language.Wrong, OSError) as e:
            self.complain(scenario.place, str(e))
            m.stop()
        return self.complaints

    def mail(self, mail):
        self.number += 1
        m = self.house.milter
        log_at = m.size()
        records = len(m.journal()) if any(w == "journal" for w, _, _ in mail.expect) else 0
        message = compose(mail, self.number, self.before, m.folder)
        if mail.last("via") == "protocol":
            import protocol

            outcome = protocol.send(m, mail, message)
        else:
            outcome = Outcome(talk(mail, message))
            find(self.house, outcome)
            if "Service unavailable" in outcome.last_reply()[2]:
                self.complain(
                    mail.place, f"{mail.name}: Postfix got no answer from the milter; Postfix says:\n{self.house.postfix.tail(8)}"
                )
        self.before = outcome
        wanted = [v for w, v, _ in mail.expect if w == "log"]
        outcome.log = m.wait_words(log_at, lambda words: all(any(matches(line, v) for line in words.split("\n")) for v in wanted), 8)
        if records or any(w == "journal" for w, _, _ in mail.expect):
            wait_until(lambda: len(m.journal()) > records, 8)
            outcome.journal = m.journal()[records:]
        for what, value, place in mail.expect:
            wrong = getattr(self, "check_" + what.replace("-", "_"))(outcome, value)
            if wrong:
                self.complain(place, f"{mail.name}: expect {what} {value}\n    {wrong}")

    # Each returns None, or what is there instead.

    def check_reply(self, outcome, value):
        step, _, pattern = value.partition(" ")
        found = [f"{code} {text}" for s, code, text in outcome.replies if s == step]
        nth = re.match(r"#(\d+) (.*)", pattern)
        if nth:
            found, pattern = found[int(nth.group(1)) - 1 : int(nth.group(1))], nth.group(2)
        if found and fnmatch.fnmatchcase(found[-1], re.sub(r"\[", "[[]", pattern) + "*"):
            return None
        return f"{step}: {found or 'was never said'}; all: {outcome.replies}"

    def check_action(self, outcome, value):
        there = outcome.action()
        return None if there == value else f"is {there}; last reply: {outcome.last_reply()[1:]}\n    log: {outcome.log.strip()[-1500:]}"

    def check_header(self, outcome, value):
        name, _, pattern = value.partition(":")
        if not outcome.contents():
            return f"there is no mail; last reply: {outcome.last_reply()[1:]}; log: {outcome.log.strip()[-600:]}"
        for content in outcome.contents():
            values = header_values(content, name)
            if not any(matches(v, pattern.strip()) for v in values):
                return f"{name}: " + ("; ".join(" ".join(v.split()) for v in values) or "(no such field)")
        return None

    def check_no_header(self, outcome, value):
        name, _, pattern = value.partition(":")
        if not outcome.contents():
            return f"there is no mail; last reply: {outcome.last_reply()[1:]}; log: {outcome.log.strip()[-600:]}"
        for content in outcome.contents():
            bad = [v for v in header_values(content, name) if matches(v, pattern.strip() or "*")]
            if bad:
                return f"there is {name}: {' '.join(bad[0].split())}"
        return None

    def check_log(self, outcome, value):
        return None if any(matches(line, value) for line in outcome.log.split("\n")) else f"log: {outcome.log.strip() or '(nothing)'}"

    def check_no_log(self, outcome, value):
        bad = [line for line in outcome.log.split("\n") if matches(line, value)]
        return f"log: {bad[0]}" if bad else None

    def check_journal(self, outcome, value):
        path, _, pattern = value.partition(" ")
        pattern = pattern.lstrip("= ")
        found = [str(v) for record in outcome.journal for v in dig(record, path.split("."))]
        return None if any(matches(v, pattern) for v in found) else f"journal: {path} is {found or 'not there'}; records: {outcome.journal}"

    def check_why(self, outcome, value):
        """What `assay why QUEUE-ID` shows."""
        m = self.house.milter
        queue_id = outcome.queue_id or (re.findall(r"\bid=(\w+)", outcome.log) or ["?"])[-1]
        wait_until(lambda: any(queue_id in str(record) for record in m.journal()), 8)
        said = m.says(f"why {queue_id} --journal {m.state}/journal")
        return None if matches(said, value) else f"assay why {queue_id}: {said}"

    def check_delivered(self, outcome, value):
        there = sorted(to for to, _ in outcome.delivered)
        wanted = sorted(a for word in value.split() for a in language.several(word)) if value != "nowhere" else []
        return None if there == wanted else f"delivered to: {there or 'nobody'}"


def dig(value, path):
    """Every value at that path of a record; a list means each of its members."""
    if isinstance(value, list):
        return [v for member in value for v in dig(member, path)]
    if not path:
        return [value]
    return dig(value[path[0]], path[1:]) if isinstance(value, dict) and path[0] in value else []
