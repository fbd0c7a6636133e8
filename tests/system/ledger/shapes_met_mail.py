# SPDX-License-Identifier: BSD-2-Clause
"""How mail and archives carry reports: shapes() gives a name, octets, what is taken, how many are named as unread, words of the complaint,
and what is kept (shapes_met.py).

RFC 2045 to 2049, 2183, 2231, 5322 and 1952 say what is right; APPNOTE.TXT 6.3 of zip; POSIX ustar of tar."""
import base64
import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from shapes_made import HTML, TEXT, mail, part, qp, row, tls, xml, zipped

ONE = [('taken', 1, 7)]
TLS = [('taken', 2, 13)]
PLAIN = b'Content-Type: text/plain\n\n'


def packed(*a, **k):
    return gzip.compress(xml(*a, **k))


def fields(head, body):
    return b'From: r@receiver.example\nSubject: Report Domain: example.org\nMIME-Version: 1.0\n' + head + b'\n\n' + body


def inner(*parts, kind='multipart/mixed', boundary=b'=_c'):
    """A multipart that is a part of another."""
    return mail(*parts, kind=kind).split(b'MIME-Version: 1.0\n')[1].replace(b'=_b', boundary)


def raw_part(head, body):
    return head + b'\n\n' + body


def uuencoded(octets, name='r.xml.gz'):
    import binascii

    lines = [binascii.b2a_uu(octets[at : at + 45], backtick=True) for at in range(0, len(octets), 45)]
    return f'begin 644 {name}\n'.encode() + b''.join(lines) + b'`\nend\n'


def multipart():
    logo = raw_part(
        b'Content-Type: image/png; name="logo.png"\nContent-ID: <logo>\nContent-Transfer-Encoding: base64',
        base64.encodebytes(b'\x89PNG\r\n\x1a\n' + bytes(90)),
    )
    yield 'related in mixed, alternative in related', mail(
        inner(inner(TEXT, HTML, kind='multipart/alternative', boundary=b'=_d'), logo, kind='multipart/related'), part(packed())
    ), ONE, 0, '', {}
    yield 'blanks behind each boundary', mail(TEXT, part(packed())).replace(b'--=_b\n', b'--=_b \t \n').replace(
        b'--=_b--', b'--=_b-- '
    ), ONE, 0, '', {}
    mark = b"=_(a)'+_,-./:=? b"
    yield 'a boundary of every character that may be in one', mail(TEXT, part(packed())).replace(b'=_b', mark), ONE, 0, '', {}
    yield 'a boundary with a quoted pair', mail(TEXT, part(packed())).replace(b'boundary="=_b"', b'boundary="\\=\\_b"'), ONE, 0, '', {}
    yield 'a boundary in pieces (RFC 2231)', mail(TEXT, part(packed())).replace(
        b'boundary="=_b"', b'boundary*0="=_";\n boundary*1="b"'
    ), ONE, 0, '', {}
    yield 'a boundary with a character set (RFC 2231)', mail(TEXT, part(packed())).replace(
        b'boundary="=_b"', b"boundary*=us-ascii'en'%3D_b"
    ), ONE, 0, '', {}
    yield 'a comment in front of the type', mail(TEXT, part(packed())).replace(
        b'Content-Type: multipart', b'Content-Type: (made by us; boundary=no) multipart'
    ), ONE, 0, '', {}
    yield 'a comment between the type and its parameters', mail(TEXT, part(packed())).replace(
        b'mixed; boundary', b'mixed (one; boundary="no") ; boundary'
    ), ONE, 0, '', {}
    yield 'a parameter whose text names a boundary', mail(TEXT, part(packed())).replace(
        b'mixed; boundary', b'mixed; x="; boundary=no; y="; boundary'
    ), ONE, 0, '', {}
    yield 'a blank in front of the colon', mail(TEXT, part(packed())).replace(
        b'Content-Type: multipart', b'Content-Type : multipart'
    ).replace(b'Encoding: base64', b'Encoding \t: base64'), ONE, 0, '', {}
    yield 'a type on the next line', mail(TEXT, part(packed())).replace(b'Content-Type: ', b'Content-Type:\n\t'), ONE, 0, '', {}


