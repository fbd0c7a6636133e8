# SPDX-License-Identifier: BSD-2-Clause
"""charts.py: the charts of a page, as they are drawn, beside the tables behind them: what troubles() returns is wrong."""
import html.parser
import re

VOID = {"meta", "link", "br", "rect", "path", "ellipse"}


class Charts(html.parser.HTMLParser):
    """figures: for each figure its drawings (class, title, rectangles) and the rows of its table."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.figures, self.open, self.outside = [], [], 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag == "figure":
            self.figures.append({"drawings": [], "rows": []})
        if tag == "svg":
            self.outside += "figure" not in self.open
            self.figures[-1]["drawings"].append({"class": given["class"].split()[1], "title": "", "rects": []})
        if tag == "tr" and "figure" in self.open and "tbody" in self.open:
            self.figures[-1]["rows"].append([])
        if tag == "td" and "figure" in self.open:
            self.figures[-1]["rows"][-1].append("")

    def handle_startendtag(self, tag, attributes):
        if tag == "rect" and "defs" not in self.open:
            self.figures[-1]["drawings"][-1]["rects"].append(dict(attributes))

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        if "svg" in self.open and self.open[-1] == "title":
            self.figures[-1]["drawings"][-1]["title"] += data
        if "figure" in self.open and self.open[-1] in ("td", "bdi") and "td" in self.open:
            self.figures[-1]["rows"][-1][-1] += data


def number(text):
    """None if it is none: a dash."""
    digits = re.sub(r"\D", "", text)
    return int(digits) if digits else None


def near(a, b):
    return abs(float(a) - b) < 0.06


def split(figure):
    drawing = figure["drawings"][0]
    values = [number(row[1]) for row in figure["rows"]]
    rects = [r for r in drawing["rects"] if r["class"] != "gap"]
    at, whole, shown = 0.0, sum(values), [v for v in values if v]
    if len(rects) != len(shown):
        return [f"{len(rects)} parts are drawn of {shown}"]
    out = []
    for value, r in zip(shown, rects):
        if not near(r["width"], 1000 * value / whole) or not near(r["x"], at):
            out.append(f"{value} of {whole} is drawn as {r}")
        at += 1000 * value / whole
    said = ", ".join(f"{row[1]} {row[0]}" for row in figure["rows"])
    if not drawing["title"].endswith(f": {said}"):
        out.append(f"the text says {drawing['title']}, the table {said}")
    return out


def bars(figure):
    out = []
    if len(figure["drawings"]) != len(figure["rows"]):
        return [f"{len(figure['drawings'])} bars, {len(figure['rows'])} rows"]
    for drawing, row in zip(figure["drawings"], figure["rows"]):
        of = {r["class"]: r for r in drawing["rects"]}
        value, whole = number(row[1]), number(row[2])
        if not near(of["yes"]["width"] if "yes" in of else 0, 1000 * value / whole):
            out.append(f"{row} is drawn as {of.get('yes')}")
        if not near(of["no"]["width"] if "no" in of else 0, 1000 - 1000 * value / whole):
            out.append(f"the rest of {row} is drawn as {of.get('no')}")
        before = number(row[3]) if len(row) > 3 else None
        if (before is None) != ("mark" not in of):
            out.append(f"a mark that should not be, or is missing: {row}")
        if before is not None:
            middle = float(of["mark"]["x"]) + float(of["mark"]["width"]) / 2
            if abs(middle - 7.5 - 985 * before / number(row[4])) > 0.1:
                out.append(f"before, in {row}, is drawn at {middle}")
        share = number(drawing["title"].split(": ")[-1])
        rounded = 100 * value / whole
        if whole >= 10 and abs(share - rounded) > 1:
            out.append(f"the text says {drawing['title']}, the table {row}")
        if whole < 10 and (str(value) not in drawing["title"] or "%" in drawing["title"]):
            out.append(f"of fewer than ten, the text says {drawing['title']}, the table {row}")
    return out


def days(figure):
    out, most = [], max(number(row[1]) for row in figure["rows"])
    rects = {}
    for r in figure["drawings"][0]["rects"]:
        rects.setdefault(r["x"], {})[r["class"]] = float(r["height"])
    columns = [rects[x] for x in sorted(rects, key=float)]
    rows = [(number(row[1]), number(row[2])) for row in figure["rows"] if number(row[1])]
    if len(columns) != len(rows):
        return [f"{len(columns)} columns, {len(rows)} days"]
    for column, (mails, met) in zip(columns, rows):
        if not near(column.get("yes", 0), 160 * met / most) or not near(column.get("no", 0), 160 * (mails - met) / most):
            out.append(f"{mails} mails, of which {met} met all, are drawn as {column}")
    return out


def troubles(text):
    """(what is wrong, how many charts there are)"""
    page, out = Charts(text), []
    kinds = {"split": split, "bar-drawing": bars, "days": days}
    for figure in page.figures:
        if not figure["rows"] or not figure["drawings"]:
            out.append(f"a chart without table, or a table without chart: {figure}")
            continue
        if any(not d["title"] for d in figure["drawings"]):
            out.append("a drawing without a text")
        out += kinds[figure["drawings"][0]["class"]](figure)
    if page.outside:
        out.append("a drawing outside a figure")
    return out, len(page.figures)
