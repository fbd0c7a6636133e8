# SPDX-License-Identifier: BSD-2-Clause
"""Texts of reports that are rarely met: shapes() gives what shapes_met.py asks for.

RFC 9990, RFC 7489 appendix C, XML 1.0, UTS 46 (what a name in a domain is), RFC 8460 and RFC 8259 say what is right. A number, date or
domain that can be read in two ways is read in none."""
import gzip
import json
from shapes_made import BEGIN, TEXT, mail, part, row, tls, xml, zipped
from shapes_met_mail import raw_part
from shapes_met_text import failure, json_with, policies

ONE = [('taken', 1, 7)]
PART = [('taken in part', 1, 7)]
TLS = [('taken', 2, 13)]
OTH = [('taken, about others', 1, 7)]
X = xml


def characters():
    yield ('UTF-16BE without BOM', X().decode().encode('utf-16-be'), ONE, 0, '', {})
    yield ('UTF-16LE without BOM, in gz', gzip.compress(X().decode().encode('utf-16-le')), ONE, 0, '', {})
    yield ('UTF-16BE without BOM, TLS', tls().decode().encode('utf-16-be'), TLS, 0, '', {})
    yield ('UTF-16, BOM twice', b'\xff\xfe' + X().decode().encode('utf-16'), ONE, 0, '', {})
    yield ('UTF-16 BOM over UTF-8', b'\xff\xfe' + X(), [], 1, '', {})
    yield ('UTF-8 BOM over UTF-16', b'\xef\xbb\xbf' + X().decode().encode('utf-16-le'), [], 1, '', {})
    yield (
        'UTF-16, lone surrogate in the domain',
        X(domain='exa@mple.org').decode().encode('utf-16').replace(b'@\x00', b'\x00\xdc'),
        [],
        1,
        'no domain name',
        {},
    )
    yield (
        'UTF-16, lone surrogate in the domain, other place',
        X(domain='exam@ple.org').decode().encode('utf-16').replace(b'@\x00', b'\x00\xdc'),
        [],
        1,
        'no domain name',
        {},
    )
    yield ('UTF-16, BOM within the domain', X(domain='exa\ufeffmple.org').decode().encode('utf-16'), ONE, 0, '', {})
    yield ('UTF-8, BOM within the domain', X(domain='exa\ufeffmple.org'), ONE, 0, '', {})
    yield ('UTF-8, soft hyphen in the domain', X(domain='exa\xadmple.org'), ONE, 0, '', {})
    yield (
        'UTF-8, zero width joiner in From',
        X([row().replace('<header_from>example', '<header_from>exa\u200dmple')]),
        ONE,
        0,
        '',
        {'header_from': 'exa\u200dmple.org'},
    )
    yield ('UTF-8, fullwidth domain', X(domain='ｅxample.org'), ONE, 0, '', {})
    yield (
        'UTF-16, count with a lone surrogate',
        X([row('1@2')]).decode().encode('utf-16').replace(b'@\x00', b'\x00\xdc'),
        [],
        1,
        'count',
        {},
    )
    yield (
        'UTF-16, count with a lone surrogate, other place',
        X([row('01@2')]).decode().encode('utf-16').replace(b'@\x00', b'\x00\xdc'),
        [],
        1,
        'count',
        {},
    )
    yield ('UTF-16, count with a BOM in it', X([row('1\ufeff2')]).decode().encode('utf-16'), [], 1, 'count', {})
    yield ('ISO-8859-15 declared', X(org='Straße').decode().replace('UTF-8', 'ISO-8859-15').encode('latin-1'), ONE, 0, '', {})
    yield ('windows-1252 undeclared', X(org='Straße').decode().encode('latin-1'), ONE, 0, '', {})
    yield ('CESU-8 surrogates', X(org='@').replace(b'@', b'\xed\xa0\xbd\xed\xb3\xa7'), ONE, 0, '', {})
    yield ('overlong', X(org='@').replace(b'@', b'\xc0\xbc'), ONE, 0, '', {})


