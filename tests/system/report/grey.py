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
    raw, before, rows = zlib.decompress(data), bytearray(width * step), []
    for y in range(height):
        line = bytearray(raw[y * (width * step + 1) + 1 : (y + 1) * (width * step + 1)])
        how = raw[y * (width * step + 1)]
        for i in range(len(line)):
            left, up = line[i - step] if i >= step else 0, before[i]
            corner = before[i - step] if i >= step else 0
            if how == 1:
                line[i] = (line[i] + left) & 255
            elif how == 2:
                line[i] = (line[i] + up) & 255
            elif how == 3:
                line[i] = (line[i] + (left + up) // 2) & 255
            elif how == 4:
                guess = left + up - corner
                near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
                line[i] = (line[i] + near) & 255
        rows.append([luminance(line[x * step : x * step + 3]) for x in range(width)])
        before = line
    return rows


def luminance(rgb):
    """WCAG's relative luminance."""
    parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


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
        png = browser.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip={**clip, "scale": 1})["data"]
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
