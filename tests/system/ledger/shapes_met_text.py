# SPDX-License-Identifier: BSD-2-Clause
"""What stands in reports: DMARC in XML, TLS in JSON, and reports about one mail. shapes() gives a name, octets, what is taken, how many are
named as unread, words of the complaint, and what is kept (shapes_met.py).

RFC 9990 and RFC 7489 appendix C, XML 1.0 and XML Schema (an integer may have "+" and zeros before it), RFC 8460, RFC 8259, RFC 6591 and
RFC 5965 say what is right. A number, date or domain that can be read in two ways is read in none."""
import base64
import gzip
import json
from shapes_made import BEGIN, TEXT, mail, part, row, tls, xml

X = xml
ONE = [('taken', 1, 7)]
PARTLY = [('taken in part', 1, 7)]
GOOD = [('taken', 2, 13)]
DAY = BEGIN + 86399


def auth(text):
    """A report whose only record has this in auth_results."""
    return X().replace(b'<spf><domain>example.org</domain><result>pass</result></spf>', text.encode())


def count(text):
    return X([row(text), row()])


def swapped(report, first, second):
    """The report with two of its elements in each other's place."""

    def element(name):
        at = report.index(b'<' + name + b'>')
        return report[at : report.index(b'</' + name + b'>') + len(name) + 3]

    a, b = element(first), element(second)
    return report.replace(a, b'@').replace(b, a).replace(b'@', b)


def structure():
    yield 'records in front of the metadata', swapped(
        swapped(X(), b'report_metadata', b'record'), b'policy_published', b'report_metadata'
    ), ONE, 0, '', {'org': 'Receiver'}
    yield 'policy_published behind the records', swapped(X(), b'policy_published', b'record'), ONE, 0, '', {'policy': 'p=reject'}
    yield 'the count in front of the address', X().replace(
        b'<source_ip>192.0.2.1</source_ip><count>7</count>', b'<count>7</count><source_ip>192.0.2.1</source_ip>'
    ), ONE, 0, '', {}
    yield 'auth_results in front of the row', swapped(X(), b'row', b'auth_results'), ONE, 0, '', {
        'source': '192.0.2.1',
        'spf': 'fail',
        'dkim': 'pass',
        'detail': 'spf=example.org:pass',
    }
    yield 'a prefix on some names only', X(feedback='<feedback xmlns:d="urn:x">').replace(b'<row>', b'<d:row>').replace(
        b'</row>', b'</d:row>'
    ).replace(b'count>', b'd:count>'), ONE, 0, '', {}
    yield 'instructions between', X().replace(b'<count>7', b'<?a <count>9</count> ?><count><?b?>7'), ONE, 0, '', {}
    yield 'a domain in pieces of CDATA', X(domain='exam<![CDATA[ple]]>.<!-- not -->org'), ONE, 0, '', {}
    yield 'attributes on fields', X(feedback='<feedback xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">').replace(
        b'<count>', b'<count unit="mails" xsi:type="xs:integer">'
    ).replace(b'<domain>', b'<domain type="organizational">'), ONE, 0, '', {}
    yield 'a count that is nil', X([row().replace('<count>7</count>', '<count xsi:nil="true"/>'), row()]), PARTLY, 0, '', {}


def said_twice():
    yield 'the count twice, the same', X([row('7</count><count>7')]), ONE, 0, '', {}
    yield 'the count twice, not the same', X([row('7</count><count>8'), row()]), PARTLY, 0, '', {}
    yield 'two rows in a record', X(
        [row().replace('</row>', '</row><row><source_ip>192.0.2.2</source_ip><count>5</count></row>'), row()]
    ), PARTLY, 0, '', {}
    yield 'two addresses in a row', X([row('9').replace('<count>', '<source_ip>192.0.2.2</source_ip><count>'), row()]), PARTLY, 0, '', {}
    yield 'two From domains in a record', X(
        [row('9').replace('<header_from>', '<header_from>example.net</header_from><header_from>'), row()]
    ), PARTLY, 0, '', {}
    yield 'a policy about two domains', X(head='<policy_published><domain>example.net</domain></policy_published>'), [], 1, 'domain', {}
    yield 'two beginnings', X(begin=f'{BEGIN - 86400}</begin><begin>{BEGIN}'), [], 1, 'date_range', {}
    yield 'the same beginning twice', X(begin=f'{BEGIN}</begin><begin>{BEGIN}'), ONE, 0, '', {}
    yield 'an element within the count', X([row('1<x/>2'), row()]), PARTLY, 0, '', {}
    yield 'an element of its own for the count', X([row('<value>9</value>'), row()]), PARTLY, 0, '', {}
    yield 'an element within the domain', X(domain='exam<wbr/>example.org'), [], 1, 'domain', {}


