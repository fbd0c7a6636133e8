# SPDX-License-Identifier: BSD-2-Clause
"""Archives and mails that are rarely met: shapes() gives what shapes_met.py asks for.

APPNOTE.TXT 6.3, RFC 1952, RFC 2045 to 2049, RFC 2231, RFC 3464, RFC 4155, RFC 6533 and RFC 8098 say what is right; and that whatever says
by its type or name that it is a report, and is none that can be read, is named."""
import base64
import gzip
import struct
import zlib
from shapes_made import TEXT, mail, part, row, xml, zipped
from shapes_met_mail import fields, inner, packed, raw_part, tarred, uuencoded

ONE = [('taken', 1, 7)]
FAILED = b'Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822;r@x.example\nAction: failed\nStatus: 5.1.1\n'
X = xml


def zip_entry(name, body, method=8, flags=0, extra=b'', crc=None, dirname=None, csize=None, usize=None):
    """One file of a zip: its octets, and its entry in the directory for the place where they stand."""
    deflate = zlib.compressobj(9, 8, -15)
    payload = deflate.compress(body) + deflate.flush() if method == 8 else body
    crc = zlib.crc32(body) if crc is None else crc
    cs = len(payload) if csize is None else csize
    us = len(body) if usize is None else usize
    if flags & 8:
        local = b'PK\3\4' + struct.pack('<HHHHHIIIHH', 20, flags, method, 0, 0x21, 0, 0, 0, len(name), 0) + name + payload
        local += b'PK\7\10' + struct.pack('<III', crc, cs, us)
    else:
        local = b'PK\3\4' + struct.pack('<HHHHHIIIHH', 20, flags, method, 0, 0x21, crc, cs, us, len(name), 0) + name + payload
    dn = name if dirname is None else dirname

    def entry(at):
        return (
            b'PK\1\2'
            + struct.pack('<HHHHHHIIIHHHHHII', 20, 20, flags, method, 0, 0x21, crc, cs, us, len(dn), len(extra), 0, 0, 0, 0, at)
            + dn
            + extra
        )

    return local, entry


def zip_of(*entries, prefix=b'', comment=b'', shift=0):
    out, d = prefix, b''
    for local, entry in entries:
        d += entry(len(out) - shift)
        out += local
    at = len(out) - shift
    return out + d + b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, len(entries), len(entries), len(d), at, len(comment)) + comment


def zip_files():
    yield (
        'zip, unicode path extra',
        zip_of(zip_entry(b'r?.xml', X(), extra=b'up' + struct.pack('<HBI', 9, 1, zlib.crc32(b'r?.xml')) + b'r.xm')),
        ONE,
        0,
        '',
        {},
    )
    yield ('zip, name in cp437', zip_of(zip_entry(b'r\x81\xff.xml', X())), ONE, 0, '', {})
    yield ('zip, name empty', zip_of(zip_entry(b'', X())), ONE, 0, '', {})
    yield ('zip, name with NUL', zip_of(zip_entry(b'a\x00.xml', X())), ONE, 0, '', {})
    yield (
        'zip, AES (method 99)',
        zip_of(zip_entry(b'r.xml', X(), method=99, flags=1, extra=b'\x01\x99\x07\x00\x02\x00AE\x03\x08\x00')),
        [],
        1,
        'encrypted',
        {},
    )
    yield ('zip, ZipCrypto', zip_of(zip_entry(b'r.xml', X(), flags=9)), [], 1, 'encrypted', {})
    yield ('zip, strong encryption with masked directory', zip_of(zip_entry(b'r.xml', X(), flags=1 | 64 | 8192)), [], 1, 'encrypted', {})
    yield ('zip, deflate64', zip_of(zip_entry(b'r.xml', X(), method=9)), [], 1, 'packed in a way', {})
    yield ('zip, shrink', zip_of(zip_entry(b'r.xml', X(), method=1)), [], 1, 'packed in a way', {})
    yield ('zip, zstd (93)', zip_of(zip_entry(b'r.xml', X(), method=93)), [], 1, 'packed in a way', {})
    yield ('zip, wrong crc in deflate', zip_of(zip_entry(b'r.xml', X(), crc=1234567)), [], 1, 'damaged', {})
    yield ('zip, crc 0 in directory, deflated', zip_of(zip_entry(b'r.xml', X(), crc=0)), [], 1, 'damaged', {})
    yield ('zip, crc 0 in directory, stored', zip_of(zip_entry(b'r.xml', X(), crc=0, method=0)), [], 1, 'damaged', {})
    yield ('zip, uncompressed size too small', zip_of(zip_entry(b'r.xml', X(), usize=10)), ONE, 0, '', {})
    yield ('zip, compressed size too small', zip_of(zip_entry(b'r.xml', X(), csize=50)), [], 1, '', {})
    yield ('zip, two entries one name', zip_of(zip_entry(b'r.xml', X()), zip_entry(b'r.xml', X())), ONE * 2, 0, '', {})
    yield ('zip, other name in directory', zip_of(zip_entry(b'r.xml', X(), dirname=b'readme.txt')), ONE, 0, '', {})
    yield ('zip, name of a folder with octets in it', zip_of(zip_entry(b'r.xml/', X())), [], 1, '', {})
    yield ('zip behind zip', zipped(('1.xml', X())) + zipped(('2.xml', X())), ONE * 2, 0, '', {})
    yield ('zip, offsets that count a prefix', zip_of(zip_entry(b'r.xml', X()), prefix=b'PK\x07\x08'), ONE, 0, '', {})
    yield ('zip, spanning marker PK00', zip_of(zip_entry(b'r.xml', X()), prefix=b'PK00'), ONE, 0, '', {})
    yield (
        'zip, one good, one with rubbish called .xml',
        zipped(('a.xml', X()), ('b.xml', b'\x93\x17\xa5\x00' * 50)),
        ONE,
        1,
        'b.xml',
        {},
    )
    yield (
        'zip, one good, one .xml.gz that is not gzip',
        zipped(('a.xml', X()), ('b.xml.gz', b'\x93\x17\xa5\x00' * 50)),
        ONE,
        1,
        'b.xml.gz',
        {},
    )


