#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""walk.py INIT USER README POSTFIX - does what README says to USER (firm, administrator, provider), in the machine whose
first process is INIT and whose Postfix is the unit POSTFIX: see paths.

The commands are those of README's section "Five minutes": the lines of its blocks, and what stands in backquotes and
begins with assay, apt or make. Each is in a table here, with the exit code and the words that are expected of it, or
with the reason why it is not run; a command that only README or only the table has is a failure, so the two cannot
differ. Where README's words stand for the user's own (a queue ID, a domain), the table has what is put in their place.
A command runs on a terminal, and its questions are answered there."""
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

INIT, USER, README, POSTFIX = sys.argv[1:5]
USERS = {"**A small firm.**": "firm", "**A mail administrator.**": "administrator", "**A hosting provider.**": "provider"}
TALK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../packages/talk.py")
LIMIT = 300  # seconds for one command
CUSTOMERS = 100_000
failures, counted = [], [0, 0.0]


def inside(text):
    env = "PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive"
    enter = f"nsenter -t {INIT} -m -p -n -u -i -C /usr/bin/env -i {env} sh -c"
    return [*enter.split(), f"cd /root && {text}"]


def on_terminal(argv, answers=()):
    """Exit code and what it said. Each answer is given when the text ends in a question."""
    answers, said, end = list(answers), "", time.time() + LIMIT
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp(argv[0], argv)
    while time.time() < end:
        if not select.select([fd], [], [], 0.3)[0]:
            if answers and re.search(r"[?:\]>] ?$", said):
                os.write(fd, (answers.pop(0) + "\n").encode())
            continue
        try:
            got = os.read(fd, 65536)
        except OSError:
            break
        if not got:
            break
        said += got.decode("utf-8", "replace").replace("\r", "")
    else:
        os.kill(pid, signal.SIGKILL)
        said += f"\n(no end within {LIMIT} s)"
    os.close(fd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


def fail(what, said):
    failures.append(what)
    print(f"FAILED  {what}")
    print("\n".join(f"        | {line}" for line in said.strip().splitlines()[-40:]), flush=True)


def do(command, codes, words, answers=(), count=True):
    """Runs it; one line says what became of it. Returns what it said."""
    begun = time.time()
    code, said = on_terminal(inside(command), answers)
    took = time.time() - begun
    if count:
        counted[0] += 1
        counted[1] += took
    lines = [line for line in said.strip().splitlines() if line.strip()] or [""]
    shown = next((line for line in reversed(lines) if words and re.search(words, line)), lines[-1]).strip()
    print(f"{'$' if count else ' '} {command}   [exit {code}, {took:.1f} s, {len(lines)} lines] {shown[:120]}", flush=True)
    if code not in codes:
        fail(f"{command}: exit {code}, not {codes}", said)
    elif words and not re.search(words, said, re.M):
        fail(f"{command}: does not say {words}", said)
    return said


def check(what, good, said=""):
    print(f"  {what}: {'yes' if good else 'NO'}", flush=True)
    if not good:
        fail(what, said)


def mail(sender, to, wanted, header_from=None):
    talk = ["nsenter", "-t", INIT, "-n", sys.executable, TALK, "192.0.2.66", "client.example", sender, to]
    code, said = on_terminal(talk + ([header_from] if header_from else []))
    print(f"  a mail from {sender} to {to}: {said.strip()[:160]}", flush=True)
    if not re.search(wanted, said):
        fail(f"mail from {sender}: not {wanted} (exit {code})", said)
    return said


def readme():
    """[(user, command)]: '' is everybody."""
    with open(README, encoding="utf-8") as f:
        text = f.read().split("\n## Five minutes\n")[1].split("\n## ")[0]
    found, user, block = [], "", False
    for line in text.splitlines():
        user = next((name for mark, name in USERS.items() if line.startswith(mark)), user)
        if line.startswith("```"):
            block = not block
        elif block:
            found.append((user, re.split(r" +# ", line)[0].strip()))
        else:
            found += [(user, c) for c in re.findall(r"`([^`]*)`", line) if re.match(r"(assay|apt|make) ", c)]
    return found


# (user of README's section, README's command): why it is not run as it stands
NOT_RUN = {
    ("", "make resolver deb"): "tests/system/packages/check does it",
    ("", "assay harden"): "a mention",
    ("", "assay harden --reload"): "a mention",
    ("", "assay doctor"): "a mention",
    ("firm", "assay exempt --undo"): "done after the exemption",
    ("firm", "assay next --undo"): "tests/system/next does it",
    ("firm", "assay next --write in-our-name:example.org"): "tests/system/next does it",
    ("firm", 'assay pause 64h because "..."'): "as the pause of 4 hours",
}
# README's command: what is run, exit codes, words, answers; for each user the commands of the sections that are for it.
TABLE = {
    ("", "apt install ./build/deb/*.deb"): (None, {0}, r"^assay-milter: mail is not judged yet\. Next: assay harden", ("y",)),
    ("firm", "assay harden --reload"): (None, {0}, r"Done: postfix reload|Done: systemctl reload postfix", ("y",)),
    ("firm", "assay harden --from-opendmarc"): (None, {0}, r"To put it in force:", ("y",)),
    ("firm", "assay doctor"): (None, {0, 1, 2}, r"^ok ", ()),
    ("firm", "assay policy check && systemctl reload assay-milter"): (None, {0}, "good", ()),
    ("firm", 'assay next --write mode --now --because "we take the risk"'): (
        'assay next --write mode --now --because "we take the risk" --yes',
        {0},
        r"^\+set mode enforce",
        (),
    ),
    ("firm", "assay policy status"): (None, {0, 1}, "assay-milter", ()),
    ("firm", "assay report"): (None, {0}, r".", ()),
    ("firm", "assay report --html /root/assay-report"): (None, {0}, "", ()),
    ("firm", "assay next"): (None, {0, 1}, r"at least 100 over 14 days", ()),
    ("firm", "assay next --write dmarc"): (None, {1, 64}, r".", ("n",)),
    ("firm", "assay next --write mode"): (None, {69}, r"at least 100 over 14 days are needed", ()),
    ("firm", "systemctl reload assay-milter"): (None, {0}, "", ()),
    ("firm", "assay resume"): (None, {0}, "in force", ()),
    ("firm", "assay why --from supplier.example"): ("assay why --from client.example", {0}, r"client\.example", ()),
    ("firm", 'assay pause 4h because "mail of our supplier is refused"'): (None, {0}, r"Enforcement is off", ()),
    ("firm", "assay exempt supplier.example dmarc --via 198.51.100.0/24"): (
        None,
        {0},
        r"exempt .*via 198\.51\.100\.0/24",
        ("their new mail server comes in March", "A. Owner", time.strftime("%F", time.localtime(time.time() + 30 * 86400)), "y"),
    ),
    ("administrator", "assay harden --dry-run"): (None, {0}, r"Nothing to change", ()),
    ("administrator", "assay policy check && assay policy read"): (None, {0}, r"0 errors|good", ()),
    ("administrator", "assay policy ask --from bank.example"): (None, {0}, r"dmarc", ()),
    ("administrator", "assay policy what-if new.policy"): (None, {0, 1}, r".", ()),
    ("administrator", "assay ledger unexplained"): (None, {0}, "", ()),
    ("administrator", "assay why 4XyZ12QueueId"): ("assay why QUEUE-ID", {0}, r"dmarc", ()),
    ("provider", "assay ledger admit"): (
        "assay ledger admit mx2.hosting.example --role assay_mx2 --store postgresql://assay@db.hosting.example/assay",
        {0},
        r"ON_ERROR_STOP",
        (),
    ),
    ("provider", 'assay pause 1h because "..."'): ('assay pause 1h because "a migration"', {0}, r"Enforcement is off", ()),
}


def follow(key, put=None):
    """README's command of the table; `put` takes the place of what its run stands for."""
    run, codes, words, answers = TABLE[key]
    command = run or key[1]
    for old, new in (put or {}).items():
        command = command.replace(old, new)
    said = do(command, codes, words, answers)
    done.append(key)
    if "To put it in force:" in said:
        for line in re.findall(r"^  ?(\S.*)$", said.split("To put it in force:")[1], re.M):
            do(line.strip(), {0}, "")
    return said


