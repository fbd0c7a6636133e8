# SPDX-License-Identifier: BSD-2-Clause
"""table - rows of text as a table that fits the terminal, cells wrapped; colours on a terminal only."""
import shutil
import sys
import textwrap

COLOURS = {"delivered": "32", "NOERROR": "32", "junk": "33", "deferred": "33", "refused": "31", "SERVFAIL": "31"}


def width():
    return max(100, min(190, shutil.get_terminal_size((150, 40)).columns))


def layout(headings, shares):
    """Column widths: shares of what is there."""
    room = width() - 3 * (len(headings) - 1)
    return [max(3, int(room * s / sum(shares))) for s in shares]


def colour(text, cell):
    if not sys.stdout.isatty():
        return text
    for word, code in COLOURS.items():
        if cell.startswith(word):
            return f"\033[{code}m{text}\033[0m"
    return text


def row(cells, widths, painted=()):
    wrapped = []
    for cell, w in zip(cells, widths):
        lines = []
        for part in cell.split("\n"):
            lines += textwrap.wrap(part, w, break_long_words=True) or [""]
        wrapped.append(lines)
    for i in range(max(len(lines) for lines in wrapped)):
        out = []
        for n, (lines, w) in enumerate(zip(wrapped, widths)):
            text = (lines[i] if i < len(lines) else "").ljust(w)
            out.append(colour(text, cells[n]) if n in painted else text)
        print(" | ".join(out).rstrip())


def rule(widths):
    print("-+-".join("-" * w for w in widths), flush=True)


def progress(words):
    """One line that says what is going on, on a terminal; replaced by the next. "" takes it away."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + words[: width() - 2])
        sys.stderr.flush()
