# SPDX-License-Identifier: BSD-2-Clause
"""What large and small senders of reports do, by their kinds: shapes_of_senders.shapes(m), m being shapes.py with its functions.

Each has, as those of shapes.py: a name, octets, what is taken, how many are named as unread, words of the complaint; and here what is kept
of the first row: source, disposition or result, dkim, spf, header_from, detail (None: not asked).

RFC 7489 appendix C and RFC 9990 appendix A have results and dispositions in small letters; addresses and domains have one spelling each
(RFC 5952, RFC 5890), so that one host is one host whoever reports it."""
import base64
import gzip
import io
import json
import zipfile


def zip64(name, body):
    """As a packer writes that does not know the size before: sizes are in the entry's extra field (APPNOTE 4.5.3)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        with z.open(zipfile.ZipInfo(name), 'w', force_zip64=True) as f:
            f.write(body)
    octets = out.getvalue()
    at = octets.rindex(b'PK\1\2')
    packed, plain = octets[at + 20:at + 24], octets[at + 24:at + 28]
    extra = b'\x01\x00\x10\x00' + plain + bytes(4) + packed + bytes(4)
    entry = octets[at:at + 20] + b'\xff' * 8 + octets[at + 28:at + 30] + len(extra).to_bytes(2, 'little') + octets[at + 32:at + 46]
    name_length = int.from_bytes(octets[at + 28:at + 30], 'little')
    directory = entry + octets[at + 46:at + 46 + name_length] + extra
    end = octets[octets.rindex(b'PK\5\6'):]
    end = end[:12] + len(directory).to_bytes(4, 'little') + end[16:]
    return octets[:at] + directory + end


def wrapped(m, octets, fields, body=None):
    """A mail whose only part is that."""
    return f'From: r@receiver.example\nSubject: Report domain: example.org\nMIME-Version: 1.0\n{fields}\n\n'.encode() + \
        (base64.encodebytes(octets) if body is None else body)


def tls_policy(m, **of_policy):
    """A TLS report whose policy has these members instead."""
    report = json.loads(m.tls())
    report['policies'][0]['policy'].update(of_policy)
    return json.dumps(report).encode()


def tls_with(m, **members):
    report = json.loads(m.tls())
    report.update(members)
    return json.dumps({k: v for k, v in report.items() if v != 'MISSING'}).encode()


def google(m):
    """As Google writes it: indented, with pct and np."""
    return ('<?xml version="1.0" encoding="UTF-8" ?>\n<feedback>\n  <version>1.0</version>\n  <report_metadata>\n    <org_name>google.com'
            '</org_name>\n    <email>noreply-dmarc-support@google.com</email>\n    <extra_contact_info>https://support.google.com/a/'
            f'answer/2466580'
            f'</extra_contact_info>\n    <report_id>1234567890</report_id>\n    <date_range>\n      <begin>{m.BEGIN}</begin>\n'
            f'      <end>{m.BEGIN + 86399}</end>\n    </date_range>\n  </report_metadata>\n  <policy_published>\n    <domain>example.org'
            '</domain>\n    <adkim>r</adkim>\n    <aspf>r</aspf>\n    <p>reject</p>\n    <sp>reject</sp>\n    <pct>100</pct>\n    <np>'
            'reject</np>\n  </policy_published>\n  <record>\n    <row>\n      <source_ip>2001:db8::9</source_ip>\n      '
            '<count>2</count>\n'
            '      <policy_evaluated>\n        <disposition>none</disposition>\n        <dkim>pass</dkim>\n        <spf>pass</spf>\n'
            '      </policy_evaluated>\n    </row>\n    <identifiers>\n      <header_from>example.org</header_from>\n    </identifiers>\n'
            '    <auth_results>\n      <dkim>\n        <domain>example.org</domain>\n        <result>pass</result>\n        <selector>s1'
            '</selector>\n      </dkim>\n      <spf>\n        <domain>example.org</domain>\n        <result>pass</result>\n      </spf>\n'
            '    </auth_results>\n  </record>\n</feedback>\n').encode()


def dmarc(m):
    X, row, one = m.xml, m.row, [('taken', 1, 7)]

    microsoft = X(org='Enterprise Outlook', email='dmarcreport@microsoft.com',
                  feedback='<feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
                  head='<version>1.0</version>').replace(b'<identifiers>', b'<identifiers><envelope_to>rcpt.example</envelope_to>'
                                                         b'<envelope_from>example.org</envelope_from>')
    comcast = X(feedback='<feedback xmlns="http://dmarc.org/dmarc-xml/0.1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
                'xsi:schemaLocation="http://dmarc.org/dmarc-xml/0.1 rua.xsd">')
    yield 'Google: indented, pct and np', google(m), [('taken', 1, 2)], 0, '', ('2001:db8::9', 'none', 'pass', 'pass', 'example.org',
                                                                          'dkim=example.org/s1:pass spf=example.org:pass')
    yield 'Microsoft: schemas declared, envelope_to', microsoft, one, 0, '', None
    yield 'Comcast: schemaLocation', comcast, one, 0, '', None
    yield 'Mail.ru: the declaration in single quotes, standalone', X().replace(
        b'<?xml version="1.0" encoding="UTF-8"?>', b"<?xml version='1.0' encoding='utf-8' standalone='yes'?>"), one, 0, '', None
    yield 'XML 1.1', X().replace(b'version="1.0" enc', b'version="1.1" enc'), one, 0, '', None
    yield 'no empty line anywhere, no declaration', X().split(b'\n', 1)[1].replace(b'\n', b''), one, 0, '', None
    yield 'CR alone ends lines', X().replace(b'\n', b'\r'), one, 0, '', None
    yield 'comments everywhere', X().replace(b'<row>', b'<!-- a <row> & more --><row>').replace(
        b'<feedback>', b'<!-- made by rspamd --><feedback>').replace(b'<count>7', b'<count><!-- 3 -->7'), one, 0, '', None
    yield 'a style sheet', X().replace(
        b'?>\n', b'?>\n<?xml-stylesheet type="text/xsl" href="http://x.example/r.xsl"?>\n', 1), one, 0, '', None
    yield 'CDATA in every field', X([row('<![CDATA[7]]>', '<![CDATA[192.0.2.1]]>')], domain='<![CDATA[example.org]]>'), one, 0, '', (
        '192.0.2.1', 'none', 'pass', 'fail', 'example.org', None)
    yield 'two BOMs', b'\xef\xbb\xbf\xef\xbb\xbf' + X(), one, 0, '', None
    yield 'a document type without entities', X().replace(b'?>\n', b'?><!DOCTYPE feedback>\n', 1), [], 1, 'document type', None
    yield 'a document type of a DTD', X().replace(b'?>\n', b'?><!DOCTYPE feedback SYSTEM "http://dmarc.org/dmarc.dtd">\n', 1), [], 1, \
        'document type', None
    yield 'words in capitals', X().replace(b'<disposition>none', b'<disposition>None').replace(b'<dkim>pass', b'<dkim>PASS').replace(
        b'<spf>fail', b'<spf>Fail').replace(b'<result>pass', b'<result>Pass'), one, 0, '', (
            '192.0.2.1', 'none', 'pass', 'fail', 'example.org', 'spf=example.org:pass')
    yield 'From domain in capitals, with a dot', X().replace(b'<header_from>example.org', b'<header_from>Example.ORG.'), one, 0, '', (
        None, None, None, None, 'example.org', None)


def dmarc_results(m):
    X, one = m.xml, [('taken', 1, 7)]

    def auth(text):
        return X().replace(b'<auth_results><spf><domain>example.org</domain><result>pass</result></spf></auth_results>', text.encode())

    yield 'hardfail', auth('<auth_results><spf><domain>example.org</domain><result>hardfail</result></spf></auth_results>'), one, 0, '', (
        None, None, None, None, None, 'spf=example.org:hardfail')
    yield 'a result of nobody', auth('<auth_results><dkim><domain>d.example</domain><result>unknown</result><human_result>?'
                                     '</human_result></dkim></auth_results>'), one, 0, '', (
                                         None, None, None, None, None, 'dkim=d.example:unknown')
    yield 'empty auth_results', auth('<auth_results/>'), one, 0, '', (None, None, None, None, None, '')
    yield 'no auth_results', auth(''), one, 0, '', (None, None, None, None, None, '')
    yield 'auth_results whose domain is empty', auth(
        '<auth_results><spf><domain/><result>none</result></spf></auth_results>'), one, 0, '', (None, None, None, None, None, None)
    yield 'a reason with a comment', X().replace(b'</policy_evaluated>', b'<reason><type>local_policy</type><comment>arc=pass &amp; as[1]'
                                                b'</comment></reason></policy_evaluated>'), one, 0, '', (
                                                    None, None, None, None, None, 'spf=example.org:pass reason=local_policy')


def dmarc_addresses_and_dates(m):
    X, row, one = m.xml, m.row, [('taken', 1, 7)]

    def address(text):
        return X([row(ip=text)])

    yield 'IPv6 in capitals, not shortened', address('2001:0DB8:0000:0:0:0:0:0001'), one, 0, '', ('2001:db8::1',) + (None,) * 5
    yield 'IPv6 in brackets', address('[2001:db8::1]'), one, 0, '', ('2001:db8::1',) + (None,) * 5
    yield 'IPv4 as IPv6', address('::ffff:192.0.2.7'), one, 0, '', ('192.0.2.7',) + (None,) * 5
    yield 'IPv6 with a word before', address('IPv6:2001:db8::1'), one, 0, '', ('2001:db8::1',) + (None,) * 5
    yield 'no address', address('unknown'), one, 0, '', ('unknown',) + (None,) * 5
    yield 'days as dates', X(begin='2026-11-19', end='2026-11-19'), one, 0, '', None
    yield 'dates with a blank', X(begin='2026-11-19 00:00:00', end='2026-11-19 23:59:59'), one, 0, '', None
    yield 'dates with a zone without colon', X(begin='2026-11-19T00:00:00+0000', end='2026-11-19T23:59:59+0000'), one, 0, '', None
    yield 'seconds with a fraction', X(begin=f'{m.BEGIN}.0', end=f'{m.BEGIN + 86399}.999'), one, 0, '', None
    yield 'words for dates', X(begin='yesterday', end='today'), [], 1, 'date_range', None
    yield 'count with a fraction', X([row('7.5'), row()]), [('taken in part', 1, 7)], 0, '', None


def dmarc_extended_and_large(m):
    X, row, one = m.xml, m.row, [('taken', 1, 7)]
    yield 'RFC 9990: languages, errors, a generator', X(
        feedback='<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">', head='<version>1.0</version>').replace(
            b'<date_range>', b'<error lang="en">a record was too long</error><generator>Mail 4.1</generator><date_range>').replace(
                b'<p>reject</p>', b'<p>reject</p><discovery_method>psl</discovery_method><np>none</np><testing>y</testing><fo>1</fo>'
            ).replace(b'</record>', b'<ext:arc xmlns:ext="urn:x"><ext:count>99</ext:count></ext:arc></record>'), one, 0, '', None
    yield 'a domain of many letters', X(domain='b\u00fccher.example'), [('taken, about others', 1, 7)], 0, '', None
    yield 'windows-1252, kept as it is meant', X(org='Stra\u00dfe').decode().replace('UTF-8', 'windows-1252').encode('cp1252').replace(
        b'<header_from>example.org', b'<header_from>stra\xdfe.example'), one, 0, '', (
            None, None, None, None, 'xn--strae-oqa.example', None)
    yield 'ten megabytes', gzip.compress(X([row('1', f'192.0.{n >> 8 & 255}.{n & 255}') for n in range(29000)])), [
        ('taken', 29000, 29000)], 0, '', None


def wrappings(m):
    X, part, mail, one, G = m.xml, m.part, m.mail, [('taken', 1, 7)], lambda: gzip.compress(m.xml())
    twice = gzip.compress(gzip.compress(X()))
    yield 'zip64', zip64('r.xml', X()), one, 0, '', None
    yield 'gzip twice, in a mail', mail(part(twice)), one, 0, '', None
    yield 'zip of folders and several reports', m.zipped(
        ('2026/', b''), ('2026/11/', b''), ('2026/11/a.xml', X()), ('__MACOSX/._a.xml', b'\0\5\x16\7'),
        ('2026/11/b.xml', X())), one * 2, 0, '', None
    yield 'zip in zip', m.zipped(('a.zip', m.zipped(('r.xml', X())))), one, 0, '', None
    yield 'bzip2 in zip', m.zipped(('r.xml', X()), method=zipfile.ZIP_BZIP2), [], 1, 'packed in a way', None
    yield 'text/plain', mail(part(G(), 'text/plain')), one, 0, '', None
    yield 'x-gzip', mail(part(G(), 'application/x-gzip')), one, 0, '', None
    yield 'no type and no name', mail(b'Content-Transfer-Encoding: base64\n\n' + base64.encodebytes(G())), one, 0, '', None
    yield 'no extension', mail(part(G(), 'application/octet-stream', name='report')), one, 0, '', None
    yield 'the mail is the report', wrapped(m, G(), 'Content-Type: application/gzip\nContent-Transfer-Encoding: base64'), one, 0, '', None
    yield 'the mail is XML', wrapped(m, b'', 'Content-Type: text/xml', X()), one, 0, '', None
    yield 'BASE64 in capitals, a comment behind', wrapped(
        m, G(), 'Content-Type: APPLICATION/GZIP\nContent-Transfer-Encoding: BASE64 (of gzip)'), one, 0, '', None
    yield 'blanks around the sign of equality', mail(part(G())).replace(b'boundary="=_b"', b'boundary = "=_b"'), one, 0, '', None
    yield 'the boundary without quotes, on a line of its own', mail(part(G())).replace(
        b' boundary="=_b"', b'\n\tboundary==_b'), one, 0, '', None
    yield 'a field before it that names a boundary', mail(part(G())).replace(
        b'MIME-Version', b'X-Old: boundary="no"\nMIME-Version'), one, 0, '', None
    yield 'file name by RFC 2047 in two words', mail(part(
        G(), name='=?utf-8?B?cmVjZWl2ZXIh?=\n =?utf-8?B?ZXhhbXBsZS5vcmcueG1sLmd6?=')), one, 0, '', None
    yield 'multipart/mixed in multipart/mixed', mail(
        m.TEXT, mail(m.TEXT, part(G())).split(b'MIME-Version: 1.0\n')[1].replace(b'=_b', b'=_c')), one, 0, '', None
    yield 'quoted-printable with blanks at ends of lines', mail(
        part(X(), 'text/xml', 'quoted-printable', 'r.xml').replace(b'=\n', b'= \t\n')), one, 0, '', None
    yield 'a forwarded mail in base64', mail(b'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n' +
                                            base64.encodebytes(mail(m.TEXT, part(G())))), one, 0, '', None
    yield 'uuencode', mail(b'Content-Type: application/gzip; name="r.xml.gz"\nContent-Transfer-Encoding: x-uuencode\n\nbegin 644 r.xml.gz\n'
                           b'#86)C\n`\nend\n'), [], 1, 'x-uuencode', None
    yield 'S/MIME, opaque', wrapped(m, b'\x30\x80' * 400, 'Content-Type: application/pkcs7-mime; smime-type=signed-data; name="smime.p7m"\n'
                                    'Content-Transfer-Encoding: base64'), [], 1, 'S/MIME', None
    sealed = part(b'x' * 99, 'application/octet-stream', name='e.asc')
    yield 'OpenPGP', mail(b'Content-Type: application/pgp-encrypted\n\nVersion: 1\n', sealed, kind='multipart/encrypted'), [], 1, \
        'encrypted', None
    yield 'winmail.dat', mail(m.TEXT, part(b'\x78\x9f\x3e\x22' + bytes(900), 'application/ms-tnef', name='winmail.dat')), [], 1, '', None
    yield '7z', mail(m.TEXT, part(b'7z\xbc\xaf\x27\x1c' + bytes(300), 'application/x-7z-compressed', name='r.xml.7z')), [], 1, '', None
    yield 'an attachment of 10 MB', mail(m.TEXT, part(X(head=' ' * (10 << 20)), 'application/xml', 'base64', 'r.xml')), one, 0, '', None


def tls(m):
    T, good = m.tls, [('taken', 2, 13)]
    first = ('192.0.2.1', 'certificate-expired', '', '', 'example.org', None)
    details = [{'result-type': 'certificate-expired', 'sending-mta-ip': '192.0.2.1', 'receiving-mx-hostname': 'mx.example.org',
                'receiving-ip': '198.51.100.1', 'receiving-mx-helo': 'mx', 'failed-session-count': 3, 'additional-information': 'https://x',
                'failure-reason-code': 'X509'}]
    yield 'TLS, every member of RFC 8460', T(details), good, 0, '', (None, 'pass', '', '', 'example.org', 'sts')
    yield 'TLS, Google: policy-string and mx-host as arrays', tls_policy(m, **{'policy-string': ['version: STSv1', 'mode: enforce'],
                                                                              'mx-host': ['mx.example.org']}), good, 0, '', None
    yield 'TLS, policy-string and mx-host as texts', tls_policy(m, **{'policy-string': 'version: STSv1\r\nmode: enforce', 'mx-host':
                                                                     '*.example.org'}), good, 0, '', None
    yield 'TLS, policy-string null', tls_policy(m, **{'policy-string': None}), good, 0, '', None
    yield 'TLS, Microsoft: no-policy-found', tls_policy(m, **{'policy-type': 'no-policy-found'}), good, 0, '', (
        None, 'pass', None, None, None, 'no-policy-found')
    yield 'TLS, domain in capitals with a dot', tls_policy(m, **{'policy-domain': 'EXAMPLE.org.'}), good, 0, '', (
        None, 'pass', None, None, 'example.org', None)
    yield 'TLS, result in capitals', T([dict(details[0], **{'result-type': 'Certificate-Expired'})], 0), [('taken', 1, 3)], 0, '', first
    yield 'TLS, IPv4 as IPv6', T([dict(details[0], **{'sending-mta-ip': '::FFFF:192.0.2.1'})], 0), [('taken', 1, 3)], 0, '', first
    yield 'TLS, seconds for dates', tls_with(m, **{'date-range': {'start-datetime': m.BEGIN, 'end-datetime': m.BEGIN + 86399}}), good, 0, \
        '', None
    yield 'TLS, days for dates', T(begin='2026-11-19', end='2026-11-19'), good, 0, '', None
    yield 'TLS, fractions of seconds, a zone without colon', T(
        begin='2026-11-19T00:00:00.000+0000', end='2026-11-19T23:59:59.999+0000'), good, 0, '', None
    yield 'TLS, one policy without its array', tls_with(m, policies=json.loads(T())['policies'][0]), good, 0, '', None
    yield 'TLS, whole numbers with a fraction', T([dict(details[0], **{'failed-session-count': 3.0})], 10.0, 3.0), good, 0, '', None
    yield 'TLS, no organization-name', tls_with(m, **{'organization-name': 'MISSING'}), good, 0, '', None
    yield 'TLS, contact-info null, no name', tls_with(m, **{'organization-name': 'MISSING', 'contact-info': None}), [], 1, \
        'organization-name', None
    range_ = {'start-datetime': '2026-11-18T00:00:00Z', 'end-datetime': '2026-11-18T23:59:59Z'}
    yield 'TLS, no report-id', tls_with(m, **{'report-id': 'MISSING', 'date-range': range_}), good, 0, '', None
    yield 'TLS, a report in an array', b'[' + T() + b']', good, 0, '', None
    yield 'TLS, UTF-16 big, in gzip', gzip.compress(b'\xfe\xff' + T().decode().encode('utf-16-be')), good, 0, '', None
    yield 'TLS, no summary', json.dumps(dict(json.loads(T()), policies=[{k: v for k, v in json.loads(T())['policies'][0].items() if k !=
                                                                       'summary'}])).encode(), [('taken in part', 1, 3)], 0, '', first
    yield 'TLS, multipart/report', m.mail(m.TEXT, m.part(gzip.compress(T()), 'application/tlsrpt+gzip', name='r.json.gz'),
                                         kind='multipart/report; report-type="tlsrpt"'), good, 0, '', None
    yield 'TLS, JSON as text in a mail', m.mail(m.part(T(), 'application/tlsrpt+json', 'quoted-printable', 'r.json')), good, 0, '', None
    yield 'TLS, a comment of JavaScript', b'/* made by us */' + T(), [], 1, '', None
    yield 'TLS, NaN', T(good='HERE').replace(b'"HERE"', b'NaN'), [], 1, 'well-formed', None


def shapes(m):
    for of in (dmarc, dmarc_results, dmarc_addresses_and_dates, dmarc_extended_and_large, wrappings, tls):
        yield from of(m)