def server(domain, more=""):
    """The mail server as it was before."""
    do(
        f"postconf -e myhostname=mx.{domain} mydestination={domain},localhost inet_interfaces=all mynetworks=127.0.0.0/8 "
        f"smtpd_peername_lookup=no local_recipient_maps= luser_relay=root alias_maps= {more} && systemctl restart postfix",
        {0},
        "",
        count=False,
    )


def log(pattern, unit="assay-milter"):
    """The first match in the unit's log, waited for."""
    for _ in range(40):
        said = on_terminal(inside(f"journalctl --no-pager -o cat -u {unit}"))[1]
        found = re.search(pattern, said)
        if found:
            return found
        time.sleep(0.5)
    return None


# The machine has no network, so no DNS: the milter would act on nothing (dns.when-broken).
NO_DNS = "echo 'set dns.when-broken enforce' >>/etc/assay/policy"


def two_from(to):
    said = mail("a@client.example", to, r"^55\d .*\(.*[A-Z2-7]{10}|^55\d", "a@client.example>\r\nFrom: <b@other.example")
    return re.search(r"\b([A-Z2-7]{10})\b", said)


def needs_tls(to):
    """What this customer asks, and no other: the connection has no TLS."""
    mail("ann@client.example", to, r"\b550\b.*TLS is required")


