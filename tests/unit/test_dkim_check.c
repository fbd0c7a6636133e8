// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_dkim_check.c - one signature per case, written from the words of RFC 6376, 8301, 8463 and 8616: what the field
 * says, what the key's record says, and what must come of it. The signatures are made by OpenSSL over canonical texts
 * that stand here literally (dkim_lab.h).
 */
#include "engines/engines.h"
#include "tests/unit/dkim_lab.h"

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

static const char zone[] = "r512._domainkey.example.org TXT \"v=DKIM1; k=rsa; p={RSA512}\"\n"
                           "r1024._domainkey.example.org TXT \"v=DKIM1; k=rsa; p={RSA1024}\"\n"
                           "r2048._domainkey.example.org TXT \"v=DKIM1; k=rsa; p={RSA2048}\"\n"
                           "r4096._domainkey.example.org TXT \"v=DKIM1; k=rsa; p={RSA4096}\"\n"
                           "r8192._domainkey.example.org TXT \"v=DKIM1; k=rsa; p={RSA8192}\"\n"
                           "pkcs1._domainkey.example.org TXT \"v=DKIM1; p={PKCS1}\"\n"
                           "ed._domainkey.example.org TXT \"v=DKIM1; k=ed25519; p={ED25519}\"\n"
                           "edspki._domainkey.example.org TXT \"v=DKIM1; k=ed25519; p={RSA1024}\"\n"
                           "sel.two._domainkey.example.org TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "u._domainkey.xn--bcher-kva.example TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "nodata._domainkey.example.org nodata TXT\n"
                           "servfail._domainkey.example.org servfail\n"
                           "timeout._domainkey.example.org timeout\n"
                           "bogus._domainkey.example.org bogus \"signature expired\"\n"
                           "secure._domainkey.example.org secure TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "revoked._domainkey.example.org TXT \"v=DKIM1; p=\"\n"
                           "v2._domainkey.example.org TXT \"v=DKIM2; p={RSA2048}\"\n"
                           "vlast._domainkey.example.org TXT \"p={RSA2048}; v=DKIM1\"\n"
                           "nov._domainkey.example.org TXT \"p={RSA2048}\"\n"
                           "nop._domainkey.example.org TXT \"v=DKIM1; k=rsa\"\n"
                           "badp._domainkey.example.org TXT \"v=DKIM1; p=*not base64*\"\n"
                           "noder._domainkey.example.org TXT \"v=DKIM1; p=MIIBIjANBgkq\"\n"
                           "trailing._domainkey.example.org TXT \"v=DKIM1; p={ED25519}{RSA1024}\"\n"
                           "sha1._domainkey.example.org TXT \"v=DKIM1; h=sha1; p={RSA2048}\"\n"
                           "both._domainkey.example.org TXT \"v=DKIM1; h=sha1 : sha256; p={RSA2048}\"\n"
                           "email._domainkey.example.org TXT \"v=DKIM1; s=email; p={RSA2048}\"\n"
                           "any._domainkey.example.org TXT \"v=DKIM1; s=*; p={RSA2048}\"\n"
                           "other._domainkey.example.org TXT \"v=DKIM1; s=tlsrpt; p={RSA2048}\"\n"
                           "testing._domainkey.example.org TXT \"v=DKIM1; t=y; p={RSA2048}\"\n"
                           "strict._domainkey.example.org TXT \"v=DKIM1; t=s; p={RSA2048}\"\n"
                           "flags._domainkey.example.org TXT \"v=DKIM1; t=y : s : new; p={RSA2048}\"\n"
                           "k._domainkey.example.org TXT \"v=DKIM1; k=dilithium; p={RSA2048}\"\n"
                           "spf._domainkey.example.org TXT \"v=spf1 -all\"\n"
                           "spf._domainkey.example.org TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "two._domainkey.example.org TXT \"v=DKIM1; p={RSA1024}\"\n"
                           "two._domainkey.example.org TXT \"v=DKIM1; p={RSA2048}\"\n"
                           "g._domainkey.example.org TXT \"v=DKIM1; g=; n=notes =3B here; x=?; p={RSA2048};\"\n"
                           "dup._domainkey.example.org TXT \"v=DKIM1; p={RSA2048}; p={RSA2048}\"\n"
                           "empty._domainkey.example.org TXT \"\"\n"
                           "cname._domainkey.example.org CNAME r2048._domainkey.example.org\n"
                           "blanks._domainkey.example.org TXT \" v = DKIM1 ; k = rsa ; p = {RSA2048} \"\n";