def multipart_within_another():
    yield 'boundaries of inner and outer are one', mail(
        inner(TEXT, HTML, kind='multipart/alternative', boundary=b'=_b'), part(packed())
    ), ONE, 0, '', {}
    yield 'the end of an inner part is missing', mail(inner(TEXT, part(packed())).replace(b'--=_c--\n', b''), TEXT), ONE, 0, '', {}
    yield 'a report behind a closed multipart in the same mail', mail(TEXT).replace(
        b'--=_b--', b'--=_b--\n--=_b\n' + part(packed()) + b'--=_b--'
    ), ONE, 0, '', {}
    yield 'a multipart without a boundary', mail(part(packed())).replace(b'; boundary="=_b"', b''), [], 1, 'boundary', {}
    yield 'a boundary that is nowhere, in one of two mails', mail(
        b'Content-Type: message/rfc822\n\n' + mail(part(packed())).replace(b'"=_b"', b'"=_d"').replace(b'=_b', b'=_c'), part(packed())
    ), ONE, 1, 'boundary', {}
    yield 'a digest', mail(
        b'\n' + mail(TEXT, part(packed())).replace(b'=_b', b'=_c'),
        b'\n' + mail(part(packed())).replace(b'=_b', b'=_d'),
        kind='multipart/digest',
    ), ONE * 2, 0, '', {}
    yield 'no empty line in front of the octets', mail(TEXT, part(packed()).replace(b'base64\n\n', b'base64\n')), ONE, 0, '', {}
    yield 'a report in the preamble of no part', mail(part(packed())).replace(
        b'\n\n--=_b', b'\n\nThis is a mail in MIME format.\n\n--=_b', 1
    ), ONE, 0, '', {}


def signed_and_encrypted():
    yield 'signed by OpenPGP', mail(
        inner(TEXT, part(packed())),
        b'Content-Type: application/pgp-signature; name="signature.asc"\n\n'
        b'-----BEGIN PGP SIGNATURE-----\n\niQEzBAEBCAAdFiEE\n-----END PGP SIGNATURE-----\n',
        kind='multipart/signed',
    ), ONE, 0, '', {}
    yield 'a signature of the attachment beside it', mail(
        part(packed()),
        b'Content-Type: application/pgp-signature\nContent-Disposition: '
        b'attachment; filename="r.xml.gz.sig"\nContent-Transfer-Encoding: base64\n\niQEz\n',
    ), ONE, 0, '', {}
    yield 'encrypted by OpenPGP as a text', fields(
        b'Content-Type: text/plain', b'-----BEGIN PGP MESSAGE-----\n\nhQEMA9\n' b'-----END PGP MESSAGE-----\n'
    ), [], 1, 'OpenPGP', {}
    yield 'S/MIME as octets, by its name', mail(
        part(b'\x30\x80\x06\x09' * 99, 'application/octet-stream', name='smime.p7m')
    ), [], 1, 'S/MIME', {}
    yield 'a part of a mail that was split', fields(
        b'Content-Type: message/partial; id="a@b"; number=1; total=2',
        mail(part(packed([row(ip=f'192.0.2.{n}') for n in range(200)])))[:1500],
    ), [], 1, 'split', {}