def firm():
    server("firm.example")
    do("cp -p /etc/postfix/main.cf /root/main.cf", {0}, "", count=False)
    follow(("", "apt install ./build/deb/*.deb"))
    do(NO_DNS, {0}, "", count=False)
    follow(("firm", "assay harden --reload"))
    said = follow(("firm", "assay doctor"))
    check("doctor finds nothing critical about the milter", not re.search(r"^critical.*(milter|socket)", said, re.M), said)
    mail("ann@client.example", "root@firm.example", "250 accepted")
    two = mail("a@client.example", "root@firm.example", "250 accepted", "a@client.example>\r\nFrom: <b@other.example")
    check("in dry-run nothing is refused", "250 accepted" in two)
    do("echo 'own domains firm.example' >>/etc/assay/policy", {0}, "", count=False)
    follow(("firm", "assay policy check && systemctl reload assay-milter"))
    follow(("firm", "assay policy status"))
    time.sleep(3)
    follow(("firm", "assay report"))
    follow(("firm", "assay report --html /root/assay-report"))
    do("test -s /root/assay-report/index.html", {0}, "", count=False)
    follow(("firm", "assay next"))
    follow(("firm", "assay next --write dmarc"))
    follow(("firm", "assay next --write mode"))
    follow(("firm", "systemctl reload assay-milter"))
    # Or start from small-business.policy with your own domain in it.
    start = re.search(r"Or start from `(\S+)`", open(README, encoding="utf-8").read()).group(1)
    do(f"sed 's/example\\.org/firm.example/g' {start} >/etc/assay/policy && assay policy check", {0}, "")
    do(NO_DNS, {0}, "", count=False)
    do("systemctl reload assay-milter", {0}, "")
    follow(("firm", 'assay next --write mode --now --because "we take the risk"'))
    do("systemctl reload assay-milter assay-ledger", {0}, "")
    check("the policy is in force", log(r"loaded, mode enforce"))
    reference = two_from("root@firm.example")
    check("the refusal has a reference", reference)
    if reference:
        time.sleep(2)
        do(f"assay why {reference.group(1)}", {0}, "message-format")
    follow(("firm", "assay why --from supplier.example"))
    follow(("firm", 'assay pause 4h because "mail of our supplier is refused"'))
    mail("a@client.example", "root@firm.example", "250 accepted", "a@client.example>\r\nFrom: <b@other.example")
    follow(("firm", "assay exempt supplier.example dmarc --via 198.51.100.0/24"))
    do("assay policy check", {0}, "", count=False)
    do("assay exempt --undo", {0}, "", ("y",), count=False)
    follow(("firm", "assay resume"))
    # systemctl returns when the socket can be connected to.
    do("systemctl restart assay-milter", {0}, "")
    two_from("root@firm.example")
    do("assay doctor message", {0, 1, 2}, r"^ok [\s\S]*and dropped", count=False)
    do("assay harden --undo", {0, 1}, "", ("y",), count=False)
    do("cmp /root/main.cf /etc/postfix/main.cf", {0}, "", count=False)