def zip_files_with_others():
    yield (
        'zip, one good, one json that is cut off before its keys',
        zipped(('a.xml', X()), ('b.json', b'{"organiz')),
        ONE,
        1,
        'b.json',
        {},
    )
    yield ('zip, one good, one empty .xml', zipped(('a.xml', X()), ('b.xml', b'')), ONE, 1, 'b.xml', {})
    yield (
        'zip, one good, __MACOSX',
        zipped(('a.xml', X()), ('__MACOSX/._a.xml', b'\x00\x05\x16\x07' * 9), ('.DS_Store', b'\x00\x00\x00\x01Bud1')),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'zip, one good, an xsd and a html',
        zipped(
            ('a.xml', X()),
            (
                'dmarc.xsd',
                b'<?xml version="1.0"?><xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="feedback"/></xs:schema>',
            ),
            ('x.html', b'<html><body>feedback</body></html>'),
        ),
        ONE,
        0,
        '',
        {},
    )
    yield ('tar, one good, one rubbish .xml', tarred(('a.xml', X()), ('b.xml', b'\x93\x17\xa5\x00' * 50)), ONE, 1, 'b.xml', {})
    yield ('empty zip', b'PK\x05\x06' + bytes(18), [], 1, '', {})
    yield ('zip with a comment of 60 kB', zip_of(zip_entry(b'r.xml', X()), comment=b'c' * 60000), ONE, 0, '', {})
    yield ('zip, directory only (entries gone)', (lambda z: z[z.index(b'PK\x01\x02') :])(zipped(('r.xml', X()))), [], 1, '', {})
    yield ('zip, first octets lost', zipped(('r.xml', X()))[10:], [], 1, '', {})
    yield (
        'zip, directory points behind the end',
        zip_of((zip_entry(b'r.xml', X())[0], lambda at: zip_entry(b'r.xml', X())[1](10**9))),
        [],
        1,
        'points to no file',
        {},
    )
    yield ('zip in gzip', gzip.compress(zipped(('r.xml', X()))), ONE, 0, '', {})
    yield (
        'mail in zip in mail',
        mail(part(zipped(('m.eml', mail(part(packed())).replace(b'=_b', b'=_q'))), 'application/zip', name='m.zip')),
        ONE,
        0,
        '',
        {},
    )
    yield ('gz: two members, second damaged', packed() + packed()[:60], [], 1, '', {})