def extensions():
    yield 'a count of an extension in the row', X().replace(
        b'</row>', b'<x:more xmlns:x="urn:x"><x:count>99</x:count></x:more></row>'
    ), ONE, 0, '', {}
    yield 'an extension in the policy', X().replace(
        b'</policy_published>', b'<x:e xmlns:x="urn:x"><x:domain>example.net</x:domain></x:e>' b'</policy_published>'
    ), ONE, 0, '', {}
    yield 'an extension in the metadata', X().replace(
        b'<report_metadata>', b'<report_metadata><x:e xmlns:x="urn:x"><x:begin>1</x:begin>' b'<x:org_name>Other</x:org_name></x:e>'
    ), ONE, 0, '', {'org': 'Receiver'}
    yield 'identities of an old draft', X().replace(b'identifiers>', b'identities>'), ONE, 0, '', {'header_from': 'example.org'}
    yield 'no records at all', X(['']), [('taken', 0, 0)], 0, '', {}
    yield 'no policy_published', X().replace(
        b'<policy_published><domain>example.org</domain><p>reject</p></policy_published>', b''
    ), [], 1, 'domain', {}
    yield 'another root around it', X(feedback='<reports><feedback>', tail='</feedback></reports>'), [], 1, 'root', {}
    yield 'names in capitals', X().split(b'\n', 1)[1].upper(), [], 1, 'root', {}
    yield 'a report_id in brackets, escaped', X(ident='&lt;20261119.1@receiver.example&gt;'), ONE, 0, '', {
        'report_id': '<20261119.1@receiver.example>'
    }
    yield 'a report_id in brackets, not escaped', X(ident='<20261119.2@receiver.example>'), [], 1, 'line 3', {}
    yield 'a comment of a reason with markup', X(
        [
            row().replace(
                '</policy_evaluated>',
                '<reason><type>forwarded</type><comment>by <b>us</b> &lt;' 'count&gt;9</comment></reason></policy_evaluated>',
            )
        ]
    ), ONE, 0, '', {'detail': 'spf=example.org:pass reason=forwarded'}
    yield 'a comment with a tag that does not end', X(
        [
            row(),
            row().replace('</policy_evaluated>', '<reason><type>other</type><comment>a<br>b' '</comment></reason></policy_evaluated>'),
        ]
    ), PARTLY, 0, '', {}
    yield 'a "<" in words', X(org='A < B'), [], 1, 'line 3', {}