def characters_of_no_text():
    yield ('overlong "<" in a count', X([row('@7'), row()]).replace(b'@', b'\xc0\xb1'), PART, 0, '', {})
    yield ('NEL and LS', X(org='a\x85b\u2028c'), ONE, 0, '', {})
    yield ('DEL and C1', X(org='a\x7f\x9bb'), ONE, 0, '', {})


def declarations():
    yield ('XML 1.1', X().replace(b'version="1.0"', b'version="1.1"'), ONE, 0, '', {})
    yield (
        'XML single quotes',
        X().replace(b'version="1.0" encoding="UTF-8"', b"version='1.0' encoding='utf-8' standalone='yes'"),
        ONE,
        0,
        '',
        {},
    )
    yield ('XML declaration with blank in front of ?>', X().replace(b'"UTF-8"?>', b'"UTF-8" ?>'), ONE, 0, '', {})
    yield ('XML declaration, encoding empty', X().replace(b'"UTF-8"', b'""'), ONE, 0, '', {})
    yield ('XML declaration, encoding with blank', X().replace(b'"UTF-8"', b'"UTF 8"'), ONE, 0, '', {})
    yield ('XML declaration twice', b'<?xml version="1.0"?>\n' + X(), ONE, 0, '', {})
    yield ('a comment in front of the XML declaration', b'<!-- made by us -->\n' + X(), ONE, 0, '', {})
    yield ('XML declaration without version', X().replace(b'version="1.0" ', b''), ONE, 0, '', {})
    yield ('XML declaration in capitals', X().replace(b'<?xml', b'<?XML'), ONE, 0, '', {})
    yield ('PI stylesheet', X().replace(b'?>\n', b'?><?xml-stylesheet type="text/xsl" href="file:///etc/passwd"?>\n', 1), ONE, 0, '', {})
    yield (
        'XInclude',
        X(feedback='<feedback xmlns:xi="http://www.w3.org/2001/XInclude">').replace(
            b'<record>', b'<xi:include href="/etc/passwd" parse="text"/><record>', 1
        ),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'xsi:schemaLocation',
        X(
            feedback='<feedback xmlns="http://dmarc.org/dmarc-xml/0.2" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xsi:schemaLocation="http://x.example/ dmarc.xsd">'
        ),
        ONE,
        0,
        '',
        {},
    )
    yield ('DOCTYPE with SYSTEM only', X().replace(b'?>\n', b'?><!DOCTYPE feedback SYSTEM "dmarc.dtd">\n', 1), [], 1, 'document type', {})
    yield (
        'DOCTYPE, parameter entity',
        X().replace(b'?>\n', b'?><!DOCTYPE feedback [<!ENTITY % a SYSTEM "http://x.example/">%a;]>\n', 1),
        [],
        1,
        'document type',
        {},
    )
    yield ('DOCTYPE behind the root', X().replace(b'<record>', b'<!DOCTYPE a []><record>', 1), [], 1, '', {})
    yield (
        'entity of an entity',
        X().replace(b'?>\n', b'?><!DOCTYPE f [<!ENTITY a "&b;&b;"><!ENTITY b "xx">]>\n', 1),
        [],
        1,
        'document type',
        {},
    )


