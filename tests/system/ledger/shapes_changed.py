#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each good shape of shapes_met.py with octets lost, doubled or swapped: none stops the reader or takes it 64 MB, and no number, date or
domain is silently another one.

    shapes_changed.py BUILD FOLDER [CHANGES]     CHANGES: how many in all (2000)

What is read of a changed shape is as it was, or something is named, or less is found; or the octets say so: another reader (expat and json
of Python, with the rules of RFC 9990 and RFC 8460) reads the same out of the text that was found, and no checksum (gzip, zip) was
between."""
import collections
import json
import os
import random
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from xml.parsers import expat
import shapes_met

BUILD, SPACE = sys.argv[1:3]
CHANGES = int(sys.argv[3]) if len(sys.argv) > 3 else 2000
MOST = 20000  # octets of a shape: larger ones would be most of the time
Report = collections.namedtuple('Report', 'kind begin end domains counts')


def changed(octets, dice):
    """One to three changes, each of one to eight octets, anywhere or at a number, date or domain."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        n, at = dice.choice((1, 1, 1, 2, 4, 8)), dice.randrange(len(octets))
        places = [m.start() for m in re.finditer(rb'\d+<|: \d|example|begin|count', octets)] if dice.random() < 0.3 else []
        at = dice.choice(places) if places else at
        piece = octets[at : at + n]
        kind = dice.randrange(4)
        if kind == 0:
            piece = b''
        elif kind == 1:
            piece += piece
        elif kind == 2:
            piece = piece[::-1] if n > 1 else bytes([piece[0] ^ 1 << dice.randrange(8)])
        else:
            other = dice.randrange(len(octets))
            piece = octets[other : other + n]
        octets = octets[:at] + piece + octets[at + n :]
        if not octets:
            return b'\0'
    return octets


def read_all(inputs):
    """[(reports, texts, what is named)] of each input, and the memory in kB."""
    with open(SPACE + '/inputs', 'wb') as f:
        for octets in inputs:
            f.write(len(octets).to_bytes(4, 'little') + octets)
    with open(SPACE + '/inputs', 'rb') as f, open(SPACE + '/found', 'wb') as out, open(SPACE + '/said', 'wb') as said:
        rc = subprocess.run([BUILD + '/tests/report_walked'], stdin=f, stdout=out, stderr=said).returncode
    results, now, memory = [], ([], [], []), 0
    with open(SPACE + '/found', 'rb') as f:
        for line in f:
            word, _, rest = line.decode(errors='replace').rstrip('\n').partition(' ')
            if word == 'report':
                kind, begin, end, partial, size, domains, *counts = rest.split(' ')
                now[0].append(Report(int(kind), int(begin), int(end), domains, tuple(sorted(map(int, counts)))))
                now[1].append(f.read(int(size)))
                f.read(1)
                now[2].extend(['partial'] * int(partial))
            elif word == 'unread':
                now[2].append(rest)
            elif word == 'done':
                results.append(now)
                now = ([], [], [])
            elif word == 'memory':
                memory = int(rest)
    if rc != 0 or len(results) != len(inputs):
        with open(SPACE + '/said') as f:
            sys.exit(f'input {len(results)} ended the reader ({rc}): {inputs[len(results)][:2000]!r}\n{f.read()[:3000]}')
    return results, memory


def only(element, name):
    """The text of the only child of that name."""
    some = [child for child in element if child.tag.rpartition(':')[2] == name]
    if len({(child.text or '').strip() for child in some}) != 1 or any(len(child) for child in some):
        raise ValueError(name)
    return (some[0].text or '').strip()


def child(element, *names):
    return next(c for c in element if c.tag.rpartition(':')[2] in names)


def canonical(domain):
    name = domain.rstrip('.').lower()
    return name if name.isascii() else name.encode('idna').decode()


def number(text, least=1):
    if not re.fullmatch(r'\+?[0-9]{1,17}', text) or not least <= int(text) <= 10**9:
        raise ValueError(text)
    return int(text)


def seconds(text, last=False):
    """As RFC 9990 has them, or as RFC 3339 has times."""
    import datetime

    if re.fullmatch(r'\d+(\.\d*)?', text):
        n = int(text.partition('.')[0])
        return n // 1000 if n >= 10**11 else n
    if re.fullmatch(r'\d{4}-\d\d-\d\d', text):
        text += 'T23:59:59' if last else 'T00:00:00'
    text = re.sub(r' ?(UTC|GMT|Z)$', '+0000', text, flags=re.I)
    m = re.fullmatch(r'(\d{4}-\d\d-\d\d).(\d\d:\d\d:\d\d)(?:\.\d*)? ?([+-]\d\d):?(\d\d)', text) or re.fullmatch(
        r'(\d{4}-\d\d-\d\d).(\d\d:\d\d:\d\d)(?:\.\d*)?()()', text
    )
    return int(datetime.datetime.strptime(f'{m[1]} {m[2]} {m[3] or "+00"}{m[4] or "00"}', '%Y-%m-%d %H:%M:%S %z').timestamp())


def latin(octets):
    """An octet that is no UTF-8 is windows-1252 where that is declared."""
    try:
        octets.decode()
        return octets
    except UnicodeError:
        return octets.decode('cp1252', 'replace').encode()