def fields():
    yield 'count with a plus', count('+9'), [('taken', 2, 16)], 0, '', {}
    yield 'count with zeros before it', count('0009'), [('taken', 2, 16)], 0, '', {}
    for text in ('9.0', '1 234', '1.234', '9e2', '\u0669', '9&#160;', '--9', '+-9', '+', '9;', '0b1', 'NaN'):
        yield f'count {text}', count(text).replace(b'\xd9\xa9', '\u0669'.encode()), PARTLY, 0, '', {}
    for text, kept in (
        ('192.0.2.7:25', '192.0.2.7'),
        ('[2001:db8::7]:25', '2001:db8::7'),
        ('192.0.2.7/32', '192.0.2.7'),
        ('2001:DB8::7/128', '2001:db8::7'),
        ('192.0.2.0/24', '192.0.2.0/24'),
        ('[192.0.2.7]', '192.0.2.7'),
        ('::ffff:c000:207', '192.0.2.7'),
        ('192.0.2.7, 192.0.2.8', '192.0.2.7, 192.0.2.8'),
        ('2001:db8::7:25', '2001:db8::7:25'),
        ('192.0.2.7 (mail.example)', '192.0.2.7 (mail.example)'),
        ('192.0.2.7:66', '192.0.2.7'),
        ('fe80::1%eth0', 'fe80::1%eth0'),
        ('192.000.002.007', '192.000.002.007'),
    ):
        yield f'address {text}', X([row(ip=text)]), ONE, 0, '', {'source': kept}
    for text, kept in (
        ('User@Example.ORG', 'example.org'),
        ('&lt;user@example.org&gt;', 'example.org'),
        ('b\u00fccher.example', 'xn--bcher-kva.example'),
        ('\n  example.org\t\n', 'example.org'),
        ('', ''),
    ):
        yield f'From domain {text.strip() or "empty"}', X(
            [row().replace('<header_from>example.org', '<header_from>' + text)]
        ), ONE, 0, '', {'header_from': kept}
    yield 'domains of results in capitals, with a dot, as addresses', auth(
        '<dkim><domain>Example.ORG.</domain><selector>S1</selector><result>pass</result></dkim>'
        '<dkim><domain>@b\u00fccher.example</domain><result>'
        'fail</result></dkim><spf><domain>postmaster@mx.example.org</domain><result>none</result></spf>'
    ), ONE, 0, '', {'detail': 'dkim=example.org/S1:pass dkim=xn--bcher-kva.example:fail spf=mx.example.org:none'}
    yield 'the domain of an unknown method does not go to the next', auth(
        '<arc><domain>arc.example</domain><selector>a</selector><result>pass</result></arc><spf><result>none</result></spf>'
    ), ONE, 0, '', {'detail': ''}
    yield 'several of each method', auth(
        '<spf><domain>a.example</domain><scope>helo</scope><result>none</result></spf><spf><domain>b.example'
        '</domain><scope>mfrom</scope><result>softfail</result></spf>'
    ), ONE, 0, '', {'detail': 'spf=a.example:none spf=b.example:softfail'}
    yield 'two auth_results', auth(
        '<spf><domain>a.example</domain><result>none</result></spf></auth_results><auth_results><dkim><domain>b.example'
        '</domain><result>pass</result></dkim>'
    ), ONE, 0, '', {'detail': 'spf=a.example:none dkim=b.example:pass'}
    yield 'no dkim, spf and disposition', X().replace(
        b'<disposition>none</disposition><dkim>pass</dkim><spf>fail</spf>', b'<disposition/>'
    ), ONE, 0, '', {'result': '', 'dkim': '', 'spf': ''}
    yield 'blanks in every field', X(
        org=' \n Receiver \t', domain='\n\texample.org\r\n', begin=f'\n{BEGIN} ', end=f' {DAY}\n'
    ), ONE, 0, '', {'org': 'Receiver', 'ends': DAY}
    yield 'a blank that does not break', X(domain='example.org&#160;'), [], 1, 'no domain name', {}
    yield 'a domain that is a link', X(domain='https://example.org/'), [], 1, 'no domain name', {}
    yield 'two domains in one', X(domain='example.org,example.net'), [], 1, 'no domain name', {}


def characters():
    for name in ('utf8', 'UTF-16', 'us-ascii', 'unicode', 'GB2312', 'x-nobody'):
        yield f'declared as {name}, in UTF-8', X(org='Stra\u00dfe').replace(b'"UTF-8"', f'"{name}"'.encode()), ONE, 0, '', {
            'org': 'Stra\u00dfe'
        }
    yield 'UTF-16 with a character beyond the first plane', X(org='a\U0001f4e7b').decode().encode('utf-16'), ONE, 0, '', {}
    yield 'UTF-16 with an octet too much', X().decode().encode('utf-16') + b'\n', ONE, 0, '', {}
    yield 'UTF-16, BOM, in base64, in a mail', mail(
        part(X().decode().encode('utf-16'), 'text/xml; charset=utf-16', name='r.xml')
    ), ONE, 0, '', {}
    yield 'UTF-32', X().decode().encode('utf-32'), [], 1, '', {}
    yield 'Shift_JIS', X(org='\u6771\u4eac').decode().replace('UTF-8', 'Shift_JIS').encode('shift_jis'), ONE, 0, '', {}
    yield 'a domain in an encoding that is not read', X(domain='\u0434\u043e\u043c.example').decode().replace('UTF-8', 'koi8-r').encode(
        'koi8-r'
    ), [], 1, 'no domain name', {}
    yield 'windows-1252 in the From domain, as declared', X(
        [row().replace('<header_from>example.org', '<header_from>b\u00fccher.example')]
    ).decode().replace('UTF-8', 'iso8859-1').encode('latin-1'), ONE, 0, '', {'header_from': 'xn--bcher-kva.example'}
    yield 'decomposed letters in a domain', X(
        [row().replace('<header_from>example.org', '<header_from>bu\u0308cher.example')]
    ), ONE, 0, '', {'header_from': 'xn--bcher-kva.example'}