def encodings():
    yield 'binary', mail(
        raw_part(b'Content-Type: application/gzip; name="r.gz"\nContent-Transfer-Encoding: binary', packed())
    ), ONE, 0, '', {}
    yield 'octets without any encoding', mail(
        raw_part(b'Content-Type: application/zip; name="r.zip"', zipped(('r.xml', xml())))
    ), ONE, 0, '', {}
    yield 'gzip in quoted-printable', mail(part(packed(), 'application/gzip', 'quoted-printable')), ONE, 0, '', {}
    yield 'quoted-printable in small letters', mail(
        part(xml(), 'text/xml', 'quoted-printable', 'r.xml').replace(b'=3D', b'=3d')
    ), ONE, 0, '', {}
    quoted = mail(part(xml(), 'text/xml', 'quoted-printable', 'r.xml'))
    yield 'CRCRLF', quoted.replace(b'\n', b'\r\r\n'), ONE, 0, '', {}
    yield 'CRCRLF and base64', mail(TEXT, part(packed())).replace(b'\n', b'\r\r\n'), ONE, 0, '', {}
    head, _, body = mail(TEXT, part(packed())).partition(b'\n\n')
    yield 'a head with CRLF, a body with LF', head.replace(b'\n', b'\r\n') + b'\r\n\r\n' + body, ONE, 0, '', {}
    yield 'a head with LF, a body with CRLF', (lambda h, _, b: h + b'\n\n' + b.replace(b'\n', b'\r\n'))(
        *mail(TEXT, part(packed())).partition(b'\n\n')
    ), ONE, 0, '', {}
    big = packed([row(ip=f'192.0.2.{n}', count=str(n)) for n in range(1, 255)])
    yield 'base64 on one line', mail(
        raw_part(b'Content-Type: application/gzip\nContent-Transfer-Encoding: base64', base64.b64encode(big))
    ), [('taken', 254, 32385)], 0, '', {}
    yield 'base64 with an empty line behind each', mail(
        part(packed()).replace(b'\n\n', b'@', 1).replace(b'\n', b'\n\n').replace(b'\n\nContent', b'\nContent').replace(b'@', b'\n\n')
    ), ONE, 0, '', {}
    text = base64.encodebytes(packed())
    yield 'base64 quoted in a reply', mail(
        raw_part(b'Content-Type: application/gzip\nContent-Transfer-Encoding: base64', b'> ' + text.replace(b'\n', b'\n> '))
    ), ONE, 0, '', {}
    footer = (
        b'_______________________________________________\nReports mailing list\nReports@lists.example\nhttps://lists.example/reports\n'
    )
    yield 'a footer of a list behind base64 of gzip', mail(part(packed()) + footer), ONE, 0, '', {}
    report = tls()
    report += b' ' * (-len(report) % 3)  # so that nothing pads it
    yield 'a footer of a list behind base64 of JSON', mail(
        part(report, 'application/tlsrpt+json', name='r.json') + footer
    ), TLS, 0, '', {}
    report = tls()
    report += b' ' * (-len(report) % 3)
    yield 'an advertisement behind base64 of JSON', mail(
        part(report, 'application/tlsrpt+json', name='r.json') + b'\n-- \nScanned by a gateway\n'
    ), TLS, 0, '', {}
    pieces = packed([row(ip=f'192.0.2.{n}') for n in range(1, 40)])
    yield 'base64 that was padded in pieces', mail(
        raw_part(
            b'Content-Type: application/gzip\nContent-Transfer-Encoding: base64',
            b''.join(base64.b64encode(pieces[at : at + 50]) + b'\n' for at in range(0, len(pieces), 50)),
        )
    ), [('taken', 39, 273)], 0, '', {}
    yield 'an encoding in quotes', mail(part(packed())).replace(b'Encoding: base64', b'Encoding: "base64"'), ONE, 0, '', {}
    yield 'uuencode in a part', mail(
        raw_part(b'Content-Type: application/gzip; name="r.xml.gz"\nContent-Transfer-Encoding: x-uuencode', uuencoded(packed()))
    ), [], 1, 'x-uuencode', {}
    yield 'uuencode in a text', fields(b'Content-Type: text/plain', b'The report:\n\n' + uuencoded(packed())), [], 1, 'uuencode', {}
    yield 'yEnc', fields(b'Content-Type: text/plain', b'=ybegin line=128 size=9 name=r.xml.gz\nxxxx\n=yend size=9\n'), [], 1, '', {}
    yield 'XML behind words', fields(b'Content-Type: text/plain', b'Hello,\nthis is the report:\n\n' + xml()), ONE, 0, '', {}
    yield 'JSON behind words', fields(b'Content-Type: text/plain', b'Hello,\nthis is the report:\n\n' + tls()), [], 1, '', {}


