#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Turns an SPF suite in openspf's YAML form into what tests/conformance/spf reads.

    spf_cases.py SUITE.yml DIRECTORY

writes DIRECTORY/NNN.zone (one per scenario, in the format of dns/dns_replay.h) and DIRECTORY/cases: one case per line, fields with a
tab between: zone, id, helo, host, mailfrom, results with | between, explanation. Octets that would disturb are \\DDD.
Needs python3-yaml.
"""
import os
import sys

import yaml


def octets(text):
    try:
        return str(text).encode("latin-1")
    except UnicodeEncodeError:
        return str(text).encode("utf-8")


def escaped(text):
    return "".join(chr(c) if 33 <= c <= 126 and c not in b'\\";#' else "\\%03d" % c for c in octets(text))


def string(text):
    return '"' + "".join(chr(c) if 32 <= c <= 126 and c not in b'\\"' else "\\%03d" % c for c in octets(text)) + '"'


def is_name(name):
    labels = octets(name).rstrip(b".").split(b".")
    return all(0 < len(label) < 64 for label in labels) and len(name) <= 254


def strings(value):
    return " ".join(string(v) for v in value) if isinstance(value, list) else string(value) if value != "" else ""


def records(entries):
    """The lines of one name, without it. SPF stands for TXT too, unless the name has a TXT entry; TXT NONE is none at all."""
    has_txt = any(isinstance(e, dict) and "TXT" in e for e in entries)
    for entry in entries:
        if isinstance(entry, str):
            if entry != "TIMEOUT":
                raise SystemExit(f"unknown entry {entry}")
            yield "timeout"
            continue
        for kind, value in entry.items():
            if value == "TIMEOUT":
                yield f"timeout {'TXT' if kind == 'SPF' else kind}"
            elif kind == "SPF" and not has_txt:
                yield "TXT " + strings(value)
            elif kind == "TXT" and value != "NONE":
                yield "TXT " + strings(value)
            elif kind == "MX":
                yield f"MX {value[0]} {escaped(value[1]) or '.'}"
            elif kind in ("A", "AAAA"):
                yield f"{kind} {value}"
            elif kind in ("PTR", "CNAME", "NS"):
                yield f"{kind} {escaped(value)}"
            elif kind not in ("SPF", "TXT"):
                raise SystemExit(f"unknown type {kind}")


def main(suite, folder):
    cases = open(os.path.join(folder, "cases"), "w", encoding="ascii")
    with open(suite, encoding="utf-8") as f:
        scenarios = [s for s in yaml.safe_load_all(f) if s]
    for number, scenario in enumerate(scenarios):
        zone = os.path.join(folder, f"{number:03d}.zone")
        with open(zone, "w", encoding="ascii") as out:
            for name, entries in (scenario.get("zonedata") or {}).items():
                if is_name(str(name)):
                    for line in records(entries):
                        out.write(f"{escaped(name)}. {line}\n")
        for key, test in scenario["tests"].items():
            wanted = test["result"]
            fields = (
                f"{number:03d}.zone",
                key,
                test["helo"],
                test["host"],
                test.get("mailfrom", ""),
                "|".join(wanted) if isinstance(wanted, list) else wanted,
                test.get("explanation", ""),
            )
            cases.write("\t".join(escaped(v) for v in fields) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: spf_cases.py SUITE.yml DIRECTORY")
    main(sys.argv[1], sys.argv[2])
