// SPDX-License-Identifier: BSD-2-Clause
/*
 * grammar.c - our mail grammar as a filter, so that it can be compared with other parsers: the tool behind
 * tests/conformance/differential/check-grammar.
 *
 *     grammar from       each line of stdin: a From field's value in hex. Answers "refused REASON", or "taken" and each
 * mailbox's domain ("-": none) grammar authres    each line: a text in hex. Answers an Authentication-Results value, in
 * hex, that bears it as reason, comment and value
 *
 * Exit: 0; 64 usage; 65 a line is not hex.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "standards/message/authres.h"
#include "standards/message/mailaddr.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static bool unhex(const char *line, struct buf *out)
{
    unsigned octet;
    buf_reset(out);
    for (; isxdigit((unsigned char)line[0]); line += 2) {
        if (!isxdigit((unsigned char)line[1]) || sscanf(line, "%2x", &octet) != 1)
            return false;
        buf_addc(out, (char)octet);
    }
    return *line == '\n' || *line == '\0';
}

static void answer_from(struct slice field)
{
    struct arena *arena = arena_new(1 << 20);
    struct mailbox *box = NULL;
    size_t count = 0;
    const char *why = NULL;
    if (mailaddr_from(arena, field, &box, &count, &why) != STATUS_OK)
        printf("refused %s", why);
    else
        printf("taken");
    for (size_t i = 0; i < count; i++)
        printf(" %s", box[i].domain ? box[i].domain : "-");
    printf("\n");
    arena_free(arena);
}

static void answer_authres(struct slice text)
{
    struct buf out = BUF_INIT, c = BUF_INIT;
    struct authres_writer w;
    buf_addslice(&c, text);
    authres_begin(&w, &out, "mx.example.org");
    authres_method(&w, "spf", "fail", c.p);
    authres_comment(&w, c.p);
    authres_property_slice(&w, "smtp", "mailfrom", text);
    authres_comment(&w, c.p);
    authres_method(&w, "dkim", "none", NULL);
    if (authres_end(&w) == STATUS_OK)
        for (size_t i = 0; i < out.n; i++)
            printf("%02x", (unsigned char)out.p[i]);
    printf("\n");
    buf_release(&out);
    buf_release(&c);
}

int main(int argc, char **argv)
{
    struct buf octets = BUF_INIT;
    char *line = NULL;
    size_t room = 0;
    bool from = argc == 2 && strcmp(argv[1], "from") == 0;
    if (!from && !(argc == 2 && strcmp(argv[1], "authres") == 0)) {
        fprintf(stderr, "usage: grammar from|authres\n");
        return EX_USAGE;
    }
    while (getline(&line, &room, stdin) > 0) {
        if (!unhex(line, &octets)) {
            fprintf(stderr, "grammar: a line is not hex\n");
            return EX_DATAERR;
        }
        (from ? answer_from : answer_authres)(buf_slice(&octets));
    }
    free(line);
    buf_release(&octets);
    return 0;
}