/* The message that is signed, unless a case brings its own fields. */
static const struct lab_field usual[] = {{"Received", " from a by b"},
                                         {"From", " Alice <alice@example.org>"},
                                         {"To", " bob@example.net"},
                                         {"Subject", " Meeting"},
                                         {NULL, NULL}};
#define USUAL_H "from:to:subject"
#define USUAL_CANONICAL "from:Alice <alice@example.org>\r\nto:bob@example.net\r\nsubject:Meeting\r\n"
#define BODY "Hello.\r\n"

/* Tags of a signature that is right except what the case changes. */
#define V "v=1; "
#define A "a=rsa-sha256; "
#define C "c=relaxed/relaxed; "
#define D "d=example.org; "
#define S "s=r2048; "
#define H "h=" USUAL_H "; "
#define BH "bh={BH}; "
#define KEY(selector) V A C D "s=" selector "; " H BH "b="

enum flag {
    COUNTS = 1,
    TESTING = 2,
    WEAK = 4,
    PARTLY = 8,
    OVERSIGNED = 16,
    HEADER_OK = 32,
    BODY_OK = 64,
    SECURE = 128,
    BROKEN = 256,
    ONLY_BODY = 512
};
#define GOOD (COUNTS | HEADER_OK | BODY_OK)

struct signature_case {
    const char *name;
    const char *tags; /* up to and with b=; canonical already, except cases that say how it is canonical */
    enum result result;
    unsigned flags;     /* exactly these */
    const char *reason; /* a part of it; NULL: must be empty */
    const char *key;    /* NULL: RSA2048 */
    const char *after;  /* what follows b=...; NULL: nothing */
    const struct lab_field *fields;
    const char *canonical_headers;
    const char *canonical_field; /* where `tags` is not canonical as it stands; without the name */
    const char *sent_bh_of;      /* the body whose hash bh= gets; NULL: BODY */
    const char *b;               /* instead of the real signature */
    const char *opendkim;        /* libopendkim finds otherwise: why, and by what we are right */
};

static const struct lab_field two_from[] = {{"From", " mallory@evil.example"},
                                            {"From", " Alice <alice@example.org>"},
                                            {"To", " bob@example.net"},
                                            {"Subject", " Meeting"},
                                            {NULL, NULL}};
static const struct lab_field keywords[] = {
    {"From", " a@example.org"}, {"Keywords", " one"}, {"keywords", " two"}, {"KEYWORDS", " three"}, {NULL, NULL}};
static const struct lab_field spaced_name[] = {{"From ", " a@example.org"}, {NULL, NULL}};