def dates():
    ok = ONE, 0, ''
    yield 'microseconds', X(begin=BEGIN * 10**6, end=DAY * 10**6), [], 1, 'date_range', {}
    yield 'nanoseconds', X(begin=BEGIN * 10**9, end=DAY * 10**9), [], 1, 'date_range', {}
    yield 'seconds and milliseconds', X(end=DAY * 1000), *ok, {'ends': DAY}
    yield 'an exponent', X(begin=f'{BEGIN / 1e9:.9f}E9', end=f'{DAY / 1e9:.9f}E9'), [], 1, 'date_range', {}
    noon = {'begin': '2026-11-19T00:00:00Z'}
    for begin in (
        '2026-11-19 00:00:00 UTC',
        '2026-11-19T00:00:00 GMT',
        '2026-11-19T00:00:00',
        '2026-11-19 01:30:00 +01:30',
        '2026-11-18T19:00:00-0500',
        '2026-11-19T00:00:00.000000Z',
    ):
        yield f'begins {begin}', X(begin=begin, end='2026-11-19T23:59:59Z'), *ok, noon
    for begin in (
        '2026-11-19 00:00:00 CET',
        '2026-11-19 00:00:00 PST8PDT',
        'Thu, 19 Nov 2026 00:00:00 +0000',
        '19.11.2026',
        '11/19/2026',
        '20261119',
        '20261119000000',
        '2026-+1-19T00:00:00Z',
        '2026-11-19T00:00:-5Z',
        '2026- 1-19T00:00:00Z',
        '2026-11-19T00:00:00+0100Z',
        '2026-11-19T24:00:01Z',
        '2026-11-19T00:60:00Z',
        '2026-13-19',
        '2026-11-31',
        '2026-11-19T00:00:00+24:00',
        '-1',
        '0x6919',
        '2026-11-19T00:00:00 ',
        '\u0662026-11-19',
    ):
        if begin.endswith(' '):
            continue
        yield f'begins {begin}', X(begin=begin), [], 1, 'date_range', {}
    yield 'ends tomorrow', X(begin=BEGIN + 86400, end=BEGIN + 2 * 86400 - 1), *ok, {'begins': BEGIN + 86400}
    yield 'ends next week', X(end=BEGIN + 8 * 86400), [], 1, 'date_range', {}
    yield 'begins when it ends', X(begin=BEGIN, end=BEGIN), *ok, {'ends': BEGIN}


def json_with(**members):
    report = json.loads(tls())
    report.update(members)
    return json.dumps(report).encode()


def policies(*some):
    """Of each: its type, its domain, how many went well, the failures."""
    return json_with(
        policies=[
            {
                'policy': {'policy-type': kind, 'policy-domain': domain},
                'summary': {
                    'total-successful-session-count': good,
                    'total-failure-session-count': sum(f['failed-session-count'] for f in bad),
                },
                'failure-details': bad,
            }
            for kind, domain, good, bad in some
        ]
    )


def failure(n, **more):
    return {'result-type': 'certificate-expired', 'sending-mta-ip': '192.0.2.1', 'failed-session-count': n, **more}