SEVEN_ZIP = b'7z\xbc\xaf\x27\x1c\0\4' + bytes(300)


def names():
    yield 'a name in pieces (RFC 2231) of what is not read', mail(
        TEXT,
        part(packed()),
        raw_part(
            b"Content-Type: application/octet-stream\nContent-Disposition: attachment;\n "
            b"filename*0*=utf-8''second%2Exm;\n filename*1=l.7z\n"
            b'Content-Transfer-Encoding: base64',
            base64.encodebytes(SEVEN_ZIP),
        ),
    ), ONE, 1, 'second.xml.7z', {}
    yield 'a broken report, its name by RFC 2231', mail(
        raw_part(
            b"Content-Type: application/octet-stream\nContent-Disposition: attachment; filename*=iso-8859-1'de'bericht%2Exml\n"
            b'Content-Transfer-Encoding: base64',
            base64.encodebytes(b'nothing'),
        )
    ), [], 1, 'bericht.xml', {}
    yield 'a broken report, its name in encoded words', mail(
        TEXT,
        part(packed()),
        raw_part(
            b'Content-Type: application/octet-stream\nContent-Disposition: attachment;\n filename="=?utf-8?B?'
            + base64.b64encode(b'second.xml')
            + b'?="\nContent-Transfer-Encoding: base64',
            base64.encodebytes(b'nothing'),
        ),
    ), ONE, 1, 'second.xml', {}
    yield 'a broken report, its name in encoded words by Q', mail(
        TEXT,
        part(packed()),
        raw_part(
            b'Content-Type: application/octet-stream;\n name="=?iso-8859-1?Q?second_?=\n '
            b'=?iso-8859-1?Q?one=2Ezip?="\nContent-Transfer-Encoding: '
            b'base64',
            base64.encodebytes(b'nothing'),
        ),
    ), ONE, 1, 'second one.zip', {}
    yield 'a name with a path and an escape', mail(
        part(b'nothing', 'application/octet-stream', name='C:\\\\r\\\\\x1b[2Jr.xml')
    ), [], 1, 'r.xml', {}
    yield 'a name with a quotation mark in it', mail(part(b'nothing', 'application/octet-stream', name='a\\"b.xml')), [], 1, 'a"b.xml', {}