def gzip_and_others():
    yield ('gz: 0 octets', gzip.compress(b''), [], 1, '', {})
    yield ('gz header only', gzip.compress(X())[:10], [], 1, '', {})
    yield ('gz: isize wrong', packed()[:-4] + b'\x01\x00\x00\x00', [], 1, '', {})
    yield ('gz: cut 4 octets', packed()[:-4], [], 1, 'cut off', {})
    yield ('gz: cut 1 octet', packed()[:-1], [], 1, 'cut off', {})
    yield ('gz: newline behind', packed() + b'\r\n', ONE, 0, '', {})
    yield ('gz behind a blank line', mail(part(b'\n' + packed())), ONE, 0, '', {})
    yield ('gz: reserved flag', b'\x1f\x8b\x08\xe0' + packed()[4:], [], 1, '', {})
    yield ('gz: method 7', b'\x1f\x8b\x07' + packed()[3:], [], 1, '', {})
    yield ('raw deflate', mail(part((lambda c, b: c.compress(b) + c.flush())(zlib.compressobj(9, 8, -15), X()))), [], 1, '', {})
    yield ('tar v7', (lambda t: t)(b''.join([b'r.xml'.ljust(100, b'\x00')])) + b'', [], 1, '', {})
    yield ('tar, sparse and links beside', tarred(('r.xml', X())), ONE, 0, '', {})
    yield ('cpio', b'070701' + b'0' * 104 + b'r.xml\x00' + X(), [], 1, '', {})
    yield ('cab', mail(part(b'MSCF' + bytes(99), 'application/vnd.ms-cab-compressed', name='r.cab'), TEXT), [], 1, '', {})
    yield (
        'a good one beside arj named .xml.arj',
        mail(part(packed()), part(b'`\xea' + bytes(80), 'application/octet-stream', name='r.xml.arj')),
        ONE,
        1,
        'r.xml.arj',
        {},
    )
    yield (
        'brotli by name .br',
        mail(part(packed()), part(b'\x0b\x80' + bytes(80), 'application/octet-stream', name='r.xml.br')),
        ONE,
        1,
        'r.xml.br',
        {},
    )
    yield ('tgz', mail(part(gzip.compress(tarred(('a.xml', X()))), 'application/x-gtar', name='r.tgz')), ONE, 0, '', {})
    yield ('broken tgz beside good', mail(part(packed()), part(b'rubbish of no kind', 'application/x-gzip', name='r')), ONE, 1, '', {})
    yield (
        'broken x-zip-compressed beside good',
        mail(part(packed()), part(b'rubbish of no kind', 'application/x-zip-compressed', name='r')),
        ONE,
        1,
        '',
        {},
    )
    yield (
        'broken text/xml without a name beside good',
        mail(part(packed()), raw_part(b'Content-Type: text/xml', b'rubbish of no kind')),
        ONE,
        1,
        '',
        {},
    )


def broken_beside_good():
    yield (
        'broken application/xml without a name beside good',
        mail(part(packed()), raw_part(b'Content-Type: application/xml', b'<fee')),
        ONE,
        1,
        '',
        {},
    )
    yield (
        'broken application/json without a name beside good',
        mail(part(packed()), raw_part(b'Content-Type: application/json', b'{"organ')),
        ONE,
        1,
        '',
        {},
    )
    yield ('empty attachment .xml.gz beside good', mail(part(packed()), part(b'')), ONE, 1, 'xml.gz', {})
    yield (
        'attachment removed by a virus scanner',
        mail(part(packed()), raw_part(b'Content-Type: text/plain; name="r.xml.gz.txt"', b'The attachment r.xml.gz was removed.')),
        ONE,
        1,
        '',
        {},
    )


