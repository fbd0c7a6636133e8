#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""bench_report.py [FINDINGS [STORE]]: how long the site of a month takes, and how much memory, against what is asked: 10 s and 200 MB for
ten million findings. FINDINGS (default 400,000) are made by bench_ledger, unless STORE is there already. No test."""
import os
import subprocess
import sys
import tempfile
import time

import figures

TOP = os.path.abspath(os.path.join(__file__, "../../.."))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
FINDINGS = sys.argv[1] if len(sys.argv) > 1 else "400000"

with tempfile.TemporaryDirectory(prefix="assay-bench.") as folder:
    store = sys.argv[2] if len(sys.argv) > 2 else f"{folder}/ledger.db"
    if not os.path.exists(store):
        subprocess.run([f"{BUILD}/bench/bench_ledger", FINDINGS, store], check=True, stdout=subprocess.DEVNULL)
    policy = f"{folder}/policy"
    with open(policy, "w", encoding="ascii") as f:
        f.write(f'policy "bench" owner "x@example.org"\nfollow dmarc of everyone\nset ledger.store "{store}"\n')
    began = time.monotonic()
    child = subprocess.Popen([f"{BUILD}/assay", "report", "-P", policy, "--html", f"{folder}/site"])
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit("assay report failed")
    seconds, used = time.monotonic() - began, usage.ru_maxrss / 1024
    figures.figure("report", f"the site of {FINDINGS} findings", seconds, "s", 10)
    figures.figure("report", f"the site of {FINDINGS} findings: memory", used, "MB", 200)
    print(f"report: a site of {FINDINGS} findings in {seconds:.1f} s (10 asked of ten million), at most {used:.0f} MB (200 asked)")
