# SPDX-License-Identifier: BSD-2-Clause
"""demo - sends the demonstration's mails and questions, looks what became of them, and shows it as a table. Runs inside a space.

What is shown is what is there: the SMTP reply, the mail in its folder, Postfix's queues and logs, the milter's journal. It is compared
with what demo_cases.py says must be; a line that differs says so, and then the exit code is 1.
"""
import json
import os
import re
import shlex
import subprocess
import sys
import time

import dns
import house
import keys
import milter
import table
from demo_cases import MAILS, QUESTIONS
from demo_house import BACKUP, LIST, World
from space import PLACE

NAMES = {
    "spf": "SPF",
    "dkim": "DKIM",
    "dmarc": "DMARC",
    "arc": "ARC",
    "dnssec": "DNSSEC",
    "message-format": "format",
    "dane": "DANE",
    "tls": "TLS",
    "rdns": "rdns",
}
DNSSEC_WORDS = {"pass": "signed", "none": "not signed", "fail": "broken", "temperror": "no answer"}
LEGEND = """The standards, in one line each:
  SPF     may this address send for the domain in the envelope?        DKIM    is there a valid signature, and whose?
  DMARC   is one of the two for the domain that the reader sees?       DNSSEC  can the DNS answers that all this rests on be trusted?
"""
SHOWN = ("spf", "dkim", "dmarc", "dnssec", "message-format")


class Seen:
    """What became of one mail."""

    def __init__(self):
        self.end, self.where, self.words, self.records, self.message_id = "", "", "", [], ""


def statements(path):
    """{line number: statement, on one line} of a policy file."""
    found, at = {}, 0
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if line[:1] in (" ", "\t") and line.strip() and at:
                found[at] += " " + line.strip()
            elif line.strip() and not line.startswith("#"):
                at = number
                found[at] = line.strip()
    return {n: re.sub(r"\s+", " ", s) for n, s in found.items()}


