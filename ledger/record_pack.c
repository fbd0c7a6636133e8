// SPDX-License-Identifier: BSD-2-Clause
/*
 * record_pack.c - records compressed, by zlib.
 *
 * Promises that record_unpack(record_pack(text)) is the text, and that no stored form, however it was damaged, gives
 * more than RECORD_PACK_MAX octets. One record compresses badly by itself, since each word is in it once or twice: the
 * dictionary has the words, and brings 1,400 octets to some 160. On failure nothing is changed.
 */
#include "ledger/record_pack.h"
#include "base/base64.h"
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define FORM '1'
#define RAW                                                                                                            \
    (-15) /* inflate: a window of up to 32 KB; negative: no heading and no check sum (the database has its own) */
#define RAW_OUT                                                                                                        \
    (-13) /* deflate: 8 KB, enough for dictionary and record; a larger one costs three times the time, since
                       * its tables are cleared for each record */
#define LEVEL 6
#define MEMORY 6

/* The most frequent words last: near ones are the cheapest to point at. Never change it: what is stored was made with
 * it. A better one is a form of its own ('2'). */
// clang-format off
static const unsigned char dictionary[] =
    "\"testing\":true\"body_partly_unsigned\":true\"header_hash_ok\":true\"plus_all\":true\"split\":true\"tri"
    "al\":true\"report\":true\"sends_nothing\":\"known_signer\":true,\"candidates\":[{\"domain\":\"by_treewal"
    "k\":{\"result\":\"listener\":\"relay\":\"exemption\":\"expired\":\"trust\":\"signal\":\"held_back\":\"ov"
    "erride\":\"comment\":\"skipped\":\""
    "\"standard\":\"dane\",\"standard\":\"mta-sts\",\"result\":\"softfail\",\"result\":\"neutral\",\"result\""
    ":\"temperror\",\"result\":\"permerror\",\"result\":\"untested\",\"result\":\"policy\",\"reason\":\""
    "\"action\":\"defer\",\"would\":\"defer\",\"action\":\"hold\",\"would\":\"hold\",\"action\":\"tag\",\"wou"
    "ld\":\"tag\",\"level\":\"record\",\"action\":\"reject\",\"would\":\"reject\",\"action\":\"quarantine\","
    "\"would\":\"quarantine\",\"statement\":\"L"
    "\"level\":\"require\",\"action\":\"deliver\",\"reason\":\"level\":\"follow\",\"action\":\"quarantine\","
    "\"statement\":\"L\"source\":\"submission\",\"client\":\"2001:db8:\"helo\":\"mx.mail.mta.smtp.out."
    "{\"v\":1,\"t\":\"2026-12-01T00:00:00.000000Z\",\"host\":\"mx1.example.org\",\"kind\":\"mail\",\"id\":\"4"
    "B\",\"message_id\":\"<@mail.gmail.com>\",\"source\":\"internet\",\"client\":\"192.0.2.\",\"helo\":\"mail"
    ".\",\"mail_from\":\"\",\"from\":\"\",\"rcpts\":1,\"rcpt_domains\":[\"example.org\"],\"size\":\"policy\":"
    "\"stage\":\"end-of-message\",\"ms\":1,\"verdict\":{\"action\":\"deliver\",\"would\":\"deliver\",\"statem"
    "ent\":\"L5\"},\"lines\":[{\"standard\":\"dmarc\",\"subject\":\"\",\"result\":\"pass\",\"security\":\"ins"
    "ecure\",\"level\":\"follow\",\"action\":\"deliver\",\"reason\":\"\",\"statement\":\"L5\"}],\"findings\":"
    "["
    "{\"standard\":\"spf\",\"subject\":\"\",\"result\":\"fail\",\"security\":\"insecure\",\"identity\":\"mail"
    "from\",\"mechanism\":\"ip4:include:_spf.\",\"authorised\":256,\"txt\":\"v=spf1 include:_spf.google.com ~"
    "all\"},{\"standard\":\"spf\",\"subject\":\"\",\"result\":\"pass\",\"reason\":\"\",\"security\":\"insecur"
    "e\",\"identity\":\"helo\"},"
    "{\"standard\":\"arc\",\"subject\":\"\",\"result\":\"none\",\"security\":\"insecure\"},{\"standard\":\"tl"
    "s\",\"subject\":\"\",\"result\":\"pass\",\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\","
    "\"security\":\"secure\"},{\"standard\":\"dnssec\",\"subject\":\"\",\"result\":\"none\",\"security\":\"in"
    "secure\"},{\"standard\":\"message-format\",\"subject\":\"\",\"result\":\"pass\",\"security\":\"insecure"
    "\"},{\"standard\":\"rdns\",\"subject\":\"192.0.2.\",\"result\":\"pass\",\"security\":\"insecure\"},"
    "{\"standard\":\"dkim\",\"subject\":\"\",\"result\":\"pass\",\"security\":\"insecure\",\"selector\":\"s1"
    "\",\"identity_domain\":\"\",\"algorithm\":\"rsa-sha256\",\"bits\":2048,\"aligned\":true,\"counts\":true,"
    "\"header_b\":\"\"},"
    "{\"standard\":\"dmarc\",\"subject\":\"\",\"result\":\"pass\",\"reason\":\"\",\"security\":\"insecure\","
    "\"record\":\"\",\"org\":\"\",\"p\":\"quarantine\",\"sp\":\"none\",\"p\":\"reject\",\"p\":\"none\",\"adki"
    "m\":\"r\",\"aspf\":\"r\",\"fo\":\"0\",\"t\":\"n\",\"psd\":\"u\",\"rua\":\"mailto:dmarc@\",\"ruf\":\"mail"
    "to:\",\"applied\":\"quarantine\",\"discovery\":\"treewalk\",\"spf_aligned\":true,\"dkim_aligned\":true}]"
    "}";