def types():
    for label in (
        'application/octet-stream',
        'application/x-gzip',
        'application/gunzip',
        'application/x-gunzip',
        'application/x-compressed',
        'application/tar+gzip',
        'application/x-zip-compressed',
        'multipart/x-gzip',
        'text/xml+gzip',
        'application/xml+gzip',
        'image/png',
        'audio/x-wav',
        'x',
        '',
        '; name="x.xml.gz"',
        'application/pdf',
    ):
        yield (
            f"gz labelled {label or 'nothing'}",
            mail(TEXT, part(packed()).replace(b'application/gzip; name="a!b!1!2.xml.gz"', label.encode())),
            ONE if not label.startswith('multipart') else [],
            0 if not label.startswith('multipart') else 1,
            '',
            {},
        )
    yield ('two Content-Types', mail(TEXT, b'Content-Type: text/plain\n' + part(packed())), ONE, 0, '', {})
    yield ('two encodings, last right', mail(TEXT, b'Content-Transfer-Encoding: 7bit\n' + part(packed())), ONE, 0, '', {})
    yield ('base64 labelled 7bit', mail(TEXT, part(packed()).replace(b'Encoding: base64', b'Encoding: 7bit')), [], 1, 'xml.gz', {})
    yield (
        'base64 labelled quoted-printable',
        mail(TEXT, part(packed()).replace(b'Encoding: base64', b'Encoding: quoted-printable')),
        [],
        1,
        'xml.gz',
        {},
    )
    yield ('XML labelled base64', mail(TEXT, part(X(), 'text/xml', '7bit', 'r.xml').replace(b'7bit', b'base64')), [], 1, 'r.xml', {})
    yield (
        'base64, url-safe',
        mail(
            TEXT,
            raw_part(
                b'Content-Type: application/gzip; name="r.xml.gz"\nContent-Transfer-Encoding: base64',
                base64.urlsafe_b64encode(packed([row(ip=f'192.0.2.{n}') for n in range(99)])),
            ),
        ),
        [],
        1,
        'xml.gz',
        {},
    )
    yield ('base64, spaces at each line begin', mail(part(packed()).replace(b'\nH4s', b'\n  H4s')), ONE, 0, '', {})


def encodings_and_headers():
    yield (
        'base64, a blank line in the middle and tabs',
        mail(
            TEXT,
            raw_part(
                b'Content-Type: application/gzip\nContent-Transfer-Encoding: base64',
                b'\t' + base64.encodebytes(packed([row(ip=f'192.0.2.{n}') for n in range(39)])).replace(b'\n', b'\t\n\n'),
            ),
        ),
        [('taken', 39, 273)],
        0,
        '',
        {},
    )
    yield ('base64, NUL and ! in lines', mail(TEXT, part(packed()).replace(b'\nH4sI', b'\nH4!sI')), ONE, 0, '', {})
    yield ('base64, a letter lost', mail(TEXT, part(packed()).replace(b'\nH4sI', b'\nH4sI', 1)[:-20] + b'A\n'), [], 1, '', {})
    yield ('base64, =3D after gateway', mail(part(packed()).replace(b'==\n', b'=3D=3D\n').replace(b'=\n', b'=3D\n')), ONE, 0, '', {})
    yield (
        'base64-in-base64',
        mail(
            TEXT,
            raw_part(
                b'Content-Type: application/gzip; name="r.xml.gz"\nContent-Transfer-Encoding: base64',
                base64.encodebytes(base64.encodebytes(packed())),
            ),
        ),
        [],
        1,
        '',
        {},
    )
    yield ('quoted-printable, = at end of text', mail(part(X(), 'text/xml', 'quoted-printable', 'r.xml') + b'='), ONE, 0, '', {})
    yield (
        'quoted-printable soft break in a number',
        mail(part(X().replace(b'<count>7', b'<count>@7'), 'text/xml', 'quoted-printable', 'r.xml').replace(b'@', b'=\r\n')),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'quoted-printable illegal =ZZ',
        mail(part(X(org='a@b'), 'text/xml', 'quoted-printable', 'r.xml').replace(b'a@b', b'a=ZZb')),
        ONE,
        0,
        '',
        {'org': 'a=ZZb'},
    )
    yield ('mail: LF lines, NUL in header', b'X-A: \x00\n' + mail(TEXT, part(packed())), ONE, 0, '', {})
    yield ('mail: bare CR in header', b'X-A: a\rb\n' + mail(TEXT, part(packed())), ONE, 0, '', {})
    yield ('mail: header of 8 bit', 'Subject: Bücher\n'.encode('latin-1') + mail(TEXT, part(packed())), ONE, 0, '', {})
    yield ('mail: empty continuation', mail(TEXT, part(packed())).replace(b'MIME-Version', b'X: a\n \nMIME-Version'), ONE, 0, '', {})
    yield ('mail: BOM in front', b'\xef\xbb\xbf' + mail(TEXT, part(packed())), ONE, 0, '', {})
    yield ('mail: UTF-16', mail(TEXT, part(packed())).decode().encode('utf-16'), ONE, 0, '', {})
    yield ('mail: leading blank lines', b'\n\n' + mail(TEXT, part(packed())), ONE, 0, '', {})


