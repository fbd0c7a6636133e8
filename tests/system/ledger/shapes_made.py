# SPDX-License-Identifier: BSD-2-Clause
"""Reports and their wrappings, made: what shapes.py and shapes_met.py are built of. row() and xml() make a DMARC report of one record
with 7 mails, tls() an SMTP TLS report of 10 sessions that went well and 3 that failed; each has an identifier of its own."""
import base64
import gzip
import io
import json
import time
import zipfile
import zlib

NOW = int(time.time())
BEGIN = NOW // 86400 * 86400 - 86400
number = 0


def row(count='7', ip='192.0.2.1', more='', **field):
    return (f'<record><row><source_ip>{ip}</source_ip>' + (f'<count>{count}</count>' if count is not None else '') +
            '<policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row><identifiers>'
            f'<header_from>example.org</header_from></identifiers><auth_results>{more}<spf><domain>example.org</domain><result>pass'
            '</result></spf></auth_results></record>')


def xml(rows=None, org='Receiver', ident=None, begin=BEGIN, end=BEGIN + 86399, domain='example.org', head='', feedback='<feedback>',
        email='r@receiver.example', tail='</feedback>'):
    global number
    number += 1
    ident = f'id-{number}' if ident is None else ident
    return (f'<?xml version="1.0" encoding="UTF-8"?>\n{feedback}\n{head}<report_metadata>' +
            (f'<org_name>{org}</org_name>' if org is not None else '') + (f'<email>{email}</email>' if email else '') +
            (f'<report_id>{ident}</report_id>' if ident else '') +
            f'<date_range><begin>{begin}</begin><end>{end}</end></date_range></report_metadata>\n<policy_published><domain>{domain}'
            f'</domain><p>reject</p></policy_published>\n' + ''.join(f'{r}\n' for r in (rows or [row()])) + tail).encode()


def tls(details='x', good=10, bad=3, begin='2026-11-19T00:00:00Z', end='2026-11-19T23:59:59Z', **more):
    global number
    number += 1
    policy = {'policy': {'policy-type': 'sts', 'policy-domain': 'example.org'},
              'summary': {'total-successful-session-count': good, 'total-failure-session-count': bad}}
    if details == 'x':
        details = [{'result-type': 'certificate-expired', 'sending-mta-ip': '192.0.2.1', 'failed-session-count': 3}]
    if details != 'missing':
        policy['failure-details'] = details
    return json.dumps({'organization-name': 'Company', 'date-range': {'start-datetime': begin, 'end-datetime': end},
                       'contact-info': 'a@company.example', 'report-id': f'tls-{number}', 'policies': [policy], **more}).encode()


def part(body, kind='application/gzip', encoding='base64', name='a!b!1!2.xml.gz'):
    text = {'base64': lambda: base64.encodebytes(body), 'quoted-printable': lambda: qp(body), '7bit': lambda: body}[encoding]()
    return (f'Content-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: {encoding}\n\n').encode() + text


def qp(body):
    out, line = b'', b''
    for c in body:
        piece = bytes([c]) if c == 10 else b'=%02X' % c if c == 61 or c > 126 or c < 32 else bytes([c])
        if c != 10 and len(line) + len(piece) > 72:
            out, line = out + line + b'=\n', b''
        line += piece
        if c == 10:
            out, line = out + line, b''
    return out + line


def mail(*parts, kind='multipart/mixed'):
    text = f'From: r@receiver.example\nSubject: Report Domain: example.org\nMIME-Version: 1.0\nContent-Type: {kind}; boundary="=_b"\n\n'
    return text.encode() + b''.join(b'--=_b\n' + p + b'\n' for p in parts) + b'--=_b--\n'


TEXT = b'Content-Type: text/plain\n\nA report follows.\n'
HTML = b'Content-Type: text/html\n\n<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body>A report</body></html>\n'


def zipped(*files, method=zipfile.ZIP_DEFLATED, stream=False):
    out = io.BytesIO()

    class Pipe(io.RawIOBase):  # cannot seek: sizes go into a descriptor behind the data
        def writable(self):
            return True

        def write(self, b):
            return out.write(b)

    with zipfile.ZipFile(io.BufferedWriter(Pipe()) if stream else out, 'w', method) as z:
        for name, body in files:
            z.writestr(name, body)
    return out.getvalue()


def packed(*pieces):
    """Gzip of those pieces; (octets, n): n times these. They are compressed a megabyte at a time, and what repeats is compressed once."""
    out, crc, size = [b'\x1f\x8b\x08' + bytes(6) + b'\xff'], 0, 0
    for unit, times in ((p if isinstance(p, tuple) else (p, 1)) for p in pieces if p):
        at_once = max(1, (1 << 20) // len(unit))
        for block, n in ((unit * at_once, times // at_once), (unit * (times % at_once), 1)):
            if block and n:
                deflate = zlib.compressobj(1, zlib.DEFLATED, -15)
                out.append((deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)) * n)
                size += len(block) * n
                for _ in range(n):
                    crc = zlib.crc32(block, crc)
    return b''.join(out) + b'\x03\0' + crc.to_bytes(4, 'little') + (size % 2**32).to_bytes(4, 'little')


def nested(n):
    m = part(gzip.compress(xml()))
    for level in range(n):  # each boundary begins as the ones outside do
        m = b'Content-Type: message/rfc822\n\n' + mail(m).replace(b'=_b', b'=_b' + b'x' * (n - level))
    return mail(m)