def records():
    yield ('CDATA count', X([row('<![CDATA[7]]>')]), ONE, 0, '', {})
    yield (
        'CDATA with & in header_from',
        X([row().replace('<header_from>example.org', '<header_from><![CDATA[example.org]]>')]),
        ONE,
        0,
        '',
        {'header_from': 'example.org'},
    )
    yield ('comment in a count', X([row('<!-- 9 -->7')]), ONE, 0, '', {})
    yield ('comment with -- in it', X(head='<!-- a -- b -->'), [], 1, 'line', {})
    yield ('char refs for digits', X([row('&#55;')]), ONE, 0, '', {})
    yield ('char ref beyond Unicode', X(org='&#x110000;a'), [], 1, 'line 3', {})
    yield ('char ref of a surrogate', X(org='&#xD800;a'), [], 1, 'line 3', {})
    yield ('capital X in a char ref', X(org='a&#X41;b'), ONE, 0, '', {'org': 'a&#X41;b'})
    yield ('attribute with & and <', X(feedback='<feedback a="b&c">'), ONE, 0, '', {})
    yield ('attribute twice', X(feedback='<feedback a="1" a="2">'), [], 1, '', {})
    yield ('attribute without quotes', X(feedback='<feedback version=1.0>'), [], 1, '', {})
    yield ('empty records', X(['<record/>', row(), '<record></record>']), PART, 0, '', {})
    yield ('record with an empty row', X(['<record><row/></record>', row()]), PART, 0, '', {})
    yield ('record in record', X(['<record>' + row() + '</record>', row()]), PART, 0, '', {})
    yield ('records in <records>', X([f'<records>{row()}</records>']), ONE, 0, '', {})
    yield ('version in the end', X(tail='<version>1.0</version></feedback>'), ONE, 0, '', {})
    yield ('version 0.1', X(head='<version>0.1</version>'), ONE, 0, '', {})
    yield ('version twice', X(head='<version>1.0</version><version>2</version>'), ONE, 0, '', {})
    yield (
        'RFC 9990, whole',
        X(feedback='<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">', head='<version>2.0</version>')
        .replace(b'</date_range>', b'</date_range><error>none</error><generator>x 1.0</generator>')
        .replace(
            b'<p>reject</p>',
            b'<p>reject</p><sp>quarantine</sp><np>reject</np><adkim>s</adkim><aspf>r</aspf>'
            b'<discovery_method>treewalk</discovery_method><fo>0:1:d:s</fo><testing>n</testing>',
        )
        .replace(
            b'</policy_evaluated>',
            b'<reason><type>local_policy</type><comment lang="de">x</comment></reason>'
            b'<reason><type>other</type></reason></policy_evaluated>',
        )
        .replace(b'<header_from>', b'<envelope_to>a.example</envelope_to><envelope_from>b.example</envelope_from><header_from>')
        .replace(
            b'<spf><domain>',
            b'<dkim><domain>example.org</domain><selector>s</selector><result>pass</result>'
            b'<human_result lang="en">good</human_result></dkim><spf><domain>',
        ),
        ONE,
        0,
        '',
        {'policy': 'p=reject sp=quarantine', 'header_from': 'example.org'},
    )
    yield ('disposition pass (RFC 9990)', X().replace(b'<disposition>none', b'<disposition>pass'), ONE, 0, '', {'result': 'pass'})