def boundaries_and_kinds():
    yield ('mail: CR only', mail(TEXT, part(packed())).replace(b'\n', b'\r'), [], 1, '', {})
    yield ('mail: dots stuffed and a final dot', mail(TEXT, part(packed())) + b'.\n', ONE, 0, '', {})
    yield ('mail: x-unix-mode disposition, no name', mail(TEXT, b'Content-Disposition: attachment\n' + part(packed())), ONE, 0, '', {})
    yield ('mail: boundary empty, ""', mail(TEXT, part(packed())).replace(b'"=_b"', b'""'), [], 1, 'boundary', {})
    yield ('mail: boundary of 200', mail(TEXT, part(packed())).replace(b'=_b', b'x' * 200), ONE, 0, '', {})
    yield ('mail: boundary case differs', mail(TEXT, part(packed())).replace(b'boundary="=_b"', b'boundary="=_B"'), [], 1, 'boundary', {})
    yield ('mail: boundary with trailing blank in quotes', mail(TEXT, part(packed())).replace(b'"=_b"', b'"=_b "'), ONE, 0, '', {})
    yield ('alternative: report is one of the alternatives', mail(TEXT, part(packed()), kind='multipart/alternative'), ONE, 0, '', {})
    yield (
        'external-body',
        mail(
            TEXT,
            b'Content-Type: message/external-body; access-type=URL; URL="https://x.example/r.xml.gz"\n\n'
            b'Content-Type: application/gzip; name="r.xml.gz"\n\n',
        ),
        [],
        1,
        '',
        {},
    )
    yield (
        'appledouble',
        mail(
            inner(
                part(b'\x00\x05\x16\x07' + bytes(30), 'application/applefile', name='a.xml.gz'),
                part(packed()),
                kind='multipart/appledouble',
            )
        ),
        ONE,
        1,
        'a.xml.gz',
        {},
    )
    yield (
        'S/MIME clear, quoted CRLF',
        mail(
            inner(TEXT, part(packed())),
            part(b'0\x80', 'application/pkcs7-signature', name='smime.p7s'),
            kind='multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256',
        ).replace(b'\n', b'\r\n'),
        ONE,
        0,
        '',
        {},
    )


def about_another_mail():
    yield (
        'MDN (RFC 8098) with our report returned',
        mail(
            TEXT,
            b'Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;r@x.example\n'
            b'Disposition: automatic-action/MDN-sent-automatically; displayed\n',
            b'Content-Type: message/rfc822\n\n' + mail(part(packed(domain='elsewhere.example'))).replace(b'=_b', b'=_m'),
            kind='multipart/report; report-type=disposition-notification',
        ),
        [],
        1,
        '',
        {},
    )
    yield (
        'bounce in multipart/mixed',
        mail(
            TEXT,
            b'Content-Type: message/delivery-status\n\n' + FAILED,
            b'Content-Type: message/rfc822\n\n' + mail(part(packed(domain='elsewhere.example'))).replace(b'=_b', b'=_m'),
        ),
        [],
        0,
        '',
        {},
    )
    yield (
        'bounce, multipart/report without a type',
        mail(
            TEXT,
            b'Content-Type: message/delivery-status\n\n' + FAILED,
            b'Content-Type: message/rfc822\n\n' + mail(part(packed(domain='elsewhere.example'))).replace(b'=_b', b'=_m'),
            kind='multipart/report',
        ),
        [],
        0,
        '',
        {},
    )
    yield (
        'bounce, RFC 6533',
        mail(
            TEXT,
            b'Content-Type: message/global-delivery-status\n\n' + FAILED.replace(b'rfc822', b'utf-8'),
            b'Content-Type: message/global\n\n' + mail(part(packed(domain='elsewhere.example'))).replace(b'=_b', b'=_m'),
            kind='multipart/report; report-type=delivery-status',
        ),
        [],
        0,
        '',
        {},
    )


def words():
    yield (
        'bounce, status in base64',
        mail(
            TEXT,
            b'Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n'
            + base64.encodebytes(b'Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822;r@x.example\nAction: failed\nStatus: 5.1.1\n'),
            b'Content-Type: message/rfc822\n\nMessage-ID: <1@us.example>\n\nx\n',
            kind='multipart/report; report-type=delivery-status',
        ),
        [],
        1,
        'a bounce of no report',
        {},
    )
    yield (
        'auto-reply with the original inline (text)',
        fields(b'Content-Type: text/plain', b'I am away.\n\n> Report Domain: x\n> <feedback>\n> <x/>\n'),
        [],
        1,
        '',
        {},
    )
    yield (
        'format=flowed forward of XML',
        fields(b'Content-Type: text/plain; format=flowed', b'Hello,\n\n' + X().replace(b'><', b'> \n<')),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'HTML-only mail with a report in <pre>',
        fields(b'Content-Type: text/html', b'<html><pre>&lt;feedback&gt;</pre></html>'),
        [],
        1,
        '',
        {},
    )
    yield (
        'quoted XML (> before each line)',
        fields(b'Content-Type: text/plain', b'Hello\n\n> ' + X().replace(b'\n', b'\n> ')),
        [],
        1,
        '',
        {},
    )
    yield (
        'mbox: a line of the text begins "From "',
        b'From a@b Thu Nov 19 00:00:00 2026\n'
        + mail(raw_part(b'Content-Type: text/plain', b'Hello\nFrom now on we report daily.\n'), part(packed())),
        ONE,
        0,
        '',
        {},
    )