def tls_reports():
    yield 'TLS, policies of MTA-STS and DANE', policies(
        ('sts', 'example.org', 10, []), ('tlsa', '_25._tcp.mx.example.org', 5, [failure(2)])
    ), [('taken', 1, 10), ('taken', 2, 7)], 0, '', {'detail': 'sts'}
    yield 'TLS, two policies about one domain', policies(('sts', 'example.org', 10, []), ('tlsa', 'Example.org.', 5, [failure(2)])), [
        ('taken', 3, 17)
    ], 0, '', {}
    yield 'TLS, every member that may be null is', tls(
        [failure(3, **{'failure-reason-code': None, 'additional-information': None, 'receiving-mx-hostname': None, 'receiving-ip': None})]
    ), GOOD, 0, '', {}
    yield 'TLS, no contact-info', json.dumps(
        {k: v for k, v in json.loads(tls()).items() if k != 'contact-info'}
    ).encode(), GOOD, 0, '', {}
    yield 'TLS, contact-info an object', json_with(**{'contact-info': {'email': 'a@b.example'}}), GOOD, 0, '', {}


def tls_members_twice():
    wrong = b'"total-successful-session-count": 10'
    for old in ('"total-successful-session-count": 10', '"report-id"', '"policies": ['):
        assert old.encode() in tls()
    yield 'TLS, a number twice, the same', tls().replace(wrong, wrong + b',' + wrong), GOOD, 0, '', {}
    yield 'TLS, a number twice, not the same', tls().replace(wrong, wrong + b', "total-successful-session-count": 99'), [
        ('taken in part', 1, 3)
    ], 0, '', {}
    yield 'TLS, the policies twice', tls().replace(b'"policies": [', b'"policies": [{}], "policies": ['), [], 1, 'policies', {}
    yield 'TLS, the date-range twice', tls().replace(
        b'"date-range"',
        b'"date-range": {"start-datetime": "2026-11-18T00:00:00Z", "end-datetime": ' b'"2026-11-18T23:59:59Z"}, "date-range"',
    ), [], 1, 'date-range', {}
    yield 'TLS, the start twice', tls().replace(
        b'"start-datetime"', b'"start-datetime": "2026-11-18T00:00:00Z", "start-datetime"'
    ), [], 1, 'date-range', {}
    yield 'TLS, the domain twice', tls().replace(
        b'"policy-domain"', b'"policy-domain": "example.net", "policy-domain"'
    ), [], 1, 'policy-domain', {}
    yield 'TLS, the summary twice', tls().replace(b'"summary"', b'"summary": {"total-successful-session-count": 9}, "summary"'), [
        ('taken in part', 1, 3)
    ], 0, '', {}
    yield 'TLS, the failures twice', tls().replace(b'"failure-details"', b'"failure-details": [], "failure-details"'), [
        ('taken in part', 2, 13)
    ], 0, '', {}
    yield 'TLS, unknown members twice', tls().replace(b'"report-id"', b'"x": 1, "x": 2, "report-id"'), GOOD, 0, '', {}


