# SPDX-License-Identifier: BSD-2-Clause
"""grey.py: whether the shades of a chart can be told apart without colour: of a picture of the drawing, turned grey, the lightness of each
part and the pattern in it. troubles() returns what cannot be told apart."""
import base64
import statistics
import struct
import zlib

# Of each drawing its place on the page, and of its parts the class and the place; what is thinner than 5 px is no part to be told apart.
PLACES = """(() => [...document.querySelectorAll('svg.chart')].filter(s => s.getBoundingClientRect().width > 0).map(svg => {
  const box = svg.getBoundingClientRect();
  const parts = [...svg.querySelectorAll('rect')].filter(r => !r.closest('defs') && r.getBoundingClientRect().width >= 5
    && r.getBoundingClientRect().height >= 5).map(r => {
    const b = r.getBoundingClientRect();
    return {kind: r.getAttribute('class'), x: b.left - box.left, y: b.top - box.top, width: b.width, height: b.height};
  });
  return {kind: svg.getAttribute('class').split(' ')[1], x: box.left + scrollX, y: box.top + scrollY, width: box.width,
    height: box.height, parts};
}))()"""


def pixels(png):
    """Rows of luminance (0 to 1), of a PNG of 8 bits a channel."""
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        if kind == b"IHDR":
            width, height, _, colour = struct.unpack(">IIBB", png[at + 8 : at + 18])
        if kind == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += size + 12
    step = 4 if colour == 6 else 3
    raw, before, rows = zlib.decompress(data), bytes(width * step), []
    for start in range(0, height * (width * step + 1), width * step + 1):
        before = unfiltered(raw[start], raw[start + 1 : start + 1 + width * step], before, step)
        rows.append([r + g + b for r, g, b in zip(*(map(PART[c].__getitem__, before[c::step]) for c in range(3)))])
    return rows


def unfiltered(how, line, before, step):
    """A row of a PNG as it was before its filter (PNG 9.2); before: the row above it."""
    if how == 0 or (how == 2 and not any(line)):
        return line if how == 0 else before
    if how == 2:
        return bytes((a + b) & 255 for a, b in zip(line, before))
    out = bytearray(step) + bytearray(line)  # the pixel left of the first one is 0
    above = bytes(step) + before
    for i in range(step, len(out)):
        left, up, corner = out[i - step], above[i], above[i - step]
        if how == 1:
            guess = left
        elif how == 3:
            guess = (left + up) // 2
        else:
            to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
            guess = left if to_left <= to_up and to_left <= to_corner else up if to_up <= to_corner else corner
        out[i] = (out[i] + guess) & 255
    return bytes(out[step:])


def linear(c):
    return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4


# WCAG's relative luminance: what red, green and blue of 0 to 255 add to it.
PART = [[weight * linear(c / 255) for c in range(256)] for weight in (0.2126, 0.7152, 0.0722)]


def contrast(a, b):
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)


def look(rows, part):
    """(lightness, how much it changes from place to place, from row to row) of the inside of a part."""
    top, bottom = int(part["y"]) + 2, int(part["y"] + part["height"]) - 2
    left, right = int(part["x"]) + 2, int(part["x"] + part["width"]) - 2
    inside = [row[left : max(right, left + 1)] for row in rows[top : max(bottom, top + 1)]]
    flat = [v for row in inside for v in row]
    return statistics.fmean(flat), statistics.pstdev(flat), statistics.pstdev([statistics.fmean(row) for row in inside])


def differ(a, b):
    return contrast(a[0], b[0]) >= 3 or abs(a[1] - b[1]) >= 0.05 or abs(a[2] - b[2]) >= 0.05


def troubles(browser):
    """(what cannot be told apart, how many neighbours there were) on the open page; scripts are on."""
    browser.ask("Emulation.setEmulatedVisionDeficiency", type="achromatopsia")
    out, count = [], 0
    for drawing in browser.evaluate(PLACES):
        clip = {k: drawing[k] for k in ("x", "y", "width", "height")}
        shot = {"format": "png", "captureBeyondViewport": True, "optimizeForSpeed": True, "clip": {**clip, "scale": 1}}
        png = browser.ask("Page.captureScreenshot", **shot)["data"]
        rows = pixels(base64.b64decode(png))
        parts = [p for p in drawing["parts"] if p["kind"] not in ("gap", "halo", "mark")]
        looks = {}
        for part in parts:
            looks.setdefault(part["kind"], look(rows, part))
        kinds = sorted(looks)
        for i, a in enumerate(kinds):  # any two of a drawing, not only neighbours
            for b in kinds[i + 1 :]:
                count += 1
                if not differ(looks[a], looks[b]):
                    out.append(f"{drawing['kind']}: {a} and {b} look the same: {looks[a]} {looks[b]}")
    browser.ask("Emulation.setEmulatedVisionDeficiency", type="none")
    return out, count