def made_good(text):
    """As the reader's contract says: UTF-8 whatever is declared; what may not be in XML, and an "&" that begins no entity, is replaced; an
    XML declaration is an instruction wherever it is."""
    declared = re.match(rb'<\?xml[^>]*(iso[-_]?8859-1["\']|windows-1252|cp1252|latin-?1)', text[:256], re.I)
    text = re.sub(rb'<\?xml(?=[\s?])', b'<?_', text, flags=re.I)
    text = re.sub(rb'[\x80-\xff]+', lambda m: latin(m[0]), text) if declared else text
    text = text.decode('utf-8', 'replace')
    return re.sub(
        '&(?!(amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});)',
        '&amp;',
        re.sub('[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]', '\ufffd', text),
    )


def tree(text):
    """Name spaces are not looked at: many senders have prefixes that nobody declared."""
    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate('utf-8')
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = builder.start, builder.end, builder.data
    parser.Parse(text.encode(errors='replace'), True)
    return builder.close()


def records(element):
    """Those in an element of somebody's own, too; not those of RFC 9990's extensions, nor in a head."""
    for one in element:
        name = one.tag.rpartition(':')[2]
        if name == 'record':
            yield one
        elif name not in ('extension', 'report_metadata', 'policy_published'):
            yield from records(one)


def by_expat(text):
    root = tree(made_good(text))
    dates = child([part for head in root if head.tag.rpartition(':')[2] == 'report_metadata' for part in head], 'date_range')
    counts = [number(only(child(record, 'row'), 'count')) for record in records(root)]
    return Report(
        0,
        seconds(only(dates, 'begin')),
        seconds(only(dates, 'end'), True),
        canonical(only(child(root, 'policy_published'), 'domain')),
        tuple(sorted(counts)),
    )


def no_doubles(pairs):
    """No name twice with different values; "x" is a member that no reader asks for."""
    members = {}
    for key, value in pairs:
        if key in members and members[key] != value and key != 'x':
            raise ValueError(key)
        members[key] = value
    return members


def session_count(of, key):
    value = of.get(key)
    return 0 if value is None else number(str(value).strip(), 0) if not isinstance(value, float) else int(value)


def by_json(text):
    report = json.loads(text.decode('utf-8', 'replace'), object_pairs_hook=no_doubles)
    domains, counts = [], []
    policies = report['policies']
    for policy in policies if isinstance(policies, list) else [policies]:
        domains.append(canonical(policy['policy']['policy-domain'].strip()))
        summary, failures = policy.get('summary') or {}, policy.get('failure-details') or []
        failures = failures if isinstance(failures, list) else [failures]
        counts.append(session_count(summary, 'total-successful-session-count'))
        failed = [session_count(f, 'failed-session-count') for f in failures]
        counts.extend(failed)
        if all(failed):
            counts.append(max(0, session_count(summary, 'total-failure-session-count') - sum(failed)))
    dates = report['date-range']
    return Report(
        1,
        seconds(str(dates['start-datetime']).strip()),
        seconds(str(dates['end-datetime']).strip(), True),
        ','.join(dict.fromkeys(domains)),
        tuple(sorted(n for n in counts if n)),
    )


def said_so(report, text):
    try:
        return (by_json if report.kind else by_expat)(text.lstrip(b'\xef\xbb\xbf \r\n\t')) == report
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration, SyntaxError, UnicodeError, OverflowError, expat.ExpatError):
        return False


def main():
    os.makedirs(SPACE, exist_ok=True)
    good = [shape for shape in shapes_met.SHAPES if shape[2] and len(shape[1]) < MOST]
    before, _ = read_all([shape[1] for shape in good])
    dice = random.Random(int(os.environ.get('SEED', 18)))
    chosen = [n % len(good) for n in range(CHANGES)]
    inputs = [changed(good[n][1], dice) for n in chosen]
    after, memory = read_all(inputs)
    tally, wrong = collections.Counter(), []
    for n, octets, (reports, texts, named) in zip(chosen, inputs, after):
        old, old_texts, _ = before[n]
        if named:
            tally['named'] += 1
        elif reports == old:
            tally['as before'] += 1
        elif all(report in old for report in reports):
            tally['less found'] += 1
            if os.environ.get('SHOW'):
                print(f'{good[n][0]}: less: {reports}, not {old}\n  {octets[:2500]!r}')
        elif all(report in old or (said_so(report, text)) for report, text in zip(reports, texts)):
            tally['as the octets say'] += 1
        else:
            wrong.append(f'{good[n][0]}: {reports}, not {old}\n  {octets[:3000]!r}')
        packed = b'\x1f\x8b' in good[n][1] or b'PK\3\4' in good[n][1] or b'H4sI' in good[n][1] or b'UEsD' in good[n][1]
        if packed and not named and any(report not in old for report in reports):
            wrong.append(f'{good[n][0]}, whose octets have a checksum: {reports}, not {old}\n  {octets[:3000]!r}')
    if wrong:
        sys.exit('\n'.join(wrong[:20]) + f'\n{len(wrong)} of {CHANGES} changed shapes were read as something else in silence')
    if memory > 64 << 10 and 'asan' not in BUILD:
        sys.exit(f'{memory >> 10} MB of memory')
    print(f'{CHANGES} changed shapes: {", ".join(f"{n} {what}" for what, n in sorted(tally.items()))}; at most {memory >> 10} MB')


main()