def files_of_other_kinds():
    for magic, called, says in (
        (SEVEN_ZIP, 'r.7z', '7-Zip'),
        (b'Rar!\x1a\7\1\0' + bytes(90), 'r.rar', 'RAR'),
        (bz2.compress(xml()), 'r.xml.bz2', 'bzip2'),
        (lzma.compress(xml()), 'r.xml.xz', 'xz'),
        (b'\x28\xb5\x2f\xfd' + bytes(90), 'r.xml.zst', 'Zstandard'),
        (b'\x1f\x9d\x90' + bytes(90), 'r.xml.Z', 'compress'),
        (b'\x78\x9f\x3e\x22' + bytes(90), 'winmail.dat', 'winmail.dat'),
        (b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' + bytes(90), 'r.msg', 'Outlook'),
    ):
        yield f'{says}, beside one that is read', mail(
            TEXT, part(packed()), part(magic, 'application/octet-stream', name='x')
        ), ONE, 1, says, {}
        yield f'{says}, alone', magic, [], 1, says, {}
    yield 'a picture and a calendar beside it', mail(
        TEXT,
        part(packed()),
        part(b'GIF89a' + bytes(40), 'image/gif', name='a.gif'),
        raw_part(b'Content-Type: text/calendar', b'BEGIN:VCALENDAR\nEND:VCALENDAR\n'),
    ), ONE, 0, '', {}


def forwards():
    yield 'forwarded inline', mail(
        PLAIN + b'---------- Forwarded message ---------\nFrom: r@receiver.example\nSubject: Report domain: ' b'example.org\n\n\n',
        part(packed()),
    ), ONE, 0, '', {}
    yield 'forwarded as a file of octets', mail(
        TEXT, part(mail(TEXT, part(packed())).replace(b'=_b', b'=_c'), 'application/octet-stream', name='report.eml')
    ), ONE, 0, '', {}
    yield 'forwarded in quoted-printable', mail(
        TEXT,
        b'Content-Type: message/rfc822\nContent-Transfer-Encoding: quoted-printable\n\n'
        + qp(mail(TEXT, part(packed())).replace(b'=_b', b'=_c')),
    ), ONE, 0, '', {}
    yield 'redirected', b'Resent-From: a@example.org\nResent-To: b@example.org\nResent-Date: Thu, 19 Nov 2026 00:00:00 +0000\n' + mail(
        TEXT, part(packed())
    ), ONE, 0, '', {}
    yield 'From quoted by a mailbox, above the head', b'>From r@receiver.example Thu Nov 19 00:00:00 2026\n' + mail(
        TEXT, part(packed())
    ), ONE, 0, '', {}
    yield 'mbox of CRLF', (b'From r@x Thu Nov 19 00:00:00 2026\n' + mail(part(packed())) + b'\n').replace(
        b'\n', b'\r\n'
    ) * 1, ONE, 0, '', {}
    yield 'a report as a global message', mail(
        TEXT,
        b'Content-Type: message/global\nContent-Transfer-Encoding: base64\n\n'
        + base64.encodebytes(mail(part(packed())).replace(b'=_b', b'=_c')),
    ), ONE, 0, '', {}
    yield 'mails in a zip', zipped(('1.eml', mail(part(packed()))), ('2.eml', mail(part(packed())))), ONE * 2, 0, '', {}
    yield 'a mailbox in gzip', gzip.compress(
        b'From a@b Thu\n' + mail(part(packed())) + b'\nFrom a@b Thu\n' + mail(part(packed()))
    ), ONE * 2, 0, '', {}


def tarred(*files, kind=tarfile.USTAR_FORMAT):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=kind) as t:
        for name, body in files:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            t.addfile(info, io.BytesIO(body))
    return out.getvalue()


def gzip_with_all(body):
    """RFC 1952 2.3: FEXTRA, FNAME, FCOMMENT and FHCRC."""
    head = b'\x1f\x8b\x08\x1e' + bytes(5) + b'\x03' + struct.pack('<H', 6) + b'RA\2\0ab' + b'/var/tmp/../r.xml\0by us\0'
    return head + struct.pack('<H', zlib.crc32(head) & 0xFFFF) + gzip.compress(body)[10:]


def large_zip(name, body):
    """Every size and place is in the fields of zip64 (APPNOTE 4.3.14, 4.3.15, 4.5.3)."""
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = raw.compress(body) + raw.flush()
    size = struct.pack('<QQ', len(body), len(data))
    local = b'PK\3\4' + struct.pack('<HHHHHIIIHH', 45, 0, 8, 0, 0x21, zlib.crc32(body), 0xFFFFFFFF, 0xFFFFFFFF, len(name), 20) + name
    local += b'\1\0\x10\0' + size + data
    entry = (
        b'PK\1\2'
        + struct.pack(
            '<HHHHHHIIIHHHHHII', 45, 45, 0, 8, 0, 0x21, zlib.crc32(body), 0xFFFFFFFF, 0xFFFFFFFF, len(name), 28, 0, 0, 0, 0, 0xFFFFFFFF
        )
        + name
        + b'\1\0\x18\0'
        + size
        + struct.pack('<Q', 0)
    )
    end64 = b'PK\6\6' + struct.pack('<QHHIIQQQQ', 44, 45, 45, 0, 0, 1, 1, len(entry), len(local))
    place = b'PK\6\7' + struct.pack('<IQI', 0, len(local) + len(entry), 1)
    return local + entry + end64 + place + b'PK\5\6' + struct.pack('<HHHHIIH', 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)


def spoilt(archive, old, new):
    assert archive.count(old) == 1 and len(old) == len(new)
    return archive.replace(old, new)