def what_is_missing():
    yield (
        'DKIM result of no standard',
        X([row(more='<dkim><domain>example.org</domain><selector/><result>invalid</result></dkim>')]),
        ONE,
        0,
        '',
        {},
    )
    yield ('auth_results missing', X([row().split('<auth_results>')[0] + '</record>']), ONE, 0, '', {})
    yield ('auth_results empty', X([row().split('<auth_results>')[0] + '<auth_results/></record>']), ONE, 0, '', {})
    yield (
        'identifiers missing',
        X([row().replace('<identifiers><header_from>example.org</header_from></identifiers>', '')]),
        ONE,
        0,
        '',
        {},
    )
    yield ('policy_published without p', X().replace(b'<p>reject</p>', b''), ONE, 0, '', {})
    yield ('policy_published with pct=abc', X().replace(b'<p>reject</p>', b'<p>reject</p><pct>abc</pct>'), ONE, 0, '', {})
    yield ('policy_published in capitals p=REJECT', X().replace(b'<p>reject</p>', b'<p>REJECT</p>'), ONE, 0, '', {})
    yield ('source_ip empty', X([row(ip='')]), ONE, 0, '', {'source': ''})
    yield ('source_ip missing', X([row().replace('<source_ip>192.0.2.1</source_ip>', '')]), ONE, 0, '', {'source': ''})
    for ip, k in (
        ('2001:0db8:0000:0000:0000:0000:0000:0001', '2001:db8::1'),
        ('2001:DB8::1', '2001:db8::1'),
        ('::192.0.2.1', '::192.0.2.1'),
        ('::ffff:192.0.2.1', '192.0.2.1'),
        ('64:ff9b::c000:201', '64:ff9b::c000:201'),
        ('[2001:db8::1]', '2001:db8::1'),
        ('IPv6:2001:db8::1', '2001:db8::1'),
        ('0300.0.2.1', '0300.0.2.1'),
        ('192.0.2', '192.0.2'),
        ('3221225985', '3221225985'),
        ('192.0.2.1.', '192.0.2.1.'),
        ('2001:db8::1::', '2001:db8::1::'),
    ):
        yield (f'address {ip}', X([row(ip=ip)]), ONE, 0, '', {'source': k})
    for c in ('0', '00', '-0', '1e3', '1000000001', '18446744073709551617', '7\xa0', '7 7', '٧', 'Infinity', '7L', '1_000', "1'000"):
        yield (f'count {c}', X([row(c), row()]), PART, 0, '', {})
    for c in ('\t7\n', '+7', '007', '\r\n7'):
        yield (f'count {c!r}', X([row(c)]), ONE, 0, '', {})
    yield ('dates reversed', X(begin=BEGIN + 86399, end=BEGIN), [], 1, 'date_range', {})
    yield ('dates: begin empty, end there', X(begin=''), [], 1, 'date_range', {})
    yield ('dates: a year of 5 digits', X(begin='12026-11-19T00:00:00Z'), [], 1, 'date_range', {})
    yield ('dates: 2026-W47-4', X(begin='2026-W47-4'), [], 1, 'date_range', {})
    yield ('dates: 2026-323', X(begin='2026-323'), [], 1, 'date_range', {})
    yield ('dates: RFC 3339 with comma fraction', X(begin='2026-11-19T00:00:00,5Z', end='2026-11-19T23:59:59Z'), [], 1, 'date_range', {})


