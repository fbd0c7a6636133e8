// SPDX-License-Identifier: BSD-2-Clause
/*
 * libmilter.c - hands what libmilter tells to callbacks.c, and its answers to libmilter.
 *
 * Translates and decides nothing. libmilter runs each connection in a thread of its own, so `end` waits for
 * DNS there. Failure: what libmilter refuses is reported to the caller (mta.h).
 */
#include "milter/libmilter.h"
#include "judge/reply.h"
#include "milter/callbacks.h"
#include "milter/session.h"
#include "milter/wire/wire_flags.h"
#include <libmilter/mfapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(WIRE_MAY_ADD_HEADERS == SMFIF_ADDHDRS && WIRE_MAY_CHANGE_HEADERS == SMFIF_CHGHDRS &&
                   WIRE_MAY_QUARANTINE == SMFIF_QUARANTINE && WIRE_MAY_SET_SYMBOLS == SMFIF_SETSYMLIST,
               "actions");
_Static_assert(WIRE_NO_REPLY_HEADER == SMFIP_NR_HDR && WIRE_NO_UNKNOWN == SMFIP_NOUNKNOWN &&
                   WIRE_NO_DATA == SMFIP_NODATA && WIRE_MAY_SKIP == SMFIP_SKIP &&
                   WIRE_NO_REPLY_CONNECT == SMFIP_NR_CONN && WIRE_NO_REPLY_HELO == SMFIP_NR_HELO &&
                   WIRE_NO_REPLY_MAIL == SMFIP_NR_MAIL && WIRE_NO_REPLY_RCPT == SMFIP_NR_RCPT &&
                   WIRE_NO_REPLY_DATA == SMFIP_NR_DATA && WIRE_NO_REPLY_UNKNOWN == SMFIP_NR_UNKN &&
                   WIRE_NO_REPLY_HEADER_END == SMFIP_NR_EOH && WIRE_NO_REPLY_BODY == SMFIP_NR_BODY &&
                   WIRE_LEADING_SPACE == SMFIP_HDR_LEADSPC,
               "steps");
_Static_assert(WIRE_FIRST_ACTIONS == SMFI_V1_ACTS && WIRE_FIRST_STEPS == SMFI_V1_PROT, "version 2 without bits");
_Static_assert(WIRE_STAGE_CONNECT == SMFIM_CONNECT && WIRE_STAGE_HELO == SMFIM_HELO &&
                   WIRE_STAGE_MAIL == SMFIM_ENVFROM && WIRE_STAGE_RCPT == SMFIM_ENVRCPT &&
                   WIRE_STAGE_DATA == SMFIM_DATA && WIRE_STAGE_END == SMFIM_EOM && WIRE_STAGE_HEADER_END == SMFIM_EOH &&
                   WIRE_STAGES == SMFIM_LAST + 1,
               "stages");

/* ---- what a session asks of libmilter ---- */

struct libmilter_mta {
    struct mta mta;
    SMFICTX *ctx;
};

static SMFICTX *ctx_of(struct mta *mta)
{
    return ((struct libmilter_mta *)(void *)mta)->ctx;
}

/* libmilter's functions take texts that are not const, though they change none. */
#define NAME_MAX_OCTETS 64

static const char *get_macro(struct mta *mta, const char *name)
{
    char copy[NAME_MAX_OCTETS];

    snprintf(copy, sizeof copy, "%s", name);
    return smfi_getsymval(ctx_of(mta), copy);
}

static bool insert_header(struct mta *mta, const char *name, const char *value)
{
    char name_copy[NAME_MAX_OCTETS], *copy = strdup(value);
    bool ok;

    snprintf(name_copy, sizeof name_copy, "%s", name);
    ok = copy && smfi_insheader(ctx_of(mta), 0, name_copy, copy) == MI_SUCCESS;
    free(copy);
    return ok;
}

static bool change_header(struct mta *mta, const char *name, unsigned index, const char *value)
{
    char name_copy[NAME_MAX_OCTETS], *copy = strdup(value);
    bool ok;

    snprintf(name_copy, sizeof name_copy, "%s", name);
    ok = copy && smfi_chgheader(ctx_of(mta), name_copy, (int)index, copy) == MI_SUCCESS;
    free(copy);
    return ok;
}

static bool quarantine(struct mta *mta, const char *reason)
{
    char copy[128];

    snprintf(copy, sizeof copy, "%s", reason);
    return smfi_quarantine(ctx_of(mta), copy) == MI_SUCCESS;
}

#define PERCENT_LINE (2 * REPLY_LINE_MAX + 1)

