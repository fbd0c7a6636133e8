// SPDX-License-Identifier: BSD-2-Clause
/*
 * letter_words.c - the abbreviations that a letter may hold, and what each means (letter_words.h).
 *
 * Promises that a meaning says it without another abbreviation, or that this one is found, too. Pure.
 */
#include "cli/check/letter_words.h"
#include "base/language.h"
#include "cli/text.h"
#include <ctype.h>
#include <string.h>

static const struct {
    const char *name, *meaning;
} words[] = {
    {"AAAA", LANGUAGE_MARK("a DNS entry with an IPv6 address")},
    {"AS", LANGUAGE_MARK("the number of a network that announces addresses on the internet")},
    {"BIMI", LANGUAGE_MARK("the logo of a domain, published in DNS for mail programs to show")},
    {"CAA", LANGUAGE_MARK("the DNS entry that names who may issue certificates for a domain")},
    {"CNAME", LANGUAGE_MARK("a DNS entry that makes a name an alias of another one")},
    {"DANE", LANGUAGE_MARK("certificates of mail servers are pinned in signed DNS, so that nobody else's is accepted")},
    {"DANE-EE", LANGUAGE_MARK("DANE for the certificate of the server itself")},
    {"DHE", LANGUAGE_MARK("an older way to agree on a key (Diffie-Hellman)")},
    {"DKIM", LANGUAGE_MARK("a signature of the sender's domain on each message")},
    {"DMARC", LANGUAGE_MARK("the domain says what receivers are to do with mail that falsely bears its name")},
    {"DNS", LANGUAGE_MARK("the directory of the internet, which turns names into addresses")},
    {"DNSKEY", LANGUAGE_MARK("the DNS entry with the key of a signed zone")},
    {"DNSSEC", LANGUAGE_MARK("signatures on DNS entries, by which a forged answer is noticed")},
    {"DS", LANGUAGE_MARK("the DNS entry by which the zone above vouches for a zone's key")},
    {"ECDSA", LANGUAGE_MARK("a modern kind of signature with short keys")},
    {"HTTPS", LANGUAGE_MARK("the encrypted way to a web server")},
    {"IPv4", LANGUAGE_MARK("the older kind of internet address")},
    {"IPv6", LANGUAGE_MARK("the newer kind of internet address, of which there are enough")},
    {"MTA-STS", LANGUAGE_MARK("the domain says by a web page that mail to it must be encrypted")},
    {"MX", LANGUAGE_MARK("the DNS entry that names the mail servers of a domain")},
    {"NS", LANGUAGE_MARK("the DNS entry that names the name servers of a domain")},
    {"NSEC", LANGUAGE_MARK("the DNS entry by which a signed zone proves that a name does not exist")},
    {"NSEC3", LANGUAGE_MARK("the same as NSEC, with hashed names")},
    {"NSEC3PARAM", LANGUAGE_MARK("the DNS entry with the settings of NSEC3")},
    {"NXDOMAIN", LANGUAGE_MARK("the answer that a name does not exist")},
    {"PTR", LANGUAGE_MARK("the DNS entry with the name of an address")},
    {"ROA", LANGUAGE_MARK("the signed statement of RPKI on who may announce a network")},
    {"RPKI", LANGUAGE_MARK("signed statements on who may announce which network on the internet")},
    {"RSA", LANGUAGE_MARK("the most common kind of key for signatures")},
    {"SHA-1", LANGUAGE_MARK("an old way to make a fingerprint of data, which can be forged today")},
    {"SHA-256", LANGUAGE_MARK("a way to make a fingerprint of data that is safe today")},
    {"SMTP", LANGUAGE_MARK("the language in which mail servers talk to each other")},
    {"SOA", LANGUAGE_MARK("the first DNS entry of a zone, which says who keeps it")},
    {"SPF", LANGUAGE_MARK("the list of the servers that may send mail of a domain")},
    {"SSL", LANGUAGE_MARK("the predecessor of TLS, broken today")},
    {"STARTTLS", LANGUAGE_MARK("the command by which mail servers begin to encrypt")},
    {"TCP", LANGUAGE_MARK("the usual kind of connection on the internet")},
    {"TLS", LANGUAGE_MARK("the encryption of connections on the internet")},
    {"TLS-RPT", LANGUAGE_MARK("reports on mail to a domain that could not be encrypted")},
    {"TLSA", LANGUAGE_MARK("the DNS entry of DANE with the fingerprint of a certificate")},
    {"TXT", LANGUAGE_MARK("a DNS entry that holds a text")},
};

_Static_assert(sizeof words / sizeof *words <= LETTER_WORDS, "LETTER_WORDS is too small");

const char *letter_word_name(size_t i)
{
    return i < sizeof words / sizeof *words ? words[i].name : NULL;
}

const char *letter_word_meaning(size_t i)
{
    return i < sizeof words / sizeof *words ? cli_text(words[i].meaning) : NULL;
}

/* The longest abbreviation at p that ends there, so that TLS is not found in TLS-RPT; or what letter_word_name() has no
 * name for. */
static size_t word_at(const char *p, size_t *length)
{
    size_t best = LETTER_WORDS;
    *length = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i].name);
        if (n > *length && strncmp(p, words[i].name, n) == 0 && !isalnum((unsigned char)p[n])) {
            *length = n;
            best = i;
        }
    }
    return best;
}

void letter_words_find(const char *text, bool used[LETTER_WORDS])
{
    bool inside = false; /* a word */
    for (const char *p = text; *p;) {
        size_t n = 0, i = inside ? LETTER_WORDS : word_at(p, &n);
        if (i != LETTER_WORDS && !used[i]) {
            used[i] = true;
            letter_words_find(letter_word_meaning(i), used); /* each word once: it ends */
        }
        p += n ? n : 1;
        inside = isalnum((unsigned char)p[-1]) || p[-1] == '_';
    }
}