def heads():
    yield (
        'dates: -00:00',
        X(begin='2026-11-19T00:00:00-00:00', end='2026-11-19T23:59:59-00:00'),
        ONE,
        0,
        '',
        {'begin': '2026-11-19T00:00:00Z'},
    )
    yield ('dates: UTC+1', X(begin='2026-11-19T00:00:00 UTC+1'), [], 1, 'date_range', {})
    yield ('dates: seconds in text', X(begin=f'{BEGIN} seconds'), [], 1, 'date_range', {})
    yield ('dates: with thousands', X(begin=f'{BEGIN:,}'), [], 1, 'date_range', {})
    yield ('a range of twenty years', X(begin=1136073600, end=BEGIN), [], 1, 'date_range', {})
    yield ('a range of a month', X(begin=BEGIN - 30 * 86400), ONE, 0, '', {'begins': BEGIN - 30 * 86400})
    yield (
        'date_range outside the metadata',
        X().replace(
            f'<date_range><begin>{BEGIN}</begin><end>{BEGIN + 86399}</end></date_range></report_metadata>'.encode(),
            f'</report_metadata><date_range><begin>{BEGIN}</begin><end>{BEGIN + 86399}</end></date_range>'.encode(),
        ),
        [],
        1,
        'date_range',
        {},
    )
    yield (
        'metadata twice, other organisation',
        X(head='<report_metadata><org_name>Other</org_name></report_metadata>'),
        ONE,
        0,
        '',
        {'org': 'Other'},
    )
    yield ('org_name in capitals and blanks', X(org='  ReCeiver\xa0 '), ONE, 0, '', {})
    yield ('email only', X(org=None, email='"a@b"@receiver.example'), ONE, 0, '', {'org': 'receiver.example'})
    yield ('email without @, no org', X(org='', email='nobody'), [], 1, 'org_name', {})
    yield ('report_id of 5000', X(ident='i' * 5000), ONE, 0, '', {})
    yield ('report_id of 5000, the same again', X(ident='i' * 5000), [('was there', 1, 7)], 0, '', {})
    yield ('report_id of 5000, another at its end', X(ident='i' * 4999 + 'j'), ONE, 0, '', {})
    yield ('report_id of 1024', X(ident='k' * 1024), ONE, 0, '', {'report_id': 'k' * 1024})
    yield ('report_id of 3000, of letters of two octets', X(ident='\u00e9' * 3000), ONE, 0, '', {})
    yield ('domain: sub of ours', X(domain='mail.example.org'), ONE, 0, '', {'domain': 'mail.example.org'})
    yield ('domain: a TLD', X(domain='org'), OTH, 0, '', {'domain': 'org'})
    yield ('domain: address', X(domain='postmaster@example.org'), [], 1, 'no domain name', {})
    yield ('domain: two dots', X(domain='example..org'), [], 1, 'no domain name', {})
    yield ('domain: escaped', X(domain='example\\.org'), [], 1, 'no domain name', {})
    yield ('domain: IP address', X(domain='192.0.2.1'), OTH, 0, '', {'domain': '192.0.2.1'})
    yield (
        'domain of 254',
        X(domain='a' * 60 + '.' + 'b' * 60 + '.' + 'c' * 60 + '.' + 'd' * 60 + '.example.org'),
        [],
        1,
        'no domain name',
        {},
    )
    yield ('root closed too early', X().replace(b'<record>', b'</feedback><record>'), [('taken', 0, 0)], 1, 'behind the end', {})
    yield ('self-closing root', b'<feedback/>', [], 1, '', {})
    yield ('root with a colon first', X(feedback='<:feedback>', tail='</:feedback>'), ONE, 0, '', {})
    yield ('a tag of 300 letters', X(head='<' + 'a' * 300 + '/>'), [], 1, 'longer names', {})
    yield ('33 levels in an extension', X(head='<extension>' + '<a>' * 40 + '</a>' * 40 + '</extension>'), [], 1, 'nested', {})


def ends():
    yield ('XML cut in a tag', X([row(), row()])[:-3], [('taken in part', 2, 14)], 0, '', {})
    yield (
        'SOAP around it',
        X(feedback='<soap:Envelope xmlns:soap="http://x"><soap:Body><feedback>', tail='</feedback></soap:Body></soap:Envelope>'),
        [],
        1,
        'root',
        {},
    )
    yield ('names with - for _', X().replace(b'report_metadata', b'report-metadata'), [], 1, '', {})


def tls_counts():
    yield ('TLS, failures fewer than the summary says', tls([failure(2)], 10, 5), [('taken', 3, 15)], 0, '', {})
    yield ('TLS, failures more than the summary says', tls([failure(7)], 10, 3), [('taken', 2, 17)], 0, '', {})
    yield ('TLS, empty failures, summary says 3', tls([], 10, 3), TLS, 0, '', {})
    yield (
        'TLS, empty summary, details',
        json_with(
            policies=[{'policy': {'policy-type': 'sts', 'policy-domain': 'example.org'}, 'summary': {}, 'failure-details': [failure(3)]}]
        ),
        [('taken in part', 1, 3)],
        0,
        '',
        {},
    )
    yield ('TLS, policy null', json_with(policies=[{'policy': None, 'summary': {}}]), [], 1, 'policy-domain', {})
    yield (
        'TLS, policy-domain null',
        json_with(policies=[{'policy': {'policy-type': 'sts', 'policy-domain': None}, 'summary': {}}]),
        [],
        1,
        'policy-domain',
        {},
    )
    yield (
        'TLS, policy-domain a number',
        json_with(policies=[{'policy': {'policy-type': 'sts', 'policy-domain': 5}, 'summary': {}}]),
        [],
        1,
        'policy-domain',
        {},
    )
    yield (
        'TLS, policy-domain an array',
        json_with(policies=[{'policy': {'policy-type': 'sts', 'policy-domain': ['example.org']}, 'summary': {}}]),
        [],
        1,
        'policy-domain',
        {},
    )
    yield (
        'TLS, policy-type missing',
        json_with(
            policies=[
                {
                    'policy': {'policy-domain': 'example.org'},
                    'summary': {'total-successful-session-count': 10, 'total-failure-session-count': 0},
                }
            ]
        ),
        [('taken', 1, 10)],
        0,
        '',
        {'detail': ''},
    )