/* libmilter treats the text of a reply as a printf format, so each percent sign is doubled. */
static char *double_percent(const char *text, char out[PERCENT_LINE])
{
    size_t n = 0;

    for (; *text && n + 2 < PERCENT_LINE; text++) {
        if (*text == '%')
            out[n++] = '%';
        out[n++] = *text;
    }
    out[n] = 0;
    return out;
}

static bool set_reply(struct mta *mta, const char *code, const char *enhanced, const char *const *lines, size_t count)
{
    char copies[REPLY_LINES][PERCENT_LINE];
    char *line[REPLY_LINES] = {NULL};

    for (size_t i = 0; i < count && i < REPLY_LINES; i++)
        line[i] = double_percent(lines[i], copies[i]);
    return smfi_setmlreply(ctx_of(mta), code, enhanced, line[0], line[1], line[2], NULL) == MI_SUCCESS;
}

static const struct mta_ops ops = {
    .macro = get_macro,
    .insert_header = insert_header,
    .change_header = change_header,
    .quarantine = quarantine,
    .reply = set_reply,
};

static struct libmilter_mta mta_of(SMFICTX *ctx)
{
    return (struct libmilter_mta){.mta.ops = &ops, .ctx = ctx};
}

/* ---- what libmilter tells ---- */

static struct session *session_from(SMFICTX *ctx)
{
    return session_of(smfi_getpriv(ctx));
}

static sfsistat status_of(enum mta_answer answer)
{
    switch (answer) {
    case MTA_CONTINUE:
        return SMFIS_CONTINUE;
    case MTA_ACCEPT:
        return SMFIS_ACCEPT;
    case MTA_REJECT:
        return SMFIS_REJECT;
    case MTA_DISCARD:
        return SMFIS_DISCARD;
    case MTA_SKIP:
        return SMFIS_SKIP;
    case MTA_TEMPFAIL:
    case MTA_PENDING: /* never: this engine cannot wait elsewhere */
        break;
    }
    return SMFIS_TEMPFAIL;
}

static void ask_for_macros(SMFICTX *ctx)
{
    for (size_t i = 0; i < callbacks.macro_stages; i++) {
        char names[256];
        snprintf(names, sizeof names, "%s", callbacks.macros[i].names);
        smfi_setsymlist(ctx, (int)callbacks.macros[i].stage, names);
    }
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2, unsigned long f3,
                             unsigned long *pf0, unsigned long *pf1, unsigned long *pf2, unsigned long *pf3)
{
    if (!callbacks.negotiate(f0, f1, pf0, pf1))
        return SMFIS_REJECT;
    if (f0 & SMFIF_SETSYMLIST)
        ask_for_macros(ctx);
    *pf2 = *pf3 = 0;
    (void)f2;
    (void)f3;
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *address)
{
    struct libmilter_mta m = mta_of(ctx);
    struct session *s;
    enum mta_answer answer = callbacks.connect(&m.mta, host, (const struct sockaddr *)address, &s);

    if (s && smfi_setpriv(ctx, s) != MI_SUCCESS) {
        session_free(s);
        return SMFIS_TEMPFAIL;
    }
    return status_of(answer);
}

static sfsistat on_helo(SMFICTX *ctx, char *helo)
{
    return status_of(callbacks.helo(session_from(ctx), helo));
}

static sfsistat on_mail(SMFICTX *ctx, char **args)
{
    struct libmilter_mta m = mta_of(ctx);
    return status_of(callbacks.mail(&m.mta, session_from(ctx), (const char *const *)args));
}

static sfsistat on_rcpt(SMFICTX *ctx, char **args)
{
    struct libmilter_mta m = mta_of(ctx);
    return status_of(callbacks.rcpt(&m.mta, session_from(ctx), (const char *const *)args));
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    callbacks.header(session_from(ctx), name, value);
    return SMFIS_NOREPLY;
}

static sfsistat on_header_end(SMFICTX *ctx)
{
    return status_of(callbacks.header_end(session_from(ctx)));
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *piece, size_t n)
{
    return status_of(callbacks.body(session_from(ctx), slice_of((const char *)piece, n)));
}

static sfsistat on_end(SMFICTX *ctx)
{
    struct libmilter_mta m = mta_of(ctx);
    return status_of(callbacks.end(&m.mta, session_from(ctx)));
}

static sfsistat on_abort(SMFICTX *ctx)
{
    callbacks.abort(session_from(ctx));
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    session_free(session_from(ctx));
    smfi_setpriv(ctx, NULL);
    return SMFIS_CONTINUE;
}

void libmilter_describe(struct smfiDesc *out)
{
    static char name[] = "assay-milter";

    *out = (struct smfiDesc){
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_header_end,
        .xxfi_body = on_body,
        .xxfi_eom = on_end,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_negotiate = on_negotiate,
    };
}