def tls_values():
    yield 'TLS, a name with an escape', tls().replace(b'total-successful', b'total\\u002Dsuccessful').replace(
        b'policy-domain', b'policy-dom\\u0061in'
    ), GOOD, 0, '', {}
    yield 'TLS, slashes escaped', tls([failure(3, **{'additional-information': 'HERE'})]).replace(
        b'HERE', b'https:\\/\\/x.example\\/'
    ), GOOD, 0, '', {}
    yield 'TLS, the summary in an array', json_with(
        policies=[
            {
                'policy': {'policy-type': 'sts', 'policy-domain': 'example.org'},
                'summary': [{'total-successful-session-count': 10}],
                'failure-details': [failure(3)],
            }
        ]
    ), [('taken in part', 1, 3)], 0, '', {}
    yield 'TLS, failures as a text', tls('none'), [('taken in part', 2, 13)], 0, '', {}
    yield 'TLS, failures in arrays of arrays', tls([[failure(3)]]), [('taken in part', 1, 10)], 0, '', {}
    yield 'TLS, failures with names of their own', tls({'0': failure(3)}), [('taken in part', 1, 10)], 0, '', {}
    yield 'TLS, policy in an array', json_with(
        policies=[{'policy': [{'policy-domain': 'example.org'}], 'summary': {}}]
    ), [], 1, 'policy-domain', {}
    for text in ('+3', ' 3 ', '003'):
        yield f'TLS, a number as the text "{text}"', tls([failure(text)], 10, 3), GOOD, 0, '', {}
    for text in ('1,000', '3 sessions', '', '3.5', '0x3', True, [3], {'n': 3}, '-3'):
        yield f'TLS, no number: {json.dumps(text)}', tls([failure(text)], 10, 3), [('taken in part', 1, 10)], 0, '', {}
    yield 'TLS, a number with an exponent', tls([failure('HERE')], 10, 3).replace(b'"HERE"', b'3e2'), [
        ('taken in part', 1, 10)
    ], 0, '', {}
    for begin in ('2026-11-19T00:00:00', '2026-11-19T00:00:00+0000', '2026-11-19 00:00:00 UTC', '2026-11-19T02:00:00+02:00'):
        yield f'TLS, begins {begin}', tls(begin=begin), GOOD, 0, '', {'begin': '2026-11-19T00:00:00Z'}
    for begin in ('2026-11-19T00:00:00 CEST', '19 Nov 2026', '2026-11-19T00:00:00+2400'):
        yield f'TLS, begins {begin}', tls(begin=begin), [], 1, 'date-range', {}
    for text, kept in (('192.0.2.7:40112', '192.0.2.7'), ('[2001:DB8::7]', '2001:db8::7'), (None, '')):
        yield f'TLS, address {text}', tls([failure(3, **{'sending-mta-ip': text})], 0), [('taken', 1, 3)], 0, '', {'source': kept}


def tls_wrapped():
    yield 'TLS, gzip, called JSON', mail(part(gzip.compress(tls()), 'application/tlsrpt+json', name='r.json')), GOOD, 0, '', {}
    yield 'TLS, called text/plain without a name', mail(
        TEXT, b'Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n' + base64.encodebytes(tls())
    ), GOOD, 0, '', {}
    yield 'TLS, beside a DMARC report', mail(part(gzip.compress(tls())), part(gzip.compress(X()))), [
        ('taken', 2, 13),
        ('taken', 1, 7),
    ], 0, '', {}
    yield 'TLS, BOM in gzip in a mail', mail(part(gzip.compress(b'\xef\xbb\xbf' + tls()), 'application/tlsrpt+gzip')), GOOD, 0, '', {}
    yield 'TLS, quotes of another language', tls().replace(b'"', b"'"), [], 1, 'line 1', {}
    yield 'TLS, two reports on two lines', tls() + b'\n' + tls(), [], 1, 'line 2', {}
    yield 'TLS, a comma behind the last member', tls()[:-1] + b',\n}', [], 1, 'line 2', {}
    yield 'TLS, the domain in letters of its own', policies(('sts', 'b\u00fccher.example', 10, [failure(3)])), [
        ('taken, about others', 2, 13)
    ], 0, '', {'domain': 'xn--bcher-kva.example'}
    yield 'TLS, a wildcard for the domain', policies(('sts', '*.example.org', 10, [])), [], 1, 'no domain name', {}


STATUS = (
    b'Feedback-Type: auth-failure\nUser-Agent: someone/1.0\nVersion: 1\nOriginal-Mail-From: <a@example.org>\n'
    b'Arrival-Date: Thu, 19 Nov 2026 00:00:00 +0000\nSource-IP: 192.0.2.1\nReported-Domain: example.org\nAuth-Failure: dmarc\n'
    b'Delivery-Result: reject\nIdentity-Alignment: dkim, spf\n'
    b'Authentication-Results: mx.receiver.example; dmarc=fail header.from=example.org\n'
)


def about_one_mail(
    status=STATUS,
    kind='multipart/report; report-type=feedback-report',
    of=b'Content-Type: message/feedback-report\n\n',
    back=b'Content-Type: text/rfc822-headers\n\nFrom: a@example.org\nSubject: x\n',
    text=TEXT,
):
    return mail(text, of + status, back, kind=kind)


def returned():
    """A mail with a report in it that came back."""
    return b'Content-Type: message/rfc822\n\n' + mail(TEXT, part(gzip.compress(X()))).replace(b'=_b', b'=_c')