def mailboxes():
    yield (
        'mbox: >From in XML as 7bit',
        b'From a@b Thu Nov 19 00:00:00 2026\n'
        + mail(part(X(org='x').replace(b'<org_name>x', b'<org_name>\n>From us'), 'text/xml', '7bit', 'r.xml'))
        + b'\n',
        ONE,
        0,
        '',
        {},
    )
    yield (
        'mbox: CRLF with two',
        (
            b'From a@b Thu Nov 19 00:00:00 2026\n'
            + mail(part(packed()))
            + b'\nFrom a@b Thu Nov 19 00:00:00 2026\n'
            + mail(part(packed()))
            + b'\n'
        ).replace(b'\n', b'\r\n'),
        ONE * 2,
        0,
        '',
        {},
    )
    yield (
        'mbox: no blank line before the second From',
        b'From a@b Thu Nov 19 00:00:00 2026\n' + mail(part(packed())) + b'From a@b Thu Nov 19 00:00:01 2026\n' + mail(part(packed())),
        ONE * 2,
        0,
        '',
        {},
    )
    yield (
        'mbox: FROM_ of a mailbox with spaces and a zone',
        b'From "a b"@c  Thu Nov 19 00:00:00 +0100 2026\n' + mail(part(packed())),
        ONE,
        0,
        '',
        {},
    )
    yield ('mbox: empty lines first', b'\n\nFrom a@b Thu Nov 19 00:00:00 2026\n' + mail(part(packed())), ONE, 0, '', {})
    yield ('babyl/mmdf', b'\x01\x01\x01\x01\n' + mail(part(packed())) + b'\x01\x01\x01\x01\n', [], 1, '', {})
    yield (
        'maildir++ file with Received first',
        b'Return-Path: <>\nDelivered-To: x@y\nReceived: from a (b [192.0.2.1])\n'
        b'\tby c with ESMTP id 1\n\tfor <x@y>; Thu, 19 Nov 2026 00:00:00 +0000\n' + mail(TEXT, part(packed())),
        ONE,
        0,
        '',
        {},
    )


def names_and_forwards():
    yield (
        'name by RFC 2231 in another order',
        mail(part(packed()).replace(b'name="a!b!1!2.xml.gz"', b'name*1="l.gz"; name*0="r.xm"')),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'name with both forms',
        mail(part(packed()).replace(b'name="a!b!1!2.xml.gz"', b'name*=UTF-8\'\'b%2Exml.gz; name="=?x?="')),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'name RFC 2231 of a bad escape',
        mail(part(b'nothing', 'application/octet-stream', name='q').replace(b'name="q"', b"name*=UTF-8''b%ZZ%2Exml")),
        [],
        1,
        'xml',
        {},
    )
    yield (
        'forward of a forward (rfc822 x3) beside',
        mail(
            TEXT,
            b'Content-Type: message/rfc822\n\n'
            + b'From: a\nContent-Type: message/rfc822\n\n'
            + mail(part(packed())).replace(b'=_b', b'=_z'),
        ),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'message/rfc822 without empty header',
        mail(TEXT, b'Content-Type: message/rfc822\n\n\n' + b'Hello\n', part(packed())),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'Outlook: inline with uuencode',
        fields(b'Content-Type: text/plain', b'begin 644 r.xml.gz\n' + uuencoded(packed()).split(b'\n', 1)[1]),
        [],
        1,
        'uuencode',
        {},
    )


def shapes():
    for of in (
        zip_files,
        zip_files_with_others,
        gzip_and_others,
        broken_beside_good,
        types,
        encodings_and_headers,
        boundaries_and_kinds,
        about_another_mail,
        words,
        mailboxes,
        names_and_forwards,
    ):
        yield from of()
