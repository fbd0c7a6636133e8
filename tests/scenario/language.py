# SPDX-License-Identifier: BSD-2-Clause
"""language - reads scenario files. README.md beside it is the manual; an error names file and line.

parse() gives a list of Scenario: policy, dns, files, options, and steps. A step is Mail, or ("policy" | "reload" |
"restart" | "assay", text).
"""
import os
import re
import shlex

BUILD = (
    "client",
    "helo",
    "from",
    "to",
    "header",
    "body",
    "raw",
    "sign",
    "seal",
    "top",
    "tail",
    "say",
    "data",
    "port",
    "tls",
    "certificate",
    "via",
    "bare",
    "macro",
    "repeat",
    "again",
    "prove",
)
EXPECT = ("reply", "action", "header", "no-header", "log", "no-log", "journal", "why", "delivered")
ACTIONS = ("deliver", "tag", "quarantine", "hold", "defer", "reject")
DEFAULTS = {"client": "192.0.2.10", "helo": "mail.good.example", "via": "postfix"}


class Wrong(Exception):
    pass


class Mail:
    def __init__(self, name, place):
        self.name, self.place = name, place
        self.values = {}  # of BUILD: the words of each line, in order
        self.expect = []  # (keyword, rest, place)

    def last(self, key, default=None):
        return self.values[key][-1] if self.values.get(key) else default

    def all(self, key):
        return self.values.get(key, [])


class Scenario:
    def __init__(self, title, place):
        self.title, self.place = title, place
        self.sections = {"policy": "", "dns": "", "options": ""}
        self.files = {}
        self.source = ""
        self.defaults = Mail("defaults", place)
        self.steps = []


def inherit(common, title, place):
    s = Scenario(title, place)
    s.sections = dict(common.sections)
    s.files = dict(common.files)
    s.source = common.source
    s.defaults.values = {k: list(v) for k, v in common.defaults.values.items()}
    return s


def blocks(path, depth=0):
    """(place, keyword, rest of its line, [(place, indented line)]); `include FILE` brings in that file's, from beside this one."""
    if depth > 4:
        raise Wrong(f"{path}: includes itself")
    found = []
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            place = f"{path}:{number}"
            if line.startswith("#") or (not line.strip() and not found):
                continue
            if line[:1] in (" ", "\t") or not line:
                if not found:
                    raise Wrong(f"{place}: an indented line before any section")
                found[-1][3].append((place, line))
            else:
                keyword, _, rest = line.partition(" ")
                found.append((place, keyword, rest.strip(), []))
    whole = []
    for block in found:
        whole += blocks(os.path.join(os.path.dirname(path), block[2]), depth + 1) if block[1] == "include" else [block]
    return whole


def outdent(lines):
    """The block's text, with the indentation of its first line taken off."""
    first = next((line for _, line in lines if line.strip()), "")
    blank = first[: len(first) - len(first.lstrip())]
    out = []
    for place, line in lines:
        if line.strip() and not line.startswith(blank):
            raise Wrong(f"{place}: indented less than the first line of its block")
        out.append(line[len(blank) :])
    return "\n".join(out).rstrip("\n") + "\n" if first else ""


def read_mail(mail, lines):
    for place, line in lines:
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        keyword, _, rest = words.partition(" ")
        rest = rest.strip()
        if keyword == "expect":
            what, _, value = rest.partition(" ")
            if what not in EXPECT:
                raise Wrong(f"{place}: expect what? one of {', '.join(EXPECT)}")
            if what == "action" and value.strip() not in ACTIONS:
                raise Wrong(f"{place}: no such action; one of {', '.join(ACTIONS)}")
            mail.expect.append((what, value.strip(), place))
        elif keyword in BUILD:
            mail.values.setdefault(keyword, []).extend(several(rest) if keyword == "to" else [rest])
        else:
            raise Wrong(f"{place}: '{keyword}' is no line of a mail; one of expect, {', '.join(BUILD)}")


def several(text):
    """user{1-3}@example.org stands for three addresses."""
    m = re.search(r"\{(\d+)-(\d+)\}", text)
    if not m:
        return [text]
    return [text[: m.start()] + str(n) + text[m.end() :] for n in range(int(m.group(1)), int(m.group(2)) + 1)]


def with_defaults(mail, defaults):
    for key, value in defaults.values.items():
        if key == "header":
            have = {h.split(":")[0].strip().lower() for h in mail.all("header")}
            mail.values["header"] = [h for h in value if h.split(":")[0].strip().lower() not in have] + mail.all("header")
        else:
            mail.values.setdefault(key, list(value))
    for key, value in DEFAULTS.items():
        mail.values.setdefault(key, [value])
    return mail


def parse(path):
    common = Scenario("", path)
    found, current = [], common
    for place, keyword, rest, lines in blocks(path):
        if keyword == "scenario":
            current = inherit(common, rest, place)
            found.append(current)
        elif keyword == "source":
            current.source = rest
        elif keyword in ("dns", "options"):
            add = rest if keyword == "options" else outdent(lines)
            current.sections[keyword] += add + ("\n" if keyword == "dns" else " ")
        elif keyword == "policy":
            if any(isinstance(s, Mail) for s in current.steps):
                current.steps.append(("policy", outdent(lines), place))
            else:
                current.sections["policy"] = outdent(lines)
        elif keyword == "file":
            current.files[rest] = outdent(lines)
            current.steps += [("file", rest, place)] if current.steps else []
        elif keyword == "defaults":
            read_mail(current.defaults, lines)
        elif keyword in ("reload", "restart", "assay"):
            current.steps.append((keyword, rest, place))
        elif keyword == "mail":
            if current is common:
                raise Wrong(f"{place}: a mail before any 'scenario' line")
            mail = Mail(rest or f"mail {1 + sum(isinstance(s, Mail) for s in current.steps)}", place)
            read_mail(mail, lines)
            if not mail.expect:
                raise Wrong(f"{place}: expects nothing: a test that cannot fail")
            current.steps.append(with_defaults(mail, current.defaults))
        else:
            raise Wrong(
                f"{place}: '{keyword}' begins no section (scenario source include policy dns file options defaults mail reload restart "
                "assay)"
            )
    for s in found:
        if not any(isinstance(step, Mail) for step in s.steps):
            raise Wrong(f"{s.place}: a scenario without a mail")
    if not found:
        raise Wrong(f"{path}: no scenario")
    return found


def unescape(text):
    """\\r \\n \\t \\0 \\xNN \\\\ in raw and say lines, as octets."""

    def one(m):
        c = m.group(1)
        return {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}.get(c) or chr(int(c[1:], 16))

    return (
        re.sub(r"\\(x[0-9A-Fa-f]{2}|[rnt0\\])", one, text).encode("latin-1", "surrogateescape")
        if text.isascii()
        else re.sub(r"\\(x[0-9A-Fa-f]{2}|[rnt0\\])", one, text).encode("utf-8", "surrogateescape")
    )


def words(text):
    """Words at blanks; double quotes keep blanks together. A single quote is a letter like any other."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.quotes, lexer.whitespace_split, lexer.commenters = '"', True, ""
    return list(lexer)