def tls_policies():
    yield (
        'TLS, policy-type unknown',
        json_with(
            policies=[
                {
                    'policy': {'policy-type': 'dane-ng', 'policy-domain': 'example.org'},
                    'summary': {'total-successful-session-count': 10, 'total-failure-session-count': 0},
                }
            ]
        ),
        [('taken', 1, 10)],
        0,
        '',
        {'detail': 'dane-ng'},
    )
    yield (
        'TLS, mx-host-pattern',
        json_with(
            policies=[
                {
                    'policy': {'policy-type': 'sts', 'policy-domain': 'example.org', 'mx-host-pattern': ['*.a']},
                    'summary': {'total-successful-session-count': 10, 'total-failure-session-count': 0},
                }
            ]
        ),
        [('taken', 1, 10)],
        0,
        '',
        {},
    )
    yield ('TLS, policies null', json_with(policies=None), [], 1, 'policy-domain', {})
    yield ('TLS, policies a text', json_with(policies='none'), [], 1, 'policy-domain', {})
    yield ('TLS, policies an array of arrays', json_with(policies=[[json.loads(tls())['policies'][0]]]), [], 1, 'policy-domain', {})
    yield (
        'TLS, policies with null in it',
        json_with(policies=[None, json.loads(tls())['policies'][0]]),
        [('taken in part', 2, 13)],
        0,
        '',
        {},
    )
    yield ('TLS, all counts 0', tls([], 0, 0), [('taken', 0, 0)], 0, '', {})
    yield ('TLS, result unknown', tls([{'result-type': 'moon-phase', 'failed-session-count': 3}]), TLS, 0, '', {})
    yield ('TLS, result missing', tls([{'failed-session-count': 3}]), TLS, 0, '', {})
    yield ('TLS, result an object', tls([{'result-type': {'a': 1}, 'failed-session-count': 3}]), TLS, 0, '', {})
    yield (
        'TLS, lone surrogate in org',
        json_with(**{'organization-name': 'HERE'}).replace(b'HERE', b'\\ud800x'),
        TLS,
        0,
        '',
        {'org': '�x'},
    )