static const struct signature_case cases[] = {
    /* Algorithms and key sizes: RFC 8301 3.1, 3.2; RFC 8463. */
    {"RSA 2048", KEY("r2048"), RESULT_PASS, GOOD, NULL},
    {"RSA 1024 is accepted and flagged", KEY("r1024"), RESULT_PASS, GOOD | WEAK, "fewer than 2048", .key = "RSA1024"},
    {"RSA 512 is not accepted", KEY("r512"), RESULT_POLICY, WEAK | HEADER_OK | BODY_OK, "fewer than 1024",
     .key = "RSA512"},
    {"RSA 4096", KEY("r4096"), RESULT_PASS, GOOD, NULL, .key = "RSA4096"},
    {"RSA 8192", KEY("r8192"), RESULT_PASS, GOOD, NULL, .key = "RSA8192"},
    {"Ed25519", V "a=ed25519-sha256; " C D "s=ed; " H BH "b=", RESULT_PASS, GOOD, NULL, .key = "ED25519"},
    {"p= as RSAPublicKey", KEY("pkcs1"), RESULT_PASS, GOOD, NULL},
    {"rsa-sha1", V "a=rsa-sha1; " C D S H BH "b=", RESULT_PERMERROR, 0, "rsa-sha1"},
    {"a= unknown", V "a=rsa-sha512; " C D S H BH "b=", RESULT_NEUTRAL, 0, "a="},
    {"a= in capitals", V "a=RSA-SHA256; " C D S H BH "b=", RESULT_NEUTRAL, 0, "a="},
    {"a= missing", V C D S H BH "b=", RESULT_NEUTRAL, 0, "no a="},
    {"Ed25519 with an RSA key", V "a=ed25519-sha256; " C D S H BH "b=", RESULT_PERMERROR, BODY_OK, "another type",
     .key = "ED25519"},
    {"RSA with an Ed25519 key", KEY("ed"), RESULT_PERMERROR, BODY_OK, "another type"},
    {"an Ed25519 key that is not 32 octets", V "a=ed25519-sha256; " C D "s=edspki; " H BH "b=", RESULT_PERMERROR,
     BODY_OK, "32 octets", .key = "ED25519"},
    {"signed with another key", KEY("r2048"), RESULT_FAIL, BODY_OK, "does not verify", .key = "RSA1024"},

    /* b= and bh=. */
    {"b= is noise", KEY("r2048"), RESULT_FAIL, BODY_OK, "does not verify", .b = "AAAAAAAAAAAAAAAAAAAAAA=="},
    {"b= is not base64", KEY("r2048"), RESULT_NEUTRAL, 0, "b=", .b = "!!!!"},
    {"b= is empty", KEY("r2048"), RESULT_NEUTRAL, 0, "b= is empty", .b = ""},
    {"b= missing", V A C D S H "bh={BH}", RESULT_NEUTRAL, 0, "no b=", .b = ""},
    {"b= in the middle", V A C D S H "b=", RESULT_PASS, GOOD, NULL, .after = "; bh={BH}"},
    {"b= last, with a semicolon", KEY("r2048"), RESULT_PASS, GOOD, NULL, .after = ";"},
    {"bh= of another body", KEY("r2048"), RESULT_FAIL, HEADER_OK | ONLY_BODY, "body hash", .sent_bh_of = "Other.\r\n"},
    {"bh= of another body, RSA 512", KEY("r512"), RESULT_FAIL, WEAK | HEADER_OK, "body hash", .key = "RSA512",
     .sent_bh_of = "Other.\r\n"},
    {"bh= of another body, and a From was added", V A C D S H BH "b=", RESULT_FAIL, HEADER_OK, "body hash",
     .sent_bh_of = "Other.\r\n", .fields = two_from},
    {"bh= of another body, x= past", V A C D S "x=1767225599; " H BH "b=", RESULT_FAIL, HEADER_OK, "body hash",
     .sent_bh_of = "Other.\r\n"},
    {"bh= of another beginning, l= of a part", V A C D S "l=5; " H BH "b=", RESULT_FAIL, PARTLY | HEADER_OK,
     "body hash", .sent_bh_of = "Other"},
    {"bh= too short", V A C D S H "bh=AAAA; b=", RESULT_NEUTRAL, 0, "bh="},
    {"bh= missing", V A C D S H "b=", RESULT_NEUTRAL, 0, "no bh="},

    /* The list of tags: RFC 6376 3.2, 3.5, 6.1.1. */
    {"v= missing", A C D S H BH "b=", RESULT_NEUTRAL, 0, "no v="},
    {"v=2", "v=2; " A C D S H BH "b=", RESULT_NEUTRAL, 0, "v="},
    {"v= not first", A V C D S H BH "b=", RESULT_PASS, GOOD, NULL},
    {"a tag twice", V A C D D S H BH "b=", RESULT_NEUTRAL, 0, "twice"},
    {"a tag without =", V A C D S H "rubbish; " BH "b=", RESULT_NEUTRAL, 0, "malformed"},
    {"an empty place between semicolons", V A "; " C D S H BH "b=", RESULT_NEUTRAL, 0, "malformed"},
    {"a name that begins with a digit", V A C D S H "1x=y; " BH "b=", RESULT_NEUTRAL, 0, "malformed"},
    {"unknown tags are ignored", V A C D S H "r=y; new_tag1=a=b; empty=; " BH "b=", RESULT_PASS, GOOD, NULL},
    {"names are case-sensitive", V A C D "S=r2048; " H BH "b=", RESULT_NEUTRAL, 0, "no s="},
    {"z= is carried and ignored", V A C D S H "z=From:x|To:y=20z; " BH "b=", RESULT_PASS, GOOD, NULL},

    /* d= and s=. */
    {"d= missing", V A C S H BH "b=", RESULT_NEUTRAL, 0, "no d="},
    {"d= is one label", V A C "d=org; " S H BH "b=", RESULT_NEUTRAL, 0, "single label"},
    {"d= with a quote", V A C "d=example.org'a.evil.example; " S H BH "b=", RESULT_NEUTRAL, 0, "d="},
    {"d= with a parenthesis", V A C "d=example.org(.evil.example; " S H BH "b=", RESULT_NEUTRAL, 0, "d="},
    {"d= with a blank", V A C "d=example.org evil.example; " S H BH "b=", RESULT_NEUTRAL, 0, "d="},
    {"d= ends in a dot", V A C "d=example.org.; " S H BH "b=", RESULT_NEUTRAL, 0, "d="},
    {"d= in capitals", V A C "d=EXAMPLE.Org; " S H BH "b=", RESULT_PASS, GOOD, NULL},
    {"d= in U-labels (RFC 8616)",
     V A C "d=b\xc3\xbc"
           "cher.example; s=u; " H BH "b=",
     RESULT_PASS, GOOD, NULL},
    {"d= with broken UTF-8", V A C "d=b\xc3.example; s=u; " H BH "b=", RESULT_NEUTRAL, 0, "malformed"},
    {"s= missing", V A C D H BH "b=", RESULT_NEUTRAL, 0, "no s="},
    {"s= empty", V A C D "s=; " H BH "b=", RESULT_NEUTRAL, 0, "s="},
    {"s= of two labels", V A C D "s=sel.two; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"s= with a slash", V A C D "s=a/b; " H BH "b=", RESULT_NEUTRAL, 0, "s="},

    /* h=. */
    {"h= missing", V A C D S BH "b=", RESULT_NEUTRAL, 0, "no h="},
    {"h= without From", V A C D S "h=to:subject; " BH "b=", RESULT_PERMERROR, 0, "From is not signed"},
    {"h= empty", V A C D S "h=; " BH "b=", RESULT_NEUTRAL, 0, "h="},
    {"h= with an empty name", V A C D S "h=from::to; " BH "b=", RESULT_NEUTRAL, 0, "h="},
    {"h= names fields that are not there", V A C D S "h=from:cc:to:subject:list-id; " BH "b=", RESULT_PASS, GOOD, NULL},
    {"h= in other case", V A C D S "h=FROM:tO:SubJect; " BH "b=", RESULT_PASS, GOOD, NULL},
    {"h= with blanks about colons", V A C D S "h=from : to : subject; " BH "b=", RESULT_PASS, GOOD, NULL},
    {"h= takes fields from the bottom up", V A C D S "h=from:keywords:keywords; " BH "b=", RESULT_PASS, GOOD, NULL,
     .fields = keywords, .canonical_headers = "from:a@example.org\r\nkeywords:three\r\nkeywords:two\r\n"},
    {"h= takes them in no other order", V A C D S "h=from:keywords:keywords; " BH "b=", RESULT_FAIL, BODY_OK, "verify",
     .fields = keywords, .canonical_headers = "from:a@example.org\r\nkeywords:one\r\nkeywords:two\r\n"},
    {"more names than fields are nothing",
     V A C D S "h=from:keywords:keywords:keywords:keywords; " BH "b=", RESULT_PASS, GOOD, NULL, .fields = keywords,
     .canonical_headers = "from:a@example.org\r\nkeywords:three\r\nkeywords:two\r\nkeywords:one\r\n"},
    {"From oversigned", V A C D S "h=from:from:to:subject; " BH "b=", RESULT_PASS, GOOD | OVERSIGNED, NULL},
    {"a From was added", V A C D S H BH "b=", RESULT_POLICY, HEADER_OK | BODY_OK, "From", .fields = two_from},
    {"a From was added to an oversigned mail", V A C D S "h=from:from:to:subject; " BH "b=", RESULT_FAIL, BODY_OK,
     "verify", .fields = two_from},
    {"a blank before the colon, relaxed", V A C D S "h=from; " BH "b=", RESULT_PASS, GOOD, NULL, .fields = spaced_name,
     .canonical_headers = "from:a@example.org\r\n"},
    {"h= names the signature itself: not there", V A C D S "h=from:to:subject:dkim-signature; " BH "b=", RESULT_PASS,
     GOOD, NULL, .opendkim = "takes the signature being verified for a field that h= names; RFC 6376 3.5 excludes it"},

    /* i=. */
    {"i= below d=", V A C D S "i=alice@mail.example.org; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"i= without local part", V A C D S "i=@example.org; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"i= elsewhere", V A C D S "i=@example.net; " H BH "b=", RESULT_NEUTRAL, 0, "i="},
    {"i= that only ends like d=", V A C D S "i=@notexample.org; " H BH "b=", RESULT_NEUTRAL, 0, "i="},
    {"i= in quoted-printable", V A C D S "i=a=3Db=40c@example.org; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"i= with a coded NUL", V A C D S "i=a=00@example.org; " H BH "b=", RESULT_NEUTRAL, 0, "i="},
    {"i= without @", V A C D S "i=example.org; " H BH "b=", RESULT_NEUTRAL, 0, "i="},
    {"t=s and i= of d= itself", V A C D "s=strict; i=x@example.org; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"t=s and i= below d=", V A C D "s=strict; i=x@m.example.org; " H BH "b=", RESULT_PERMERROR, BODY_OK, "t=s"},

    /* l=. BODY has 8 octets. */
    {"l= of the whole body", V A C D S "l=8; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"l= of a part", V A C D S "l=5; " H BH "b=", RESULT_POLICY, PARTLY | HEADER_OK | BODY_OK,
     "l=", .sent_bh_of = "Hello"},
    {"l=0", V A C D S "l=0; " H BH "b=", RESULT_POLICY, PARTLY | HEADER_OK | BODY_OK, "l=", .sent_bh_of = ""},
    {"l= more than there is", V A C D S "l=9; " H BH "b=", RESULT_FAIL, HEADER_OK | ONLY_BODY, "l="},
    {"l= enormous", V A C D S "l=99999999999999999999999999999999999999; " H BH "b=", RESULT_FAIL,
     HEADER_OK | ONLY_BODY, "l="},
    {"l= negative", V A C D S "l=-1; " H BH "b=", RESULT_NEUTRAL, 0, "l="},

    /* q=, t=, x=. */
    {"q=dns/txt", V A C D S "q=dns/txt; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"q= with one more that is not known", V A C D S "q=http/well-known : dns/txt; " H BH "b=", RESULT_PASS, GOOD,
     NULL},
    {"q= with nothing known", V A C D S "q=http/well-known; " H BH "b=", RESULT_NEUTRAL, 0, "q="},
    {"q= empty", V A C D S "q=; " H BH "b=", RESULT_NEUTRAL, 0, "q="},
    {"x= past", V A C D S "t=1700000000; x=1767225599; " H BH "b=", RESULT_POLICY, HEADER_OK | BODY_OK, "expired"},
    {"x= now", V A C D S "x=1767225600; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"x= past and a forged b=", V A C D S "x=1767225599; " H BH "b=", RESULT_FAIL, BODY_OK, "verify", .b = "AAAA"},
    {"x= before t=", V A C D S "t=1767225600; x=1767225600; " H BH "b=", RESULT_NEUTRAL, 0, "x="},
    {"t= far ahead", V A C D S "t=1767230000; " H BH "b=", RESULT_POLICY, HEADER_OK | BODY_OK, "future"},
    {"t= a little ahead", V A C D S "t=1767225800; " H BH "b=", RESULT_PASS, GOOD, NULL},
    {"t= with a blank", V A C D S "t=17000 00000; " H BH "b=", RESULT_NEUTRAL, 0, "t="},
    {"t= of thirteen digits", V A C D S "t=1700000000000; " H BH "b=", RESULT_NEUTRAL, 0, "t="},

    /* The key in DNS: RFC 6376 3.6.1, 6.1.2. */
    {"no such name", KEY("gone"), RESULT_PERMERROR, BODY_OK, "no key"},
    {"no data", KEY("nodata"), RESULT_PERMERROR, BODY_OK, "no key"},
    {"SERVFAIL", KEY("servfail"), RESULT_TEMPERROR, BODY_OK, "could not be fetched"},
    {"time-out", KEY("timeout"), RESULT_TEMPERROR, BODY_OK, "could not be fetched"},
    {"bogus", KEY("bogus"), RESULT_TEMPERROR, BODY_OK | BROKEN, "bogus"},
    {"DNSSEC-secure", KEY("secure"), RESULT_PASS, GOOD | SECURE, NULL},
    {"by way of a CNAME", KEY("cname"), RESULT_PASS, GOOD, NULL},
    {"revoked", KEY("revoked"), RESULT_PERMERROR, BODY_OK, "revoked"},
    {"v=DKIM2", KEY("v2"), RESULT_PERMERROR, BODY_OK, "DKIM1"},
    {"v= not first", KEY("vlast"), RESULT_PERMERROR, BODY_OK, "first"},
    {"no v=", KEY("nov"), RESULT_PASS, GOOD, NULL},
    {"no p=", KEY("nop"), RESULT_PERMERROR, BODY_OK, "p="},
    {"p= is not base64", KEY("badp"), RESULT_PERMERROR, BODY_OK, "base64"},
    {"p= is cut off", KEY("noder"), RESULT_PERMERROR, BODY_OK, "RSA key"},
    {"p= with padding in the middle", KEY("trailing"), RESULT_PERMERROR, BODY_OK, "base64"},
    {"h=sha1 only", KEY("sha1"), RESULT_PERMERROR, BODY_OK, "SHA-256"},
    {"h=sha1:sha256", KEY("both"), RESULT_PASS, GOOD, NULL},
    {"s=email", KEY("email"), RESULT_PASS, GOOD, NULL},
    {"s=*", KEY("any"), RESULT_PASS, GOOD, NULL},
    {"s= for something else", KEY("other"), RESULT_PERMERROR, BODY_OK, "e-mail"},
    {"t=y", KEY("testing"), RESULT_PASS, COUNTS | TESTING | HEADER_OK | BODY_OK, "testing"},
    {"t=y, and it does not verify", V A C D "s=testing; " H BH "b=", RESULT_NEUTRAL, TESTING | BODY_OK,
     "as no signature", .b = "AAAA"},
    {"t=y among others", KEY("flags"), RESULT_PASS, COUNTS | TESTING | HEADER_OK | BODY_OK, "testing"},
    {"k= unknown", KEY("k"), RESULT_PERMERROR, BODY_OK, "another type"},
    {"another TXT record beside the key", KEY("spf"), RESULT_PASS, GOOD, NULL},
    {"two keys, the second is it", KEY("two"), RESULT_PASS, GOOD, NULL},
    {"g=, n= and unknown tags", KEY("g"), RESULT_PASS, GOOD, NULL},
    {"p= twice", KEY("dup"), RESULT_PERMERROR, BODY_OK, "twice"},
    {"an empty record", KEY("empty"), RESULT_PERMERROR, BODY_OK, "="},
    {"blanks wherever they may be", KEY("blanks"), RESULT_PASS, GOOD, NULL},
};

static unsigned flags_of(const struct dkim_signature *s)
{
    return (s->counts ? COUNTS : 0) | (s->testing ? TESTING : 0) | (s->weak_key ? WEAK : 0) |
           (s->body_partly_unsigned ? PARTLY : 0) | (s->oversigned_from ? OVERSIGNED : 0) |
           (s->header_hash_ok ? HEADER_OK : 0) | (s->body_hash_ok ? BODY_OK : 0) |
           (s->only_body_changed ? ONLY_BODY : 0) | (s->security == DNS_SECURE ? SECURE : 0) |
           (s->security == DNS_BROKEN ? BROKEN : 0);
}

/* The field's value, signed. */
static char *make_field(const struct signature_case *t)
{
    const char *bh_of = t->sent_bh_of ? t->sent_bh_of : BODY;
    char *tags = lab_fill(t->tags, bh_of), *after = lab_fill(t->after ? t->after : "", bh_of);
    struct buf text = BUF_INIT, value = BUF_INIT;
    buf_adds(&text, t->canonical_headers ? t->canonical_headers : USUAL_CANONICAL);
    buf_printf(&text, "dkim-signature:%s%s", tags, after);
    char *b = t->b ? strdup(t->b) : lab_sign(t->key ? t->key : "RSA2048", buf_slice(&text));
    buf_printf(&value, " %s%s%s", tags, b, after);
    free(tags);
    free(after);
    free(b);
    buf_release(&text);
    return buf_detach(&value);
}

static void check_case(const struct signature_case *t, bool opendkim)
{
    struct lab l;
    struct dkim_check_options options = {.at = NOW, .engine = opendkim ? &assay_dkim_engine : NULL};
    const struct dkim_signature *s = NULL;
    size_t count = 0;
    char *field = make_field(t);
    lab_open(&l, zone);
    lab_add(&l, "DKIM-Signature", field);
    for (const struct lab_field *f = t->fields ? t->fields : usual; f->name; f++)
        lab_add(&l, f->name, f->value);
    struct dkim_checker *c = dkim_checker_new(l.dns, l.arena, &l.headers, "example.org", &options);
    assert_non_null(c);
    dkim_checker_body(c, SLICE_LIT(BODY));
    assert_int_equal(dkim_checker_end(c, &s, &count), STATUS_OK);
    assert_int_equal(count, 1);
    if (s->result != t->result || flags_of(s) != t->flags ||
        (t->reason ? !strstr(s->reason, t->reason) : *s->reason != '\0'))
        fail_msg("%s: got %s, flags %x, \"%s\"; want %s, flags %x, \"%s\"", t->name, result_name(s->result),
                 flags_of(s), s->reason, result_name(t->result), t->flags, t->reason ? t->reason : "");
    dkim_checker_free(c);
    lab_close(&l);
    free(field);
}

static void test_cases(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i], false);
}

/* The same, with libopendkim verifying what it can. */
static void test_cases_by_opendkim(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (!cases[i].opendkim)
            check_case(&cases[i], true);
}

static void test_texts_of_a_finding(void **state)
{
    static const struct signature_case t = {
        "", V A C "d=EXAMPLE.org; i=J=2EDoe@Mail.Example.org; s=R2048; t=1700000000; x=1800000000; " H BH "b="};
    struct lab l;
    struct dkim_check_options options = {.at = NOW};
    const struct dkim_signature *s = NULL;
    size_t count = 0;
    char *field = make_field(&t);
    lab_open(&l, zone);
    for (const struct lab_field *f = usual; f->name; f++)
        lab_add(&l, f->name, f->value);
    lab_add(&l, "dkim-signature", field);
    struct dkim_checker *c = dkim_checker_new(l.dns, l.arena, &l.headers, NULL, &options);
    dkim_checker_body(c, SLICE_LIT("Hel"));
    dkim_checker_body(c, SLICE_LIT(""));
    dkim_checker_body(c, SLICE_LIT("lo.\r"));
    dkim_checker_body(c, SLICE_LIT("\n"));
    assert_int_equal(dkim_checker_end(c, &s, &count), STATUS_OK);
    assert_int_equal(count, 1);
    assert_int_equal(s->result, RESULT_PASS);
    assert_string_equal(s->domain, "example.org");
    assert_string_equal(s->selector, "r2048");
    assert_string_equal(s->identity, "J.Doe@mail.example.org");
    assert_string_equal(s->algorithm, "rsa-sha256");
    assert_string_equal(s->canonicalization, "relaxed/relaxed");
    assert_int_equal(strlen(s->header_b), 8);
    assert_non_null(strstr(field, s->header_b));
    assert_int_equal(s->key_bits, 2048);
    assert_int_equal(s->signed_at, 1700000000);
    assert_int_equal(s->expires, 1800000000);
    assert_int_equal(s->field, 1);
    assert_int_equal(s->key_state, DNS_FOUND);
    assert_true(s->key_asked && s->tried);
    dkim_checker_free(c);
    lab_close(&l);
    free(field);
}

static void test_nul_in_names(void **state)
{
    /* a3 of the known attacks: DNS would see the octets before the NUL, DMARC those after. */
    static const char *const values[] = {
        " v=1; a=rsa-sha256; d=example.org; s=r2048\0.evil.example; h=from; bh=AAAA; b=AAAA",
        " v=1; a=rsa-sha256; d=evil.example\0example.org; s=r2048; h=from; bh=AAAA; b=AAAA"};
    for (size_t i = 0; i < 2; i++) {
        struct lab l;
        const struct dkim_signature *s = NULL;
        size_t count = 0;
        lab_open(&l, zone);
        size_t n = strlen(values[i]) + 1 + strlen(values[i] + strlen(values[i]) + 1);
        assert_int_equal(header_list_add(&l.headers, SLICE_LIT("DKIM-Signature"), slice_of(values[i], n)), STATUS_OK);
        struct dkim_checker *c = dkim_checker_new(l.dns, l.arena, &l.headers, "example.org", NULL);
        assert_int_equal(dkim_checker_end(c, &s, &count), STATUS_OK);
        assert_int_equal(count, 1);
        assert_int_equal(s->result, RESULT_NEUTRAL);
        assert_null(dns_trace(l.dns, 0));
        dkim_checker_free(c);
        lab_close(&l);
    }
}

static void test_unsigned(void **state)
{
    struct lab l;
    const struct dkim_signature *s = NULL;
    size_t count = 1;
    lab_open(&l, zone);
    struct dkim_checker *c = dkim_checker_new(l.dns, l.arena, &l.headers, NULL, NULL);
    dkim_checker_body(c, SLICE_LIT(BODY));
    assert_int_equal(dkim_checker_end(c, &s, &count), STATUS_OK);
    assert_int_equal(count, 0);
    assert_int_equal(dkim_checker_fields(c), 0);
    dkim_checker_free(c);
    lab_close(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases), cmocka_unit_test(test_cases_by_opendkim),
                                       cmocka_unit_test(test_texts_of_a_finding), cmocka_unit_test(test_nul_in_names),
                                       cmocka_unit_test(test_unsigned)};
    return cmocka_run_group_tests(tests, NULL, lab_end);
}
