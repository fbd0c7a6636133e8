# SPDX-License-Identifier: BSD-2-Clause
"""demo_house - everybody in the demonstration: name servers, the resolver, our mail server and its backup, a mailing list."""
import datetime
import os
import re

import dns
import house
import postfix
import smtp
import space

BACKUP, LIST = "203.0.113.2", "192.0.2.80"
HERE = os.path.dirname(os.path.abspath(__file__))

# The recipient's mail reader, as a Sieve script would do it: what the milter marked goes to the junk folder.
DELIVER = """\
import os, re, sys, time
mail = sys.stdin.buffer.read()
head = mail.split(b"\\n\\n", 1)[0]
junk = re.search(rb"^X-Spam-Flag:\\s*YES", head, re.M | re.I)
folder = sys.argv[1] + "/" + sys.argv[2] + ("/.Junk" if junk else "")
for sub in ("tmp", "new", "cur"):
    os.makedirs(folder + "/" + sub, exist_ok=True)
name = "%d.%d.mx" % (time.time_ns(), os.getpid())
with open(folder + "/tmp/" + name, "wb") as f:
    f.write(mail)
os.rename(folder + "/tmp/" + name, folder + "/new/" + name)
"""

# A mailing list as they all are: subject prefix, List-* fields, a footer, itself as the sender.
LISTSERVER = """\
import json, re, smtplib, sys
mail = sys.stdin.buffer.read().replace(b"\\r\\n", b"\\n")
head, body = mail.split(b"\\n\\n", 1)
head = re.sub(rb"(?im)^Subject: ", b"Subject: [talk] ", head)
head = re.sub(rb"(?im)^(Delivered-To|Return-Path|X-Original-To):.*\\n", b"", head + b"\\n").rstrip(b"\\n")
head += b"\\nList-Id: <talk.lists.example>\\nList-Unsubscribe: <mailto:talk-leave@lists.example>"
mail = head + b"\\n\\n" + body + b"-- \\nTo leave this list: talk-leave@lists.example\\n"
about = re.search(rb"(?im)^Message-ID:\\s*(\\S+)", head).group(1).decode()
try:
    with smtplib.SMTP("203.0.113.1", 25, "mail.lists.example", source_address=("192.0.2.80", 0)) as s:
        s.sendmail("talk-bounces@lists.example", ["user@example.org"], mail.replace(b"\\n", b"\\r\\n"))
        said = [250, "accepted"]
except smtplib.SMTPResponseException as e:
    said = [e.smtp_code, e.smtp_error.decode("utf-8", "replace")]
except smtplib.SMTPRecipientsRefused as e:
    said = [list(e.recipients.values())[0][0], list(e.recipients.values())[0][1].decode("utf-8", "replace")]
with open(sys.argv[1], "a") as f:
    f.write(json.dumps({"message_id": about, "said": said}) + "\\n")
"""

PARTNERS = "unsigned.example\nsupplier.example\nlate.example\n"  # the list of demo.policy


class House(house.House):
    """Our mail server, whose delivery files marked mail as junk."""

    def __init__(self, place):
        super().__init__(place)
        user = postfix.user()
        os.makedirs(f"{place}/bin")
        for name, text in (("deliver.py", DELIVER), ("list.py", LISTSERVER)):
            with open(f"{place}/bin/{name}", "w", encoding="utf-8") as f:
                f.write(text)
        os.chmod(self.mail, 0o755)
        self.postfix.settings.update({"virtual_transport": "deliver", "deliver_destination_recipient_limit": "1"})
        self.postfix.services += (
            f"deliver unix - n n - - pipe\n  flags=DR user={user.pw_name} "
            f"argv=/usr/bin/python3 -E -S {place}/bin/deliver.py {self.mail} ${{recipient}}\n"
        )

    def inbox(self, message_id, to):
        """'inbox' or 'junk' where a mail with that Message-ID lies, or None."""
        for place, sub in (("inbox", ""), ("junk", "/.Junk")):
            folder = f"{self.mail}/{to}{sub}/new"
            for name in os.listdir(folder) if os.path.isdir(folder) else ():
                with open(f"{folder}/{name}", "rb") as f:
                    if message_id.encode() in f.read():
                        return place
        return None


def backup_mx(place):
    settings = {
        "relay_domains": "example.org, payroll.example.org",
        "relay_transport": f"relay:[{house.SERVER}]:25",
        "relay_recipient_maps": "",
        "smtp_bind_address": BACKUP,
        "mynetworks": "127.0.0.0/8",
        "smtpd_relay_restrictions": "permit_auth_destination, reject",
        "smtpd_peername_lookup": "yes",
    }
    return postfix.Postfix(f"{place}/backup", "backup.example.org", [BACKUP], settings)


def list_server(place):
    user = postfix.user()
    outcome = f"{place}/list/outcome"
    os.makedirs(f"{place}/list")
    with open(outcome, "w", encoding="utf-8"):
        pass
    os.chown(outcome, user.pw_uid, user.pw_gid)
    settings = {
        "virtual_mailbox_domains": "lists.example",
        "virtual_mailbox_maps": "static:all",
        "virtual_transport": "list",
        "smtp_bind_address": LIST,
    }
    service = f"list unix - n n - - pipe\n  flags=R user={user.pw_name} argv=/usr/bin/python3 -E -S {place}/bin/list.py {outcome}\n"
    return postfix.Postfix(f"{place}/list", "mail.lists.example", [LIST], settings, service)


def policy_text(folder):
    with open(f"{HERE}/demo.policy", encoding="utf-8") as f:
        text = f.read()
    text = re.sub(r"@today([+-]\d+)@", lambda m: str(datetime.date.today() + datetime.timedelta(int(m.group(1)))), text)
    return text.replace("@folder@", folder)


class World:
    def __init__(self, place, say):
        self.place, self.say = place, say

    def start(self):
        place, say = self.place, self.say
        say("name servers: a signed root, top-level domains, sender domains; one server that never answers")
        self.servers = dns.Servers(f"{place}/dns", space.ROOTS).start()
        self.house = House(place)
        m = self.milter = self.house.milter
        m.write_policy(policy_text(m.folder))
        with open(f"{m.folder}/partners.list", "w", encoding="ascii") as f:
            f.write(PARTNERS)
        with open(self.servers.anchor, encoding="ascii") as source, open(f"{m.state}/root.key", "w", encoding="ascii") as to:
            to.write(source.read())
        m.rights()
        self.unbound = None
        if not os.environ.get("DEMO_WITHOUT_RESOLVER"):
            binary, module = dns.unbound_binary(), dns.module_file()
            if not binary or not module:
                raise RuntimeError("there is no Unbound with our module: make resolver")
            say("our resolver: Unbound with assay-unbound.so")
            self.unbound = dns.Unbound(f"{place}/unbound", self.servers.anchor, binary, module, m.policy, f"{m.folder}/resolver").start()
        say("our mail filter: assay-milter")
        m.start()
        say("our mail server, its backup and a mailing list: three Postfix instances")
        self.house.start()
        self.backup = backup_mx(place).start()
        self.list = list_server(place).start()
        return self

    def send(self, client, server, helo, sender, recipients, message):
        return smtp.send(client, server, helo, sender, recipients, message)
