# SPDX-License-Identifier: BSD-2-Clause
"""figures: what the benches have measured. Each figure is a line of JSON in the file that BENCH_FIGURES names (tests/bench/run sets it),
for the table and the JSON at its end. Without the variable nothing is kept. figure.h is the same for benches in C."""
import json
import os


def figure(bench, name, value, unit, asked=None):
    """asked: the value that is asked for, if any; whether more or less of it is better can be seen by the unit."""
    path = os.environ.get("BENCH_FIGURES")
    if path:
        with open(path, "a", encoding="utf-8") as f:
            json.dump({"bench": bench, "name": name, "value": value, "unit": unit, "asked": asked}, f)
            f.write("\n")


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]
