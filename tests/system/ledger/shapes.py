#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reports as they are really sent, and as nobody should: each shape with the right answer by RFC 9990, 7489, 8460 and the reader's manual.
Each is read within 64 MB of memory.

    shapes.py BUILD FOLDER [WORDS]     WORDS: only shapes whose name holds them, and none that is made to be large"""
import base64
import gzip
import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
import shapes_of_senders
from shapes_made import BEGIN, HTML, TEXT, mail, nested, packed, part, row, tls, xml, zipped

BUILD, SPACE = sys.argv[1:3]
ONLY = sys.argv[3] if len(sys.argv) > 3 else None
ASSAY = BUILD + '/assay'
X, G = xml, lambda *a, **k: gzip.compress(xml(*a, **k))
one = [('taken', 1, 7)]
old = xml()
# name, octets, [(state, rows, count)] that are taken, how many are named as unread, words that stand in the complaint
SHAPES = [
    ('plain', X(), one, 0, ''),
    ('BOM', b'\xef\xbb\xbf' + X(), one, 0, ''),
    ('BOM and blanks', b'\xef\xbb\xbf\n  ' + X(), one, 0, ''),
    ('UTF-16 little', X().decode().encode('utf-16'), one, 0, ''),
    ('UTF-16 big', b'\xfe\xff' + X().decode().encode('utf-16-be'), one, 0, ''),
    ('UTF-16 without BOM', X().decode().encode('utf-16-le'), one, 0, ''),
    ('gzip', G(), one, 0, ''),
    ('gzip of two members', gzip.compress((t := X())[:300]) + gzip.compress(t[300:]), one, 0, ''),
    ('gzip in gzip', gzip.compress(G()), one, 0, ''),
    ('zip', zipped(('r.xml', X())), one, 0, ''),
    ('zip, folder and readme first', zipped(('d/', b''), ('d/README.txt', b'see the other'), ('d/r.xml', X())), one, 0, ''),
    ('zip, stored', zipped(('r.xml', X()), method=zipfile.ZIP_STORED), one, 0, ''),
    ('zip, stored with descriptor', zipped(('r.xml', X()), method=zipfile.ZIP_STORED, stream=True), one, 0, ''),
    ('zip, deflated with descriptor', zipped(('r.xml', X()), stream=True), one, 0, ''),
    ('gzip in zip', zipped(('r.xml.gz', G())), one, 0, ''),
    ('zip of three', zipped(('1.xml', X()), ('2.xml', X()), ('3.xml', X())), one * 3, 0, ''),
    ('zip of one and a broken one', zipped(('1.xml', X()), ('2.xml', b'<feedback><report')), one, 1, '2.xml'),
    ('zip of nothing', zipped(('README', b'hello')), [], 1, 'no report is in the archive'),
    ('mail', mail(TEXT, part(G())), one, 0, ''),
    ('mail, XHTML first', mail(HTML, part(G())), one, 0, ''),
    ('mail, quoted-printable', mail(TEXT, part(X(), 'text/xml', 'quoted-printable', 'r.xml')), one, 0, ''),
    ('mail, 7bit', mail(TEXT, part(X(), 'text/xml', '7bit', 'r.xml')), one, 0, ''),
    ('mail, octet-stream', mail(part(G(), 'application/octet-stream')), one, 0, ''),
    ('mail without text', part(G()), one, 0, ''),
    ('mail with CRLF', mail(TEXT, part(G())).replace(b'\n', b'\r\n'), one, 0, ''),
    ('mail, two attachments', mail(TEXT, part(G()), part(G())), one * 2, 0, ''),
    ('mail, one good and one cut off', mail(TEXT, part(G()), part(G()[:150])), one, 1, 'cut off'),
    ('message/rfc822', mail(TEXT, b'Content-Type: message/rfc822\n\n' + mail(TEXT, part(G()))), one, 0, ''),
    ('alternative in mixed', mail(mail(TEXT, HTML, kind='multipart/alternative').split(b'MIME-Version: 1.0\n')[1].replace(b'=_b', b'=_c'),
                                  part(G())), one, 0, ''),
    ('nested three times', nested(3), one, 0, ''),
    ('nested too deep', nested(12), [], 1, ''),
    ('mail without a report', mail(TEXT), [], 1, 'no report'),
    ('mbox of three', b''.join(b'From r@x.example Thu Nov 19 00:00:00 2026\n' + mail(TEXT, part(G())) + b'\n' for _ in range(3)), one * 3,
     0, ''),
    ('mbox, one without', b'From r@x Thu Nov 19 00:00:00 2026\n' + mail(TEXT) + b'\nFrom r@x Thu\n' + mail(part(G())), one, 1, 'mail 1'),
    ('RFC 9990 namespace', X(feedback='<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">'), one, 0, ''),
    ('a prefix on every name', X(feedback='<ns:feedback xmlns:ns="urn:x">', tail='</ns:feedback>'), one, 0, ''),
    ('stray octet', X(org='Recei\udcffver'.encode('utf-8', 'surrogateescape').decode('latin-1')).replace(b'\xc3\xbf', b'\xff'), one, 0, ''),
    ('control octet', X(org='Rec\x01eiver'), one, 0, ''),
    ('raw &', X(org='Smith & Sons'), one, 0, ''),
    ('raw & and entities', X(org='A&B &amp; C &#38; D'), one, 0, ''),
    ('unclosed xs:schema', X(head='<xs:schema xmlns:xs="x">'), [('taken in part', 1, 7)], 0, ''),
    ('no org_name', X(org=None), one, 0, ''),
    ('empty org_name', X(org=''), one, 0, ''),
    ('no org_name, no email', X(org=None, email=''), [], 1, 'org_name'),
    ('no report_id', X(ident='', begin=BEGIN - 1), one, 0, ''),
    ('count 1,234', X([row('1,234'), row()]), [('taken in part', 1, 7)], 0, ''),
    ('no count', X([row(None), row('2')]), [('taken in part', 1, 2)], 0, ''),
    ('count 0', X([row('0')]), [], 1, 'count'),
    ('count -5', X([row('-5'), row()]), [('taken in part', 1, 7)], 0, ''),
    ('largest counts twice', X([row('9223372036854775807'), row('9223372036854775807'), row()]), [('taken in part', 1, 7)], 0, ''),
    ('a billion', X([row('1000000000')] * 3), [('taken', 3, 3000000000)], 0, ''),
    ('cut off behind a record', X([row(), row()])[:-len('</feedback>')], [('taken in part', 2, 14)], 0, ''),
    ('cut off in the second record', X([row(), row()])[:-150], [('taken in part', 1, 7)], 0, ''),
    ('cut off in the first record', X()[:-150], [], 1, 'well-formed in line'),
    ('milliseconds', X(begin=BEGIN * 1000, end=BEGIN * 1000 + 86399000), one, 0, ''),
    ('ISO dates', X(begin='2026-11-19T00:00:00Z', end='2026-11-19t23:59:59+00:00'), one, 0, ''),
    ('of 1970', X(begin=0, end=86399), [], 1, 'date_range'),
    ('of 58000', X(begin=BEGIN * 1000000, end=BEGIN * 1000000 + 1), [], 1, 'date_range'),
    ('no dates', X(begin='', end=''), [], 1, 'date_range'),
    ('ends before it begins', X(begin=BEGIN, end=BEGIN - 1), [], 1, 'date_range'),
    ('a repeat', old, one, 0, ''),
    ('a repeat, the second', old, [('was there', 1, 7)], 0, ''),
    ('a repeat, other capitals', old.replace(b'Receiver', b'RECEIVER'), [('was there', 1, 7)], 0, ''),
    ('the same id, another day', old.replace(str(BEGIN).encode(), str(BEGIN - 86400).encode()), one, 0, ''),
    ('about others', X(domain='elsewhere.example'), [('taken, about others', 1, 7)], 0, ''),
    ('DOCTYPE', X().replace(b'?>\n', b'?><!DOCTYPE f [<!ENTITY a "aaaa">]>\n', 1), [], 1, 'document type'),
    ('external entity', X(org='&x;').replace(b'?>\n', b'?><!DOCTYPE f [<!ENTITY x SYSTEM "file:///etc/passwd">]>\n', 1), [], 1,
     'document type'),
    ('deep', b'<feedback>' + b'<a>' * 200000, [], 1, 'deep'),
    ('many nodes', gzip.compress(X([row('1', more='<dkim/>' * 30000)] * 30)), [('taken', 30, 30)], 0, ''),
    ('a long text', X(org='x' * 100000), [], 1, 'longer than is read'),
    ('a bomb', packed(b'<feedback>', (b' ', 150 << 20)), [], 1, 'more than is read'),
    ('other XML', b'<?xml version="1.0"?><note/>', [], 1, ''),
    ('nothing', b'', [], 1, ''),
    ('rubbish', os.urandom(3000), [], 1, ''),
    ('TLS', tls(), [('taken', 2, 13)], 0, ''),
    ('TLS with BOM', b'\xef\xbb\xbf' + tls(), [('taken', 2, 13)], 0, ''),
    ('TLS, gzip in a mail', mail(part(gzip.compress(tls()), 'application/tlsrpt+gzip', name='r.json.gz')), [('taken', 2, 13)], 0, ''),
    ('TLS, details missing', tls('missing'), [('taken', 2, 13)], 0, ''),
    ('TLS, details null', tls(None), [('taken', 2, 13)], 0, ''),
    ('TLS, numbers as strings', tls([{'result-type': 'x', 'failed-session-count': '3'}], '10', '3'), [('taken', 2, 13)], 0, ''),
    ('TLS, largest numbers', tls('missing', 2**63 - 1, 3), [('taken in part', 1, 3)], 0, ''),
    ('TLS, a zone and small letters', tls(begin='2026-11-19t00:00:00+01:00', end='2026-11-19t23:59:59.5z'), [('taken', 2, 13)], 0, ''),
    ('TLS, no dates', tls(begin='', end='x'), [], 1, 'date-range'),
    ('TLS, a long array', b'{"policies":[' + b'[],' * 6000000 + b'0]}', [], 1, 'more policies than are read'),
    ('TLS, fractions and exponents', tls([{'result-type': 'x', 'failed-session-count': 3.5}], 10, 3), [('taken in part', 1, 10)], 0, ''),
    ('TLS, beyond all integers', tls('missing', 10**30, 3), [('taken in part', 1, 3)], 0, ''),
    ('TLS, one failure without its array', tls({'result-type': 'x', 'failed-session-count': 3}), [('taken', 2, 13)], 0, ''),
    ('TLS, escapes and a NUL', tls([{'result-type': 'a\0b\u202e', 'failed-session-count': 3}]), [('taken', 2, 13)], 0, ''),
    ('TLS, a comma too much', tls().replace(b'}]}', b'},]}', 1), [], 1, 'well-formed in line 1'),
    ('TLS, two values', tls() + b'{}', [], 1, 'well-formed'),
    ('TLS, an octet that is no UTF-8', tls().replace(b'Company', b'Comp\xffany'), [('taken', 2, 13)], 0, ''),
    ('TLS, head behind the policies', json.dumps(dict(reversed(json.loads(tls()).items()))).encode(), [('taken', 2, 13)], 0, ''),
    ('CDATA', X(org='<![CDATA[Smith & Sons]]>'), one, 0, ''),
    ('two reports in a file', X() + X()[39:], one * 2, 0, ''),
    ('a footer behind it', X() + b'\n-- \nsent by our firewall\n', one, 0, ''),
    ('blanks in fields', X([row(' 7 ', ' 192.0.2.1 ')]), one, 0, ''),
    ('counts in words', X([row('seven'), row('7')]), [('taken in part', 1, 7)], 0, ''),
    ('hexadecimal count', X([row('0x10'), row('7')]), [('taken in part', 1, 7)], 0, ''),
    ('NUL in a field', X(org='a\0b'), one, 0, ''),
    ('character reference of NUL', X(org='a&#0;b'), [], 1, 'well-formed'),
    ('an entity nobody declared', X(org='a&nbsp;b'), one, 0, ''),
    ('report metadata last', X().replace(b'<policy_published>', b'<policy_published><adkim>r</adkim>'), one, 0, ''),
    ('a domain in capitals with a dot', X(domain='EXAMPLE.ORG.'), one, 0, ''),
    ('no domain name', X(domain='exa mple'), [], 1, 'no domain name'),
    ('encrypted zip', zipped(('r.xml', X())).replace(b'PK\1\2\x14\x03\x14\0\0\0', b'PK\1\2\x14\x03\x14\0\1\0'), [], 1, 'encrypted'),
    ('zip cut off', zipped(('r.xml', X([row()] * 50)))[:-60], [('taken', 50, 350)], 0, ''),
    ('zip that names a file elsewhere', zipped(('../../etc/x.xml', X())), one, 0, ''),
    ('gzip with rubbish behind', G() + b'rubbish', one, 0, ''),
    ('mail with a boundary that does not end', mail(TEXT, part(G())).replace(b'--=_b--', b''), one, 0, ''),
    ('mail, name of the file encoded', mail(part(G(), name='=?utf-8?Q?r=2Exml=2Egz?=')), one, 0, ''),
    ('years ahead', X(begin=BEGIN + 86400 * 900, end=BEGIN + 86400 * 901), [], 1, 'date_range'),
    ('beyond 64 bits', X(begin='99999999999999999999999', end='99999999999999999999999'), [], 1, 'date_range'),
    ('of 2004', X(begin=1090000000, end=1090086399), [], 1, 'date_range'),
    ('29 February of no leap year', X(begin='2026-02-29T00:00:00Z', end='2026-02-29T23:59:59Z'), [], 1, 'date_range'),
    ('TLS, cut off', tls()[:-5], [], 1, 'line 1'),
    ('windows-1252', X(org='Stra\u00dfe \u20ac').decode().replace('UTF-8', 'windows-1252').encode('cp1252'), one, 0, ''),
    ('ISO-8859-1', X(org='Stra\u00dfe').decode().replace('UTF-8', 'ISO-8859-1').encode('latin-1'), one, 0, ''),
    ('no XML declaration', X().split(b'\n', 1)[1], one, 0, ''),
    ('RFC 9990 fields', X().replace(b'<p>reject</p>', b'<p>reject</p><sp>none</sp><np>reject</np><testing>n</testing><discovery_method>'
                                    b'treewalk</discovery_method>').replace(b'<report_metadata>', b'<version>1.0</version><report_metadata>'
                                                                            b'<generator>Receiver 2</generator>'), one, 0, ''),
    ('np, psd and t of a draft', X().replace(b'<p>reject</p>', b'<p>reject</p><np>none</np><psd>n</psd><t>y</t><fo>1:d</fo>'), one, 0, ''),
    ('extensions', X(head='<extension><x:y xmlns:x="urn:x">z</x:y></extension>'), one, 0, ''),
    ('policy_published twice', X(head='<policy_published><domain>example.org</domain><p>none</p></policy_published>'), one, 0, ''),
    ('base64 without padding', mail(TEXT, part(G()).rstrip(b'\n').rstrip(b'=') + b'\n'), one, 0, ''),
    ('a footer of a mailing list', mail(TEXT, part(G()), b'Content-Type: text/plain\n\n_____\nTo unsubscribe, write to us\n'), one, 0, ''),
    ('S/MIME, signed', mail(mail(TEXT, part(G())).split(b'MIME-Version: 1.0\n')[1].replace(b'=_b', b'=_c'),
                            part(os.urandom(900), 'application/pkcs7-signature', name='smime.p7s'), kind='multipart/signed'), one, 0, ''),
    ('zip with zeros behind', zipped(('r.xml', X())) + bytes(512), one, 0, ''),
    ('gzip with zeros behind', G() + bytes(512), one, 0, ''),
    ('name by RFC 2231', mail(part(G()).replace(b'name="a!b!1!2.xml.gz"', b"name*0*=utf-8''a%21b%211; name*1*=%212.xml.gz")), one, 0, ''),
    ('gzip named zip', mail(part(G(), 'application/zip', name='a!b!1!2.zip')), one, 0, ''),
    ('zip named gzip', mail(part(zipped(('r.xml', X())), 'application/gzip')), one, 0, ''),
    ('TLS, no policies', json.dumps(dict(json.loads(tls()), policies=[])).encode(), [], 1, ''),
    ('TLS, unknown fields', tls(extra={'a': [1, None]}), [('taken', 2, 13)], 0, ''),
    ('TLS, UTF-16', tls().decode().encode('utf-16'), [('taken', 2, 13)], 0, ''),
    ('TLS, in a zip', zipped(('r.json', tls())), [('taken', 2, 13)], 0, ''),
    ('TLS, negative', tls('missing', -1, 3), [('taken in part', 1, 3)], 0, ''),
]


MILLION = b'<record><row><count>1</count></row></record>' * 1000000
FAILURES = ','.join(['{"failed-session-count":1}'] * 1000000).encode()


def large():
    """What was made to be large: each within 64 MB and 20 s."""
    def around(*inner, end=True):
        head = X()
        at = head.index(b'<record>')
        return packed(head[:at], *inner, head[at:] if end else b'')

    yield 'a million rows', around(MILLION + b'</feedback>', end=False), [('taken', 1000000, 1000000)], 0, ''
    yield 'a row more', around(MILLION), [], 1, 'more records'
    yield '100 MB of one attribute', packed(b'<feedback a="', (b'x', 99 << 20)), [], 1, 'longer than is read'
    yield '99 MB of a comment', around(b'<!--', (b'x', 99 << 20), end=False), [], 1, ''
    yield '99 MB of text', around((b'x', 99 << 20), end=False), [], 1, ''
    yield '90 MB of blanks', packed((b' ', 90 << 20), X()), one, 0, ''
    names = '/><e'.join(map(str, range(4000000))).encode()
    yield 'millions of names', around(b'<e' + names + b'/>'), [], 1, 'names of elements'
    attributes = b' '.join(b'a%d=""' % n for n in range(90000))
    yield 'many attributes', around(b'<e ' + attributes + b'/>'), [], 1, ''
    yield 'nodes', around((b'<a/>', 5000000)), one, 0, ''
    yield 'deep', around((b'<a>', 30000000), end=False), [], 1, 'deep'
    heads = b'<report_metadata><org_name>' + b'o' * 900 + b'</org_name></report_metadata>'
    yield 'heads', around((heads, 90000)), one, 0, ''
    yield 'a bomb in a bomb', packed(packed(b'<feedback>', (b' ', 990 << 20))), [], 1, 'more than is read'
    before, behind = (text.encode('utf-16-le') for text in X(head='HERE').decode().split('HERE'))
    yield 'UTF-16', packed(b'\xff\xfe', before, (b' \0', 48 << 20), behind), one, 0, ''
    yield 'failures', packed(tls('HERE', 0).replace(b'"HERE"', b'[' + FAILURES + b']')), [('taken', 1000000, 1000000)], 0, ''
    yield 'JSON of millions', packed(b'{"policies":[],"x":[', (b'0,', 10000000), b'0]}'), [], 1, ''
    yield 'JSON, deep', packed(b'{"policies":', (b'[', 90 << 20)), [], 1, 'nested more deeply'
    yield 'JSON, one text', packed(b'{"policies":"', (b'x', 99 << 20), b'"}'), [], 1, ''
    yield 'zip of many', zipped(*((f'{n}.xml', b'<feedback>') for n in range(20000))), [], 10001, 'more parts'
    yield 'mbox of many', b'From x\nA:\n\n' * 5000000, [], 10001, 'more parts'
    yield 'mbox of a text that is full of "From "', b'From a@b\nA: b\n\n' + b'From now on\n' * 5000000, [], 1, 'mail 1'
    yield 'zips one behind the other', zipped(('a', b'x')) * 20000, [], 1, 'more parts'
    yield 'blanks in front of gzip', b' ' * (60 << 20) + G(), one, 0, ''
    yield 'XML declarations', packed(b'<feedback>', (b'<?xml version="1.0"?>', 4500000), b'</feedback>'), [], 1, 'missing'
    yield 'mail of many parts', mail(*[TEXT] * 200000), [], 1, 'more parts'
    head, tail = X(head='HERE').split(b'HERE')
    lines = base64.encodebytes(head.ljust(len(head) + -len(head) % 57)) + base64.encodebytes(b' ' * 57) * ((44 << 20) // 57)
    yield '60 MB of base64', mail(part(b'', 'text/xml', 'base64', 'r.xml') + lines + base64.encodebytes(tail)), one, 0, ''
    yield '60 MB of quoted-printable', mail(part(X(head='\n' * (55 << 20)), 'text/xml', '7bit', 'r.xml')), one, 0, ''
    yield '60 MB of header', b'Subject: ' + b'x' * (60 << 20) + b'\n' + mail(TEXT, part(G())), one, 0, ''
    yield '60 MB of header lines', b'X: y\n' * (12 << 20) + mail(TEXT, part(G())), one, 0, ''
    yield 'larger than is read', b'x' * (65 << 20), [], 1, 'larger than is read'


os.makedirs(SPACE, exist_ok=True)
policy = SPACE + '/policy'
with open(policy, 'w') as f:
    f.write(f'own domains example.org\nset ledger.store "{SPACE}/ledger.db"\n')
worst, slowest, wrong = 0, 0.0, []


def write_large():
    """By a process of its own: what a process took before it ran another program counts as that one's memory."""
    pid = os.fork()
    if pid == 0:
        index = []
        for number, (_, octets, *rest) in enumerate(large()):
            with open(f'{SPACE}/large{number}', 'wb') as f:
                f.write(octets)
            index.append([_, f'{SPACE}/large{number}', *rest])
        with open(SPACE + '/index', 'w') as f:
            json.dump(index, f)
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit('no large shapes')
    with open(SPACE + '/index') as f:
        return json.load(f)


