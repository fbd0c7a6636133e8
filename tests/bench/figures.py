# SPDX-License-Identifier: BSD-2-Clause
"""figures: what the benches have measured. Each figure is a line of JSON in the file that BENCH_FIGURES names (tests/bench/run sets it),
for the table and the JSON at its end. Without the variable nothing is kept. figure.h is the same for benches in C.
tests/README.md describes the JSON."""
import json
import os

LESS, MORE = "less", "more"


def figure(bench, name, value, unit, better=None, goal=None):
    """name: the same in each run, so that runs can be compared. better: LESS or MORE; None: neither is better. goal: ours, if there is
    one: at most, or at least, so much."""
    if goal is not None and better not in (LESS, MORE):
        raise ValueError(f"{name}: a goal needs to be the most or the least")
    path = os.environ.get("BENCH_FIGURES")
    if path:
        with open(path, "a", encoding="utf-8") as f:
            json.dump({"bench": bench, "name": name, "value": value, "unit": unit, "better": better, "goal": goal}, f)
            f.write("\n")


def is_met(one):
    """Whether a figure reaches its goal; None: it has none."""
    if one["goal"] is None:
        return None
    return one["value"] >= one["goal"] if one["better"] == MORE else one["value"] <= one["goal"]


def goal_words(one):
    """The goal, and whether it is met: 'at least 9: missed'."""
    if one["goal"] is None:
        return ""
    return f"{'at least' if one['better'] == MORE else 'at most'} {one['goal']:g}: {'met' if is_met(one) else 'MISSED'}"


def read(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]
