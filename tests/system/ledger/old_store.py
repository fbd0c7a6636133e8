# SPDX-License-Identifier: BSD-2-Clause
"""old_store - a ledger of an earlier schema, by the very steps of ledger/store_schema.c, and rows for it.

    steps(9, shared=True)       the statements of that step
    tuple_of(n, 9), record(n)   what a DMARC report's row and a mail were stored as"""
import json
import re
import time

TODAY = int(time.time() // 86400)


def steps(version, shared):
    """The statements of version_N in store_schema.c, for this database."""
    with open("ledger/store_schema.c", encoding="utf-8") as f:
        text = f.read()
    body = re.search(r"version_%d\[\] = \{(.*?)\n\};" % version, text, re.S).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    body = body.replace("KEYED", '" $KEYED"').replace("SHARED", '"@"')
    out = []
    for statement in re.split(r",\s*\n|,\s*NULL", body):
        sql = "".join(json.loads('"%s"' % s) for s in re.findall(r'"((?:[^"\\]|\\.)*)"', statement))
        if not sql or (sql[0] == "@" and not shared):
            continue
        sql = sql.lstrip("@").replace("$MONTHLY", "PARTITION BY RANGE (t)" if shared else "")
        out.append(sql.replace("$KEYED", "" if shared else "WITHOUT ROWID"))
    return out


def tuple_of(n, version):
    t = {"policy": "1a2b3c4d"} if n % 2 and version == 9 else {}
    t.update({"ip": f"192.0.{n % 250}.{n // 250 % 250}", "from": f"d{n % 997}.example"})
    if n % 3:
        t["mail_from"] = f"bounce.d{n % 997}.example"
    t.update(disposition="none", dkim="pass" if n % 2 else "fail", spf="fail")
    if n % 5 == 0:
        t.update(type="local_policy", comment="an exemption, 100% / explained")
    t["dkim_auth"] = [{"d": f"d{n % 997}.example", "s": f"s {n}/x%", "r": "pass"}, {"d": "other.example", "s": "k1", "r": "fail"}][: n % 3]
    t.update(spf_domain=f"d{n % 997}.example", spf_result="pass")
    return json.dumps(t, separators=(",", ":"))


def record(n):
    finding = {"standard": "dmarc", "subject": f"d{n % 997}.example", "result": "fail"}
    if n % 10 == 0:
        finding["ruf"] = "mailto:f@example.net"
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(TODAY * 86400 - 3600)) + ".%06dZ" % (n % 1000000)
    return json.dumps({"v": 1, "t": when, "host": "mx1", "kind": "mail", "id": f"Q{n}", "from": f"d{n % 997}.example",
                       "verdict": {"action": "reject", "would": "reject", "statement": "L4"}, "findings": [finding],
                       "lines": [{"standard": "dmarc", "result": "fail", "reason": f"reason {n}"}]}, separators=(",", ":"))