WORST = [0]  # kB
# One small program between, for all shapes: it runs the reader with its output in files, and says its exit code and what the largest of it
# and its descendants had in memory. It stays small itself: what it has counts as the reader's until that is executed.
SHIM = '''
import os, sys
w = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
for line in sys.stdin:
    out, err, *command = line.rstrip("\\n").split("\\t")
    files = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
    files += [(os.POSIX_SPAWN_OPEN, n, name, w, 0o600) for n, name in ((1, out), (2, err))]
    _, status, used = os.wait4(os.posix_spawn(command[0], command, os.environ, file_actions=files), 0)
    print(os.waitstatus_to_exitcode(status), used.ru_maxrss, flush=True)
'''
shim = subprocess.Popen([sys.executable, '-S', '-E', '-c', SHIM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                        start_new_session=True)


def read_report(path):
    """Exit code, output, complaints, and kB of memory of `assay ledger read-report` with that file."""
    files = SPACE + '/out', SPACE + '/err'
    print(*files, ASSAY, 'ledger', 'read-report', '-P', policy, '--json', path, sep='\t', file=shim.stdin, flush=True)
    if not select.select([shim.stdout], [], [], 300)[0]:
        os.killpg(shim.pid, signal.SIGKILL)
        sys.exit(f'{path}: no end after 300 s')
    code, memory = map(int, shim.stdout.readline().split())
    texts = []
    for name in files:
        with open(name) as f:
            texts.append(f.read())
    return code, *texts, memory


def kept_row():
    """What the ledger has of the report that came last."""
    with sqlite3.connect(f'file:{SPACE}/ledger.db?mode=ro', uri=True) as db:
        return db.execute('SELECT w.source, w.result, w.dkim, w.spf, w.header_from, w.detail FROM report_in r JOIN report_in_row w '
                          'USING (kind, org, report_id, domain) ORDER BY r.taken DESC, w.row LIMIT 1').fetchone()


def try_shape(name, path, taken, unread, says, kept=None):
    began = time.time()
    code, out, err, memory = read_report(path)
    took = time.time() - began
    WORST[0] = max(WORST[0], memory)
    got = []
    for line in json.loads(out) if out.strip() else []:
        got.append((line['state'], line['rows'], line['count']))
        if not 2005 < int(line['begin'][:4]) < 2100:
            sys.exit(f'{name}: begins {line["begin"]}')
    complaints = [line for line in err.splitlines() if line.strip()]
    if got != taken or len(complaints) != unread or says not in err or code != (65 if unread else 0):
        wrong.append(f'{name}: {got}, not {taken}; exit {code}; {len(complaints)} complaints, not {unread}: {err[:400]}')
    elif kept and any(want is not None and want != found for want, found in zip(kept, kept_row())):
        wrong.append(f'{name}: kept as {kept_row()}, not {kept}')
    return took


SHAPES.extend(shapes_of_senders.shapes(sys.modules[__name__]))
LARGE = [] if ONLY is not None else write_large()
for name, octets, *rest in [shape for shape in SHAPES if ONLY is None or ONLY in shape[0]]:
    with open(SPACE + '/shape', 'wb') as f:
        f.write(octets)
    slowest = max(slowest, try_shape(name, SPACE + '/shape', *rest))
ASAN = 'asan' in BUILD  # counts memory otherwise
for shape in LARGE:
    took = try_shape(*shape[:2], [tuple(t) for t in shape[2]], *shape[3:])
    os.remove(shape[1])
    now = WORST[0]
    if os.environ.get('SHOW'):
        print(f'{shape[0]}: {took:.1f} s, at most {now // 1024} MB so far', flush=True)
    slowest, worst = max(slowest, took), max(worst, now)
shim.stdin.close()
if shim.wait(30) != 0:
    sys.exit('the small program between failed')
if worst > 64 * 1024 and not ASAN:
    wrong.append(f'{worst // 1024} MB of memory (64 are asked for)')
if wrong:
    sys.exit('\n'.join(wrong))
# Nothing that came in stops the questions.
done = subprocess.run([ASSAY, 'report', '-P', policy, '--json'], capture_output=True, text=True)
if done.returncode != 0:
    sys.exit('assay report: ' + done.stderr)

# A maildir: what was read is moved, and what is no report is named and moved too.
box = SPACE + '/box'
for sub in ('new', 'cur', 'tmp'):
    os.makedirs(f'{box}/{sub}')
for n in range(3):
    with open(f'{box}/new/{n}', 'wb') as f:
        f.write(mail(TEXT, part(G())) if n < 2 else mail(TEXT))
done = subprocess.run([ASSAY, 'ledger', 'read-report', '-P', policy, '--json', '--maildir', box], capture_output=True, text=True)
if done.returncode != 65 or len(json.loads(done.stdout)) != 2 or os.listdir(box + '/new') or len(os.listdir(box + '/cur')) != 3:
    sys.exit(f'maildir: exit {done.returncode}, {done.stdout}, {done.stderr}, {os.listdir(box + "/new")}')
print(f'{len(SHAPES)} shapes, each as it should be; at most {worst // 1024} MB and {slowest:.1f} s for one; a maildir')