// clang-format on
#define DICTIONARY_SIZE (sizeof dictionary - 1)

struct record_packer {
    z_stream in, out;
    bool in_ready, out_ready;
    struct buf octets, text;
};

struct record_packer *record_packer_new(void)
{
    struct record_packer *p = calloc(1, sizeof *p);
    if (p)
        p->octets = p->text = (struct buf)BUF_INIT;
    return p;
}

struct record_packer *record_packer_free(struct record_packer *p)
{
    if (!p)
        return NULL;
    if (p->out_ready)
        (void)deflateEnd(&p->out);
    if (p->in_ready)
        (void)inflateEnd(&p->in);
    buf_release(&p->octets);
    buf_release(&p->text);
    free(p);
    return NULL;
}

static bool compress_it(struct record_packer *p, struct slice text, unsigned char *out, size_t *n)
{
    z_stream *z = &p->out;
    if (!p->out_ready && deflateInit2(z, LEVEL, Z_DEFLATED, RAW_OUT, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return false;
    p->out_ready = true;
    if (deflateReset(z) != Z_OK || deflateSetDictionary(z, dictionary, DICTIONARY_SIZE) != Z_OK)
        return false;
    z->next_in = (unsigned char *)text.p; /* zlib's type has no const unless ZLIB_CONST is set; it reads only */
    z->avail_in = (unsigned)text.n;
    z->next_out = out;
    z->avail_out = (unsigned)*n;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return false;
    *n -= z->avail_out;
    return true;
}

const char *record_pack(struct record_packer *p, const char *text)
{
    unsigned char octets[RECORD_PACK_MAX + 1024];
    size_t n = sizeof octets;
    struct slice whole = slice_str(text);
    if (whole.n > RECORD_PACK_MAX || !compress_it(p, whole, octets, &n))
        return text;
    buf_reset(&p->text);
    buf_addc(&p->text, FORM);
    base64_encode(&p->text, slice_of((const char *)octets, n), 0);
    return p->text.failed ? text : p->text.p;
}

const char *record_unpack(struct record_packer *p, const char *stored)
{
    unsigned char octets[RECORD_PACK_MAX + 1];
    z_stream *z = &p->in;
    if (!stored || stored[0] == '{' || stored[0] == ' ' || stored[0] == '\t')
        return stored;
    if (stored[0] != FORM || (!p->in_ready && inflateInit2(z, RAW) != Z_OK))
        return NULL;
    p->in_ready = true;
    buf_reset(&p->octets);
    base64_decode(&p->octets, slice_str(stored + 1));
    if (p->octets.failed || inflateReset(z) != Z_OK || inflateSetDictionary(z, dictionary, DICTIONARY_SIZE) != Z_OK)
        return NULL;
    z->next_in = (unsigned char *)p->octets.p;
    z->avail_in = (unsigned)p->octets.n;
    z->next_out = octets;
    z->avail_out = sizeof octets;
    if (inflate(z, Z_FINISH) != Z_STREAM_END || z->avail_out == 0 || memchr(octets, 0, sizeof octets - z->avail_out))
        return NULL;
    buf_reset(&p->text);
    buf_add(&p->text, octets, sizeof octets - z->avail_out);
    return p->text.failed ? NULL : p->text.p;
}