def tls_values():
    yield (
        'TLS, surrogates swapped',
        json_with(**{'organization-name': 'HERE'}).replace(b'HERE', b'\\udc00\\ud800'),
        TLS,
        0,
        '',
        {'org': '��'},
    )
    yield (
        'TLS, lone surrogate in the domain',
        policies(('sts', 'HERE', 10, [failure(3)])).replace(b'HERE', b'exam\\ud800ple.org'),
        [],
        1,
        'no domain name',
        {},
    )
    yield (
        'TLS, \\u0000 in the domain',
        policies(('sts', 'HERE', 10, [failure(3)])).replace(b'HERE', b'example.org\\u0000.evil'),
        [],
        1,
        'no domain name',
        {},
    )
    yield (
        'TLS, invalid UTF-8 in the domain',
        policies(('sts', 'HERE', 10, [failure(3)])).replace(b'HERE', b'exam\xffple.org'),
        [],
        1,
        'no domain name',
        {},
    )
    yield ('TLS, raw newline in a text', json_with(**{'organization-name': 'HERE'}).replace(b'HERE', b'a\nb'), [], 1, 'line 1', {})
    yield ('TLS, raw tab in a text', json_with(**{'organization-name': 'HERE'}).replace(b'HERE', b'a\tb'), [], 1, 'line 1', {})
    yield ('TLS, \\x escape', json_with(**{'organization-name': 'HERE'}).replace(b'HERE', b'a\\x41b'), [], 1, 'line 1', {})
    yield ('TLS, Infinity', tls(good='HERE').replace(b'"HERE"', b'Infinity'), [], 1, 'well-formed', {})
    yield ('TLS, -Infinity', tls(good='HERE').replace(b'"HERE"', b'-Infinity'), [], 1, 'well-formed', {})
    yield ('TLS, leading zero', tls(good='HERE').replace(b'"HERE"', b'010'), [], 1, 'well-formed', {})
    yield ('TLS, hex', tls(good='HERE').replace(b'"HERE"', b'0x10'), [], 1, 'well-formed', {})
    yield ('TLS, .5', tls(good='HERE').replace(b'"HERE"', b'.5'), [], 1, 'well-formed', {})
    yield ('TLS, True', tls(good='HERE').replace(b'"HERE"', b'True'), [], 1, 'well-formed', {})
    yield ('TLS, a boolean', tls('missing', True, 3), [('taken in part', 1, 3)], 0, '', {})
    yield ('TLS, -0', tls([failure(3)], 'HERE', 3).replace(b'"HERE"', b'-0'), [('taken', 1, 3)], 0, '', {})
    yield ('TLS, 1e1', tls([failure(3)], 'HERE', 3).replace(b'"HERE"', b'1e1'), [('taken in part', 1, 3)], 0, '', {})
    yield ('TLS, 10.000', tls([failure(3)], 'HERE', 3).replace(b'"HERE"', b'10.000'), TLS, 0, '', {})
    yield ('TLS, beyond double', tls([failure(3)], 'HERE', 3).replace(b'"HERE"', b'1' * 400), [('taken in part', 1, 3)], 0, '', {})
    yield ('TLS, 1000000001', tls([failure(3)], 1000000001, 3), [('taken in part', 1, 3)], 0, '', {})
    yield ('TLS, dates with blanks around', tls(begin=' 2026-11-19T00:00:00Z ', end='2026-11-19T23:59:59Z\n'), TLS, 0, '', {})
    yield ('TLS, org with blanks around', json_with(**{'organization-name': '  Company '}), TLS, 0, '', {'org': 'Company'})
    yield ('TLS, id of 5000', json_with(**{'report-id': 'i' * 5000}), TLS, 0, '', {})
    yield ('TLS, id of 5000, another at its end', json_with(**{'report-id': 'i' * 4999 + 'j'}), TLS, 0, '', {})
    yield ('TLS, id with blanks around', json_with(**{'report-id': ' x1 '}), TLS, 0, '', {'report_id': 'x1'})


