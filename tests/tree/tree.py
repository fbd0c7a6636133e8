# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the tree share: which files are ours, and how a finding is said."""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The folders of the product, and what each may use of the others: by its includes (tests/tree/includes) and by the linker's symbols
# (tests/tree/circles).
MAY = {
    "base": {"base"},
    "dns": {"base", "dns"},
    "net": {"base", "net"},
    "policy": {"base", "policy"},
    "standards": {"base", "dns", "standards"},
    "engines": {"base", "dns", "standards", "engines"},
    "journal": {"base", "policy", "journal"},
    "judge": {"base", "dns", "net", "policy", "standards", "journal", "judge"},
    "outgoing": {"base", "dns", "net", "policy", "standards", "outgoing"},
    "ledger": {"base", "policy", "journal", "ledger"},
    "feedback": {"base", "dns", "net", "policy", "standards", "journal", "ledger", "feedback"},
    "check": {"base", "dns", "net", "policy", "standards", "check"},
    "report": {"base", "policy", "ledger", "check", "report"},
    "milter": {"base", "dns", "net", "policy", "standards", "judge", "journal", "milter"},
    "resolver-module": {"base", "policy", "journal", "resolver-module"},
    "cli": {
        "base",
        "dns",
        "net",
        "policy",
        "standards",
        "engines",
        "journal",
        "judge",
        "outgoing",
        "ledger",
        "feedback",
        "check",
        "report",
        "cli",
    },
}
ROOMS = tuple(MAY)
DATA = re.compile(
    r"^tests/(fuzz/corpus|([a-z-]+/)+data|unit/dns_zones)/|^tests/tree/policy/.*\.(policy|list)$"
    r"|\.(eml|msg|mbox|golden|json|xml|xsd|gz|zip|pem|der|png|svg|bin|expected|out)$"
)


def ours():
    """Every file of the project, from the top, sorted: what git would commit, or, outside a git checkout, all but what is built."""
    os.chdir(TOP)
    try:
        names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], capture_output=True, check=True).stdout
        found = [n.decode() for n in names.split(b"\0") if n]
    except (OSError, subprocess.CalledProcessError):
        found = []
        for folder, dirs, files in os.walk("."):
            dirs[:] = [d for d in dirs if not d.startswith("build") and d not in (".git", "__pycache__")]
            found += [os.path.relpath(os.path.join(folder, f), ".") for f in files]
    return sorted(n for n in found if os.path.isfile(n) and not os.path.islink(n))


def sources(*endings):
    return [n for n in ours() if n.endswith(endings) and not DATA.search(n)]


def is_main(name):
    """A main file counts as its program, not as its folder: it may use whatever the program is linked with."""
    return name.endswith(("/main.c", "_main.c"))


def text(name):
    with open(name, "rb") as f:
        return f.read().decode("utf-8", "surrogateescape")


class Findings:
    """Counts what was looked at; a test that looked at nothing has not passed."""

    def __init__(self, what):
        self.what, self.looked, self.bad = what, 0, []

    def look(self, count=1):
        self.looked += count

    def say(self, place, words):
        self.bad.append(f"{place}: {words}")

    def end(self, extra=""):
        for line in self.bad:
            print(line)
        if not self.looked:
            print(f"{self.what}: looked at nothing")
            sys.exit(1)
        print(f"{self.what}: {self.looked} looked at, {len(self.bad)} wrong" + (f"; {extra}" if extra else ""))
        sys.exit(1 if self.bad else 0)
