// SPDX-License-Identifier: BSD-2-Clause
/*
 * socketmap_reply.c - one request of the socketmap protocol, and its reply.
 *
 * Promises one reply to every request, whatever octets it is made of. If memory runs out the reply is TEMP, or the
 * buffer has failed.
 */
#include "outgoing/socketmap_reply.h"
#include "outgoing/socketmap.h"
#include <string.h>

static void wrap(struct buf *reply, const char *word, struct slice text)
{
    buf_printf(reply, "%zu:%s ", strlen(word) + 1 + text.n, word);
    buf_addslice(reply, text);
    buf_addc(reply, ',');
}

/* A key that Postfix could ask for: visible octets. Else it is not found, like any name that is none. */
static bool is_visible(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

/* The map's name before the first blank; *key: what is behind it. No blank: no map. */
static struct slice map_of(struct slice request, struct slice *key)
{
    const char *blank = request.n ? memchr(request.p, ' ', request.n) : NULL;

    *key = SLICE_NULL;
    if (!blank)
        return SLICE_NULL;
    *key = slice_from(request, (size_t)(blank - request.p) + 1);
    return slice_of(request.p, (size_t)(blank - request.p));
}

bool socketmap_reply(struct tls_policy *o, struct slice request, bool at_once, struct buf *reply)
{
    static const char *const words[] = {"OK", "NOTFOUND", "TEMP"};
    enum tls_policy_answer answer = TLS_POLICY_NOT_FOUND;
    struct slice key, map = map_of(request, &key);
    const bool attributes = slice_eq(map, SLICE_LIT(SOCKETMAP_NAME_ATTRIBUTES));
    char text[SOCKETMAP_REQUEST + 1];
    struct buf policy = BUF_INIT;

    if (!attributes && !slice_eq(map, SLICE_LIT(SOCKETMAP_NAME))) {
        wrap(reply, "PERM", SLICE_LIT("the maps here are " SOCKETMAP_NAME " and " SOCKETMAP_NAME_ATTRIBUTES));
        return true;
    }
    if (is_visible(key) && key.n <= SOCKETMAP_REQUEST) {
        if (key.n)
            memcpy(text, key.p, key.n);
        text[key.n] = '\0';
        answer = tls_policy_ask(
            o, &(struct tls_policy_question){.key = text, .attributes = attributes, .at_once = at_once}, &policy);
    }
    if (answer == TLS_POLICY_WAITS) {
        buf_release(&policy);
        return false;
    }
    if (policy.failed || policy.n > SOCKETMAP_REPLY - 16)
        wrap(reply, "TEMP", SLICE_LIT("out of memory"));
    else
        wrap(reply, words[answer], buf_slice(&policy));
    buf_release(&policy);
    return true;
}