def administrator():
    do(
        "sed -i -e 's/^Socket.*/Socket inet:8891@localhost/' -e '$aMode v' /etc/opendkim.conf && "
        "sed -i -e 's/^Socket.*/Socket inet:8893@localhost/' -e '$aRejectFailures true' /etc/opendmarc.conf && "
        "systemctl restart opendkim opendmarc",
        {0},
        "",
        count=False,
    )
    server(
        "admin.example",
        "smtpd_milters=inet:localhost:8891,inet:localhost:8893 non_smtpd_milters=inet:localhost:8891 milter_default_action=accept "
        "'smtpd_recipient_restrictions=permit_mynetworks, reject_unauth_destination' message_size_limit=20480000",
    )
    do("cp -p /etc/postfix/main.cf /root/main.cf", {0}, "", count=False)
    mail("ann@client.example", "root@admin.example", "250 accepted")
    follow(("", "apt install ./build/deb/*.deb"))
    do("assay harden --from-opendmarc --dry-run", {1}, "opendmarc")
    follow(("firm", "assay harden --from-opendmarc"))
    do(f"{NO_DNS} && systemctl restart assay-milter", {0}, "", count=False)
    said = do("postconf -h smtpd_milters", {0}, "assay", count=False)
    check("opendkim and opendmarc are asked no more", "8891" not in said and "8893" not in said, said)
    mail("ann@client.example", "root@admin.example", "^451 4.7.1 DMARC of client.example could not be checked")
    follow(("administrator", "assay harden --dry-run"))
    follow(("administrator", "assay policy check && assay policy read"))
    follow(("administrator", "assay policy ask --from bank.example"))
    do("(cat /etc/assay/policy; echo 'require dmarc of client.example otherwise reject') >new.policy", {0}, "", count=False)
    time.sleep(3)
    follow(("administrator", "assay policy what-if new.policy"))
    follow(("administrator", "assay ledger unexplained"))
    found = log(r"([0-9A-F]{8,}|[0-9A-Za-z]{12,}): milter-reject: END-OF-MESSAGE", POSTFIX)
    check("Postfix's log has the mail's queue ID", found)
    if found:
        follow(("administrator", "assay why 4XyZ12QueueId"), {"QUEUE-ID": found.group(1)})
    do("assay harden --undo", {0, 1}, "", ("y",), count=False)
    do("cmp /root/main.cf /etc/postfix/main.cf", {0}, "", count=False)
    mail("ann@client.example", "root@admin.example", "250 accepted")


def provider():
    server("hosting.example", "virtual_alias_domains=customer7.example virtual_alias_maps=static:root@hosting.example")
    follow(("", "apt install ./build/deb/*.deb"))
    do(NO_DNS, {0}, "", count=False)
    do("assay harden", {0}, "", ("y",))
    do("systemctl restart assay-milter unbound && postfix reload", {0}, "")
    start = re.search(r"`contrib(/policies/\S+)`", open(README, encoding="utf-8").read()).group(1)
    asks = "require tls 1.2 or newer of everyone otherwise reject"
    make = f"""import os; os.makedirs("customers")
for i in range({CUSTOMERS}): open(f"customers/customer{{i}}.example.policy", "w").write("{asks}\\n")"""
    folder = f"/proc/{INIT}/root/etc/assay"
    on_terminal(["sh", "-c", f"cd {folder} && exec {sys.executable} -c '{make}'"])
    do(f"sed 's/^#include/include/' /usr/share/assay{start} >/etc/assay/policy && ls /etc/assay/customers | wc -l", {0}, str(CUSTOMERS))
    do("assay policy check", {0}, "")
    do(NO_DNS, {0}, "", count=False)
    do("assay policy read --summary", {0}, "")
    do("systemctl reload assay-milter", {0}, "")
    check("the policy of all customers is in force", log(r"loaded, mode enforce"))
    needs_tls("someone@customer7.example")
    do("assay policy ask --from bank.example --for someone@customer7.example", {0}, "customer7")
    follow(("provider", "assay ledger admit"))
    follow(("provider", 'assay pause 1h because "..."'))
    mail("ann@client.example", "someone@customer7.example", "250 accepted")
    do("assay resume", {0}, "")
    time.sleep(5)  # the milter looks for the end of a pause every few seconds
    needs_tls("someone@customer7.example")
    mail("ann@client.example", "root@hosting.example", "250 accepted|^4")


commands = readme()
for known in commands:
    if known not in TABLE and known not in NOT_RUN:
        fail(f"README has a command that this test does not know: {known}", "")
for known in list(TABLE) + list(NOT_RUN):
    if known not in commands:
        fail(f"README does not have this command any more: {known}", "")
done = []
{"firm": firm, "administrator": administrator, "provider": provider}[USER]()
order = [commands.index(key) for key in done if key in commands]
check("the commands were done in README's order", order == sorted(order), str(done))
if failures:
    print(on_terminal(inside("journalctl --no-pager -o short-monotonic -u assay-milter | tail -n 40"))[1])
missing = [c for c in commands if c[0] == USER and c not in NOT_RUN and c not in done]
missing = [c for c in missing if c != ("firm", "assay harden --from-opendmarc")]  # the administrator's
check("and all of them", not missing, str(missing))
print(f"{USER}: {counted[0]} commands, {counted[1]:.1f} s; {len(failures)} failed")
sys.exit(bool(failures))
