# SPDX-License-Identifier: BSD-2-Clause
"""load - a sender that loses nothing: numbered mails at a rate, each sent again until it is acknowledged, and the count of what arrived.

  load.py send RATE STOPFILE RESULT     sends to 192.0.2.1 until STOPFILE exists, then until all is acknowledged (at most 120 seconds more)
  load.py count RESULT MAILDIR LOG      waits for the queue's end, and counts; exit 0: each acknowledged mail is there
  once, none refused, none bounced

As MTAs do, some sessions carry one mail and some several. What is answered 4xx, or not at all, is sent again after two
seconds. An answer that was
lost after the last dot leaves open whether the mail was taken (RFC 5321 section 4.5.3.2.6): counted as unclear, sent
again, and doubled if it was."""
import glob
import heapq
import json
import os
import smtplib
import subprocess
import sys
import threading
import time

SENDERS = 40
lock = threading.Condition()
todo, seen = [], {"sent": 0, "deferred": [], "refused": [], "unclear": [], "acknowledged": []}
ended = False
why = {}


def note(kind, number, text=""):
    with lock:
        seen[kind].append(number)
        if kind != "acknowledged":
            text = f"{kind}: {text}"[:110]
            why[text] = why.get(text, 0) + 1
            if kind == "deferred" or kind == "unclear":
                heapq.heappush(todo, (time.time() + 2, number))
        lock.notify()


def take(wait):
    end = time.time() + wait
    with lock:
        while not ended:
            now = time.time()
            if todo and todo[0][0] <= now:
                return heapq.heappop(todo)[1]
            if now >= end:
                return None
            lock.wait(0.05)
    return None


def one(smtp, number):
    code, text = smtp.mail(f"sender{number}@example.com")
    if code == 250:
        code, text = smtp.rcpt("box@load.example")
    if code == 250:
        code, text = smtp.docmd("DATA")
    if code != 354:
        return code, text
    smtp.send(
        f"From: <sender{number}@example.com>\r\nTo: <box@load.example>\r\nSubject: number {number}\r\n"
        "Date: Fri, 20 Nov 2026 12:00:00 +0000\r\n"
        f"Message-ID: <{number}@mail.example.com>\r\nX-Number: {number}\r\n\r\nThis is mail {number}.\r\n.\r\n"
    )
    try:
        return smtp.getreply()
    except (OSError, smtplib.SMTPException) as e:
        return -1, str(e).encode()


def session(first, mails):
    number, smtp = first, None
    try:
        smtp = smtplib.SMTP("192.0.2.1", 25, local_hostname="mail.example.com", source_address=("192.0.2.66", 0), timeout=60)
        smtp.ehlo_or_helo_if_needed()
        while number is not None:
            code, text = one(smtp, number)
            kind = "acknowledged" if code == 250 else "unclear" if code == -1 else "refused" if code >= 500 else "deferred"
            note(kind, number, f"{code} {text.decode(errors='replace')}")
            number, mails = None, mails - 1
            if kind == "unclear" or code == 421:
                break
            if kind != "acknowledged":
                smtp.rset()
            number = take(0.5) if mails > 0 else None
        smtp.quit()
    except (OSError, smtplib.SMTPException) as e:
        if number is not None:
            note("deferred", number, f"{type(e).__name__} {e}")
    finally:
        if smtp:
            smtp.close()


def sender(index):
    while not ended:
        number = take(0.5)
        if number is not None:
            session(number, 8 if index % 2 else 1)


def send(rate, stop_file, result):
    global ended
    threads = [threading.Thread(target=sender, args=(i,), daemon=True) for i in range(SENDERS)]
    for t in threads:
        t.start()
    begin = time.time()
    while not os.path.exists(stop_file) and time.time() - begin < 400:
        due = int((time.time() - begin) * rate)
        with lock:
            while seen["sent"] < due:
                seen["sent"] += 1
                heapq.heappush(todo, (0, seen["sent"]))
            lock.notify_all()
        time.sleep(0.02)
    seconds = time.time() - begin
    while len(seen["acknowledged"]) + len(seen["refused"]) < seen["sent"] and time.time() - begin < seconds + 120:
        time.sleep(0.1)
    ended = True
    for t in threads:
        t.join(65)
    with open(result + ".new", "w", encoding="utf-8") as f:
        json.dump(dict(seen, seconds=seconds, why=why), f)
    os.rename(result + ".new", result)


def count(result, maildir, log):
    for _ in range(600):
        if not glob.glob("/var/spool/postfix/[iadm]*[ge]/**/[0-9A-Fa-f]*", recursive=True):
            break
        time.sleep(0.1)
        if _ % 50 == 49:
            subprocess.run(["postqueue", "-f"], check=False)
    with open(result, encoding="utf-8") as f:
        r = json.load(f)
    there, others, judged = {}, [], 0
    for name in glob.glob(maildir + "/new/*") + glob.glob(maildir + "/cur/*"):
        with open(name, encoding="utf-8", errors="replace") as f:
            head = f.read().split("\n\n")[0].split("\n")
        numbers = [int(line[10:]) for line in head if line.startswith("X-Number: ")]
        judged += any(line.startswith("Assay-Verdict: ") for line in head)
        if len(numbers) == 1:
            there[numbers[0]] = there.get(numbers[0], 0) + 1
        else:
            others.append(name)
    with open(log, encoding="utf-8", errors="replace") as f:
        bounced = sum("status=bounced" in line for line in f)
    lost = sorted(set(r["acknowledged"]) - set(there))
    doubled = sorted(n for n, c in there.items() if c > 1)
    missing = sorted(set(range(1, r["sent"] + 1)) - set(r["acknowledged"]))
    print(
        f"sent {r['sent']} in {r['seconds']:.0f} s ({r['sent'] / r['seconds']:.0f} a second), acknowledged {len(set(r['acknowledged']))}, "
        f"deferred and sent again {len(r['deferred'])}, delivered {len(there)} ({judged} judged), lost {len(lost)}, doubled "
        f"{len(doubled)}, "
        f"bounced {bounced}, refused {len(r['refused'])}, unclear {len(r['unclear'])}, never taken {len(missing)}"
    )
    for text, n in sorted(r["why"].items(), key=lambda x: -x[1])[:8]:
        print(f"        {n} x {text}")
    good = r["sent"] > 0 and not (lost or doubled or missing or bounced or r["refused"] or others)
    for what, which in (
        ("lost", lost),
        ("doubled", doubled),
        ("never taken", missing),
        ("refused", r["refused"]),
        ("unknown mails", others),
    ):
        if which:
            print(f"        {what}: {which[:10]}")
    return 0 if good and judged > 0 else 1


if sys.argv[1] == "send":
    send(float(sys.argv[2]), sys.argv[3], sys.argv[4])
else:
    sys.exit(count(*sys.argv[2:5]))
