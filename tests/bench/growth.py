# SPDX-License-Identifier: BSD-2-Clause
"""growth: measured points of a cost against what grows, as an SVG by gnuplot and as a sentence that is computed from them.

A cost that should grow in proportion is compared with the straight line a + b*x that fits best by relative deviation; one that should stay
as it is, with its median. Within NEAR of it at every point it is straight (or flat); else the sentence says how far it is straight, and by
how much it then differs from that line."""
import os
import statistics
import subprocess

import peers

NEAR = 0.30


def fit(points):
    """a and b of the line a + b*x with the least sum of squared relative deviations, neither below zero."""
    weights = [1 / (y * y) for _, y in points]
    total = sum(weights)
    mx = sum(w * x for w, (x, _) in zip(weights, points)) / total
    my = sum(w * y for w, (_, y) in zip(weights, points)) / total
    spread = sum(w * (x - mx) ** 2 for w, (x, _) in zip(weights, points))
    b = sum(w * (x - mx) * (y - my) for w, (x, y) in zip(weights, points)) / spread if spread else 0
    b = max(b, 0)
    a = my - b * mx
    if a < 0:
        a, b = 0, sum(w * x * y for w, (x, y) in zip(weights, points)) / sum(w * x * x for w, (x, _) in zip(weights, points))
    return a, b


def number(value):
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.4g}{unit}"
    return f"{value:.3g}"


def near(points, line):
    return all(abs(y / line(x) - 1) <= NEAR for x, y in points if line(x))


def straight_part(points):
    """How many of the points, from the first on, lie near a straight line, and that line."""
    for n in range(len(points), 1, -1):
        a, b = fit(points[:n])
        if near(points[:n], lambda x: a + b * x):
            return n, a, b
    return 1, points[0][1], 0


def deviations(points, line):
    return ", ".join(f"{100 * (y / line(x) - 1):+.0f} % at {number(x)}" for x, y in points if line(x) and abs(y / line(x) - 1) > NEAR)


def sentence(what, unit, grows, points, flat=False, why=""):
    """why: said behind it where it is not straight."""
    if len(points) < 3:
        return f"{what}: too few points to say anything"
    because = f"; {why}" if why else ""
    if flat:
        middle = statistics.median(y for _, y in points)
        if near(points, lambda x: middle):
            return f"{what} stays at {number(middle)} {unit} with {grows} (within {100 * NEAR:.0f} %)"
        places = deviations(points, lambda x: middle)
        return f"{what} is not flat with {grows}: compared with its median of {number(middle)} {unit}, {places}{because}"
    n, a, b = straight_part(points)
    line = f"{number(a)} {unit} and {number(b)} {unit} for each"
    if n == len(points):
        return f"{what} grows straight with {grows}: {line} (within {100 * NEAR:.0f} %)"
    rest = deviations(points[n - 1 :], lambda x: a + b * x)
    return f"{what} is not straight with {grows}: up to {number(points[n - 1][0])} it is {line}, then {rest} compared with that{because}"


def plot(path, title, x_title, y_title, points):
    """Writes PATH.dat, and PATH.svg where there is a gnuplot. Returns the path of what was written."""
    with open(f"{path}.dat", "w", encoding="ascii") as f:
        f.write("".join(f"{x} {y}\n" for x, y in points))
    if os.path.exists(f"{path}.svg"):
        os.unlink(f"{path}.svg")  # of a run before
    gnuplot = peers.program("gnuplot-nox")
    if not gnuplot:
        return f"{path}.dat"
    zero = any(x <= 0 for x, _ in points)
    script = f"""set terminal svg size 720,440 font 'sans,12' background '#ffffff'
set output '{path}.svg'
set title '{title}'
set xlabel '{x_title}'
set ylabel '{y_title}'
set grid
unset key
{'' if zero else 'set logscale x'}
{'' if zero or any(y <= 0 for _, y in points) else 'set logscale y'}
set yrange [{'0' if zero else min(y for _, y in points) / 2}:{max(y for _, y in points) * 1.5}]
plot '{path}.dat' using 1:2 with linespoints linewidth 2 pointtype 7 linecolor '#1f5fa8'
"""
    done = subprocess.run([gnuplot], input=script, text=True, env=peers.environment(gnuplot), capture_output=True)
    return f"{path}.svg" if done.returncode == 0 else f"{path}.dat"