class Demo:
    def __init__(self, world):
        self.world, self.number = world, 0
        self.refused = ""  # the Message-ID of the last mail that was refused
        self.m = world.milter

    # ---- sending ----

    def message(self, mail):
        self.number += 1
        message_id = f"<{self.number}.{int(time.time())}@{mail.sender.split('@')[1]}>"
        head = [
            f"From: {mail.author}",
            *mail.extra,
            f"To: {', '.join(mail.to)}",
            f"Subject: {mail.title[:60]}",
            "Date: " + time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime()),
            f"Message-ID: {message_id}",
        ]
        text = ("\r\n".join(head) + "\r\n\r\nGood morning.\r\n").encode()
        return message_id, keys.sign(text, mail.sign[1], mail.sign[2], mail.sign[0]) if mail.sign else text

    def records(self, message_id):
        return [r for r in self.m.journal() if r.get("message_id", "").strip("<>") == message_id.strip("<>")]

    def play(self, mail):
        if mail.before:
            with open(self.m.policy, encoding="utf-8") as f:
                text = f.read()
            assert mail.before[0] in text
            self.m.write_policy(text.replace(*mail.before))
            self.m.reload()
        message_id, text = self.message(mail)
        seen = Seen()
        if mail.by_way_of == "list":
            self.by_list(mail, message_id, text, seen)
        elif mail.by_way_of == "backup":
            self.by_backup(mail, message_id, text, seen)
        elif mail.retries:
            self.several(mail, message_id, text, seen)
        else:
            self.directly(mail, list(mail.to), message_id, text, seen)
        house.wait_until(lambda: self.records(message_id), 8)
        seen.records = self.records(message_id)
        if seen.end == "refused" and seen.records:
            self.refused = message_id.strip("<>")
        return seen

    def arrived(self, seen, message_id, to):
        place = house.wait_until(lambda: self.world.house.inbox(message_id, to), 8)
        seen.end = {"inbox": "delivered", "junk": "junk"}.get(place, "lost")
        seen.where = {"inbox": f"inbox of {to}", "junk": f"junk folder of {to}"}.get(place, "nowhere to be found")

    def directly(self, mail, to, message_id, text, seen):
        replies = self.world.send(mail.client, house.SERVER, mail.helo, mail.sender, to, text)
        step, code, words = replies[-1]
        seen.words = f"{code} {words}"
        if code // 100 == 2 and step == "end":
            held = [q for q in self.world.house.postfix.queued() if q["queue_name"] == "hold" and q["queue_id"] in words]
            if held:
                seen.end, seen.where = "held", "Postfix's hold queue"
            else:
                self.arrived(seen, message_id, to[0])
        elif code // 100 == 5:
            seen.end, seen.where = "refused", "still with the sender, who is told"
        elif code // 100 == 4:
            seen.end, seen.where = "deferred", "still with the sender, who tries again"
        else:
            seen.end, seen.where = "lost", "unknown"
        return replies

    def several(self, mail, message_id, text, seen):
        """As a sending server does: recipients that were deferred are tried again until each has a final answer."""
        left, ends, words = list(mail.to), {}, []
        for _ in range(mail.retries + 1):
            one = Seen()
            replies = self.directly(mail, left, message_id, text, one)
            words.append(one.words[:60])
            put_off = [s.split(" ", 1)[1] for s, code, _ in replies if s.startswith("rcpt ") and code // 100 == 4]
            tried = [r for r in left if r not in put_off]
            if one.end != "deferred":
                for r in tried:
                    self.arrived(one, message_id, r) if one.end in ("delivered", "junk") else None
                    ends[r] = one.end
                left = put_off
            if not left:
                break
        seen.end = ", ".join(f"{r} {ends.get(r, 'deferred')}" for r in mail.to)
        seen.words = "; then ".join(words)
        seen.where = "each where its own rule says"

    def by_list(self, mail, message_id, text, seen):
        replies = self.world.send(mail.client, LIST, mail.helo, mail.sender, ["talk@lists.example"], text)

        def outcome():
            with open(f"{self.world.place}/list/outcome", encoding="utf-8") as f:
                rows = [json.loads(line) for line in f]
            return [r["said"] for r in rows if r["message_id"] == message_id]

        said = house.wait_until(outcome, 8)
        if not said:
            seen.end, seen.where = "lost", f"the list did not hand it on ({replies[-1]})"
            return
        seen.words = f"{said[0][0]} {said[0][1]} (to the list server)"
        if said[0][0] == 250:
            self.arrived(seen, message_id, mail.to[0])
        else:
            seen.end, seen.where = ("refused" if said[0][0] >= 500 else "deferred"), "with the list server"

    def by_backup(self, mail, message_id, text, seen):
        replies = self.world.send(mail.client, BACKUP, mail.helo, mail.sender, list(mail.to), text)
        found = re.search(r"queued as (\S+)", replies[-1][2])
        if not found:
            seen.end, seen.words, seen.where = "lost", str(replies[-1]), "the backup MX did not take it"
            return

        def handed_on():
            with open(self.world.backup.log, encoding="utf-8", errors="replace") as f:
                return re.findall(rf"{found.group(1)}: to=.*status=(\w+) \((.*)\)$", f.read(), re.M)

        status, words = (house.wait_until(handed_on, 15) or [("unknown", "")])[-1]
        said = re.search(r"said: (.*?)(?: \(in reply.*)?$", words)
        seen.words = (said.group(1) if said else words) + " (to the backup MX)"
        if status == "sent":
            self.arrived(seen, message_id, mail.to[0])
        elif status == "bounced":
            seen.end, seen.where = "refused to the backup MX", "the backup MX gives it back to the sender"
        else:
            seen.end, seen.where = "deferred", "queue of the backup MX"

    # ---- showing ----

    def said(self, seen):
        """What the standards said, from the journal."""
        if not seen.records:
            return "(nothing in the journal)"
        out = []
        for standard in SHOWN:
            results = []
            for finding in seen.records[-1].get("findings", []):
                if finding.get("standard") != standard or (standard == "message-format" and finding.get("result") == "pass"):
                    continue
                if finding.get("identity") != "helo":
                    result = finding.get("result", "?")
                    words = (DNSSEC_WORDS.get(result, result) if standard == "dnssec" else result) + (
                        f" {finding['subject']}" if finding.get("subject") else ""
                    )
                    if words not in results:
                        results.append(words)
            if results:
                out.append(f"{NAMES[standard]} {', '.join(results)}")
        return "\n".join(out) or "(not judged)"

    def decided(self, seen):
        """The policy's lines that decided, read from the policy file at the numbers that the journal gives."""
        text = statements(self.m.policy)
        named = []
        for record in seen.records[-1:]:
            verdict, lines = record.get("verdict", {}), record.get("lines", [])
            named.append(verdict.get("statement"))
            for line in lines:
                named += [line.get("exemption"), line.get("expired"), line.get("trust")]
            if verdict.get("action") in ("deliver", None):
                named += [line.get("statement") for line in lines if line.get("standard") == "dmarc"]
        out = []
        for name in named:
            found = re.fullmatch(r"L(\d+)", name or "")
            words = f"line {found.group(1)}: {text.get(int(found.group(1)), '?')}" if found else name
            if words and words not in out:
                out.append(words)
        return "\n".join(out) or "(no line)"

    def mails(self):
        widths = table.layout(("", "", "", "", "", ""), (2, 26, 28, 34, 40, 18))
        table.row(
            ("", "What was sent", "What the standards said", "What was done", "Which line of the policy decided", "Where it is now"),
            widths,
        )
        table.rule(widths)
        good = 0
        for number, mail in enumerate(MAILS, 1):
            table.progress(f"mail {number} of {len(MAILS)}: {mail.title}")
            seen = self.play(mail)
            decided = self.decided(seen)
            right = seen.end == mail.must and mail.by in decided
            good += right
            table.progress("")
            done = f"{seen.end}\n{seen.words}"
            if not right:
                done += f"\nNOT AS THE POLICY SAYS: must be {mail.must}" + (f" by '{mail.by}'" if mail.by else "")
            who = f"{mail.title}\n({mail.client}{', by way of the ' + mail.by_way_of if mail.by_way_of else ''})"
            table.row((str(number), who, self.said(seen), done, decided, seen.where), widths, painted=(3,))
            table.rule(widths)
        return good

    def skip_questions(self):
        print("\nNo resolver with our module here, so these questions are skipped:")
        for question in QUESTIONS:
            print(f"  skipped: {question.title} ({question.name} {question.kind})")

    def questions(self):
        widths = table.layout(("", "", "", "", ""), (2, 36, 30, 30, 50))
        print()
        table.row(("", "What was asked", "The question", "The answer", "What the resolver says about it"), widths)
        table.rule(widths)
        good = 0
        for number, question in enumerate(QUESTIONS, 1):
            said = dns.dig(dns.RESOLVER, question.name, question.kind, "+dnssec", *question.options, timeout=10)
            status = re.search(r"status: (\w+)", said)
            secure = re.search(r"flags: [a-z ]*\bad\b", said)
            answer = (status.group(1) if status else "no answer") + (", signed and valid" if secure else "")
            ede = "; ".join(re.findall(r"; EDE: (.*)", said))
            right = answer == question.must and question.by in ede
            good += right
            shown = answer if right else f"{answer}\nNOT AS THE POLICY SAYS: must be {question.must} {question.by}"
            table.row(
                (str(number), question.title, f"{question.name} {question.kind} {' '.join(question.options)}", shown, ede),
                widths,
                painted=(3,),
            )
            table.rule(widths)
        return good

    # ---- the ledger ----

    def ask(self, *words):
        """Runs a command and shows its output. True if it succeeded: exit code 0, or 1 if the command warns of what it found."""
        done = subprocess.run([milter.program(words[0]), *words[1:], "-P", self.m.policy], capture_output=True, text=True, timeout=60)
        print("\n$ " + " ".join(shlex.quote(w) for w in words))
        print("\n".join("  " + line for line in (done.stdout + done.stderr).splitlines()))
        return done.returncode in (0, 1) and bool(done.stdout.strip())

    def ledger(self):
        """The third program at work: takes in what the other two found, and answers."""
        print("\nWhat the mail filter and the resolver found is taken into the ledger, which can be asked:")
        taken = subprocess.run(
            [milter.program("assay-ledger"), "-1", "-P", self.m.policy, "-S", self.m.state], capture_output=True, text=True, timeout=60
        )
        page = f"{self.m.folder}/report"
        good = [
            taken.returncode == 0,
            bool(self.refused) and self.ask("assay", "why", self.refused),
            self.ask("assay", "ledger", "refused"),
        ]
        made = subprocess.run(
            [milter.program("assay"), "report", "--html", page, "-P", self.m.policy], capture_output=True, text=True, timeout=60
        )
        good.append(made.returncode == 0 and os.path.exists(f"{page}/index.html"))
        print(
            f"\n$ assay report --html {page}\n  The report, as a page for a browser: {page}/index.html (make demo KEEP=1 leaves it there)"
        )
        if not all(good):
            print(f"NOT AS IT SHOULD BE: {good}\n{taken.stderr}{made.stderr}")
        return all(good)


def main():
    start = time.monotonic()
    talk = (lambda w: table.progress(f"starting {w}")) if sys.stderr.isatty() else (lambda w: print(f"starting {w}", flush=True))
    try:
        world = World(PLACE, talk).start()
    except RuntimeError as e:
        print(f"demo: the world does not start: {e}")
        return 1
    table.progress("")
    print(
        f"A private internet, up in {time.monotonic() - start:.1f} seconds. One policy file ({world.milter.policy}) for mail and DNS.\n"
    )
    print(LEGEND, flush=True)
    demo = Demo(world)
    mails = demo.mails()
    asked = len(QUESTIONS) if world.unbound else 0
    questions = demo.questions() if asked else demo.skip_questions() or 0
    ledger = demo.ledger()
    skipped = "" if asked else f" ({len(QUESTIONS)} questions skipped)"
    print(f"\ndemo: {mails} of {len(MAILS)} mails and {questions} of {asked} questions as the policy says{skipped}", flush=True)
    return 0 if (mails, questions) == (len(MAILS), asked) and ledger else 1


if __name__ == "__main__":
    code = main()
    if len(sys.argv) > 1 and sys.argv[1] == "keep":
        sys.stdout.flush()
        with open(f"{PLACE}/status.new", "w", encoding="ascii") as f:
            f.write(f"{code}\n")
        os.rename(f"{PLACE}/status.new", f"{PLACE}/status")
        while True:
            time.sleep(3600)
    sys.exit(code)