def failure_reports():
    """Reports about one mail (RFC 6591, RFC 5965) are none that the ledger counts: each is named as what it is, and so is the domain; a
    report that is within the mail that came back is not taken."""
    said = [], 1, 'about one mail'
    yield 'failure, RFC 6591', about_one_mail(), [], 1, 'example.org', {}
    yield 'failure, its fields in another order', about_one_mail(b'\n'.join(reversed(STATUS.strip().split(b'\n'))) + b'\n'), *said, {}
    for alignment in (b'none', b'dkim', b'dkim , spf', b'DKIM,SPF', b'"spf"', b''):
        yield f'failure, Identity-Alignment: {alignment.decode()}', about_one_mail(STATUS.replace(b'dkim, spf', alignment)), *said, {}
    yield 'failure, several Reported-Domain', about_one_mail(
        STATUS + b'Reported-Domain: example.net\nReported-URI: http://x.example/\n'
    ), *said, {}
    yield 'failure, no Reported-Domain', about_one_mail(STATUS.replace(b'Reported-Domain: example.org\n', b'')), *said, {}
    yield 'failure, folded fields', about_one_mail(STATUS.replace(b': ', b':\n\t')), [], 1, 'example.org', {}
    yield 'failure, of a mail with a report in it', about_one_mail(back=returned()), *said, {}
    yield 'failure, of a mail with a report in it, in base64', about_one_mail(
        back=b'Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n' + base64.encodebytes(mail(part(gzip.compress(X()))))
    ), *said, {}
    yield 'failure, every part in base64', about_one_mail(
        base64.encodebytes(STATUS),
        of=b'Content-Type: message/feedback-report\nContent-Transfer-Encoding: base64\n\n',
        back=b'Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n' + base64.encodebytes(b'From: a@example.org\n'),
    ), [], 1, 'example.org', {}
    yield 'failure, quoted-printable', about_one_mail(
        STATUS.replace(b'=', b'=3D').replace(b'example.org', b'exa=\nmple.org'),
        of=(b'Content-Type: message/feedback-report\nContent-Transfer-Encoding: quoted-printable\n\n'),
    ), [], 1, 'example.org', {}
    yield 'failure, in capitals and quotes', about_one_mail(
        kind='MULTIPART/REPORT; Report-Type="FEEDBACK-REPORT"', of=(b'CONTENT-TYPE: MESSAGE/FEEDBACK-REPORT\n\n')
    ), *said, {}
    yield 'failure, no report-type', about_one_mail(kind='multipart/report'), *said, {}
    yield 'failure, in multipart/mixed', about_one_mail(kind='multipart/mixed', back=returned()), *said, {}
    yield 'failure, the mail that came back first', mail(
        TEXT, returned(), b'Content-Type: message/feedback-report\n\n' + STATUS, kind='multipart/report; report-type=feedback-report'
    ), *said, {}
    yield 'failure, the mail that came back as a file', about_one_mail(
        back=part(mail(part(gzip.compress(X()))).replace(b'=_b', b'=_c'), 'application/octet-stream', name='mail.eml')
    ), *said, {}
    yield 'failure, the text is HTML', about_one_mail(text=b'Content-Type: text/html\n\n<p>&lt;feedback&gt;</p>\n'), *said, {}
    yield 'complaint of a reader (ARF)', about_one_mail(
        b'Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 0.1\nSource-IP: 192.0.2.1\n', back=returned()
    ), *said, {}
    yield 'failure, forwarded beside a report', mail(
        part(gzip.compress(X())), b'Content-Type: message/rfc822\n\n' + about_one_mail().replace(b'=_b', b'=_c')
    ), ONE, 1, 'about one mail', {}
    yield 'failure, CRLF, in an mbox with a report', (
        b'From a@b Thu\n' + about_one_mail() + b'\nFrom a@b Thu\n' + mail(part(gzip.compress(X())))
    ).replace(b'\n', b'\r\n'), ONE, 1, 'mail 1', {}


def shapes():
    dmarc = (structure, said_twice, extensions, fields, characters, dates)
    tls = (tls_reports, tls_members_twice, tls_values, tls_wrapped)
    for of in (*dmarc, *tls, failure_reports):
        yield from of()