def archives():
    yield 'gzip with extra field, name, comment and sum of its head', gzip_with_all(xml()), ONE, 0, '', {}
    yield 'gzip whose sum is wrong', packed()[:-8] + b'\0\1\2\3' + packed()[-4:], [], 1, 'compressed wrongly', {}
    yield 'two whole reports, one gzip behind the other', packed() + packed(), ONE * 2, 0, '', {}
    yield 'zlib instead of gzip', mail(part(zlib.compress(xml()))), ONE, 0, '', {}
    yield 'tar in gzip', gzip.compress(tarred(('./r.xml', xml()), ('./s.xml', xml()))), ONE * 2, 0, '', {}
    yield 'tar as GNU and with long names', tarred(('d/' * 80 + 'r.xml', xml()), kind=tarfile.GNU_FORMAT), ONE, 0, '', {}
    yield 'tar as POSIX (pax)', tarred(('d/' * 80 + '\u00e9.xml', xml()), kind=tarfile.PAX_FORMAT), ONE, 0, '', {}
    yield 'tar with a report and what is none', tarred(('README', b'hello'), ('r.xml.gz', packed())), ONE, 0, '', {}
    yield 'tar of nothing', gzip.compress(tarred(('README', b'hello'))), [], 1, 'no report is in the archive', {}
    yield 'tar cut off', tarred(('r.xml', xml()))[:700], [], 1, 'cut off', {}
    yield 'zip64 throughout', large_zip(b'r.xml', xml()), ONE, 0, '', {}
    body = xml()
    yield 'zip, stored, whose octets were damaged', spoilt(
        zipped(('r.xml', body), method=zipfile.ZIP_STORED), b'<count>7', b'<count>9'
    ), [], 1, 'damaged', {}
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w') as z:
        z.comment = b'PK\5\6' + bytes(18) + b'made by us'
        z.writestr('r.xml', xml())
    yield 'zip whose comment looks like an end', out.getvalue(), ONE, 0, '', {}
    yield 'zip by LZMA', zipped(('r.xml', xml()), method=zipfile.ZIP_LZMA), [], 1, 'packed in a way', {}
    yield 'zip, one file encrypted, one not', (lambda z: z[: z.rindex(b'PK\1\2') + 8] + b'\1' + z[z.rindex(b'PK\1\2') + 9 :])(
        zipped(('a.xml', xml()), ('b.xml', xml()))
    ), ONE, 1, 'b.xml: it is encrypted', {}
    yield 'zip of both kinds', zipped(('a/d.xml.gz', packed()), ('a\\t.json.gz', gzip.compress(tls()))), [
        ('taken', 1, 7),
        ('taken', 2, 13),
    ], 0, '', {}
    yield 'zip behind an empty line', mail(part(b'\r\n' + zipped(('r.xml', xml())), 'application/zip', name='r.zip')), ONE, 0, '', {}
    yield 'zip behind a stub', mail(part(b'MZ' + bytes(510) + zipped(('r.xml', xml())), 'application/zip', name='r.zip')), ONE, 0, '', {}
    yield 'zip cut off behind its second file', (lambda z: z[: z.index(b'PK\1\2')])(
        zipped(('a.xml', xml()), ('b.xml', xml()))
    ), ONE * 2, 0, '', {}
    packed_later = zipped(('r.xml', xml()), stream=True)
    yield 'zip with a descriptor, cut off behind it', packed_later[: packed_later.index(b'PK\1\2')], ONE, 0, '', {}
    sum_at = packed_later.index(b'PK\7\x08') + 4
    yield 'zip with a descriptor, cut off, damaged', packed_later[:sum_at] + b'\1\2\3\4' + packed_later[
        sum_at + 4 : packed_later.index(b'PK\1\2')
    ], [], 1, 'damaged', {}
    yield 'zip cut off within its second file', (lambda z: z[: z.index(b'PK\1\2') - 60])(
        zipped(('a.xml', xml()), ('b.xml', xml([row()] * 9)))
    ), ONE, 1, 'cut off', {}


def shapes():
    of_mail = (multipart, multipart_within_another, signed_and_encrypted, encodings, names, files_of_other_kinds, forwards)
    for of in (*of_mail, archives):
        yield from of()