def tls_heads():
    yield (
        'TLS, milliseconds',
        json_with(**{'date-range': {'start-datetime': 1763510400000, 'end-datetime': 1763596799000}}),
        TLS,
        0,
        '',
        {'begin': '2025-11-19T00:00:00Z'},
    )
    yield ('TLS, date 1970', json_with(**{'date-range': {'start-datetime': 0, 'end-datetime': 86399}}), [], 1, 'date-range', {})
    yield ('TLS, date-range null', json_with(**{'date-range': None}), [], 1, 'date-range', {})
    yield ('TLS, dates swapped', tls(begin='2026-11-19T23:59:59Z', end='2026-11-19T00:00:00Z'), [], 1, 'date-range', {})
    yield (
        'TLS, date-range as array',
        json_with(**{'date-range': ['2026-11-19T00:00:00Z', '2026-11-19T23:59:59Z']}),
        [],
        1,
        'date-range',
        {},
    )
    yield ('TLS, year 10000', tls(end='10000-01-01T00:00:00Z'), [], 1, 'date-range', {})
    yield ('TLS, contact-info null', json_with(**{'contact-info': None}), TLS, 0, '', {})
    yield ('TLS, contact mailto', json_with(**{'contact-info': 'mailto:tls@company.example'}), TLS, 0, '', {})
    yield ('TLS, organization-name null, contact there', json_with(**{'organization-name': None}), TLS, 0, '', {'org': 'company.example'})
    yield ('TLS, report-id a number', json_with(**{'report-id': 20261119}), TLS, 0, '', {'report_id': '20261119'})
    yield (
        'TLS, deep nesting within x',
        tls(x=None).replace(b'"x": null', b'"x": ' + b'[' * 100 + b']' * 100),
        [],
        1,
        'nested more deeply',
        {},
    )
    yield (
        'TLS, members in capitals',
        tls().replace(b'"organization-name"', b'"Organization-Name"'),
        TLS,
        0,
        '',
        {'org': 'company.example'},
    )
    yield ('TLS, members with _', tls().replace(b'policy-domain', b'policy_domain'), [], 1, 'policy-domain', {})
    yield ('TLS, in an array of two', b'[' + tls() + b',' + tls() + b']', TLS * 2, 0, '', {})
    yield ('TLS, in an array with null', b'[null,' + tls() + b']', TLS, 1, '', {})
    yield ('TLS, an empty object', b'{}', [], 1, '', {})
    yield ('TLS, an empty array', b'[]', [], 1, '', {})
    yield ('TLS, a text', b'"report-id"', [], 1, '', {})
    yield ('TLS, JSONP', b'callback(' + tls() + b')', [], 1, '', {})
    yield ("TLS, )]}' in front", b")]}',\n" + tls(), [], 1, '', {})
    yield ('TLS, // comment behind', tls() + b'\n// by us\n', [], 1, 'line 2', {})
    yield ('TLS, NUL behind', tls() + b'\x00', [], 1, 'well-formed', {})
    yield ('TLS, wrapped in an object', b'{"report":' + tls() + b'}', [], 1, '', {})
    yield ('TLS, first member longer than 4096', json.dumps({'x': 'y' * 5000, **json.loads(tls())}).encode(), TLS, 0, '', {})


def tls_behind_long_members():
    yield (
        'TLS, first member longer than 4096, in a mail without a name',
        mail(TEXT, raw_part(b'Content-Type: application/json', json.dumps({'x': 'y' * 5000, **json.loads(tls())}).encode())),
        TLS,
        0,
        '',
        {},
    )
    yield (
        'DMARC, first element behind 5000 of comments, in a mail without a name',
        mail(TEXT, raw_part(b'Content-Type: text/xml', X().replace(b'?>\n', b'?><!--' + b'c' * 5000 + b'-->\n', 1))),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'DMARC, first element behind 5000 of comments, octet-stream',
        mail(
            TEXT, part(gzip.compress(X().replace(b'?>\n', b'?><!--' + b'c' * 5000 + b'-->\n', 1)), 'application/octet-stream', name='r')
        ),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'DMARC, first element behind 5000 of comments, in a zip',
        zipped(('r', X().replace(b'?>\n', b'?><!--' + b'c' * 5000 + b'-->\n', 1))),
        ONE,
        0,
        '',
        {},
    )
    yield (
        'TLS, first member longer than 4096, in a zip',
        zipped(('r', json.dumps({'x': 'y' * 5000, **json.loads(tls())}).encode())),
        [],
        1,
        'no report is in the archive',
        {},
    )


def shapes():
    for of in (
        characters,
        characters_of_no_text,
        declarations,
        records,
        what_is_missing,
        heads,
        ends,
        tls_counts,
        tls_policies,
        tls_values,
        tls_heads,
        tls_behind_long_members,
    ):
        yield from of()
