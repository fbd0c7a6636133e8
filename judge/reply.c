// SPDX-License-Identifier: BSD-2-Clause
/*
 * reply.c - writes the SMTP replies for refused mail.
 *
 * Codes: 550 with 5.7.x for what failed (RFC 7372: 5.7.20 DKIM, 5.7.23 SPF, 5.7.25 reverse name; RFC 8689's registry:
 * 5.7.10 TLS; RFC 9989 7.4 asks that the text of a DMARC rejection says "DMARC"), 5.6.0 for a message that is none; 451
 * with 4.7.x if trying again makes sense. The reference comes first in the last line, so that no long text cuts it off.
 * Promises: each line is printable ASCII of at most REPLY_LINE_MAX octets. Failure: STATUS_NOMEM, with a short fixed
 * reply.
 */
#include "judge/reply.h"
#include "base/buf.h"
#include "base/domain.h"
#include "policy/policy_settings.h"
#include <string.h>
#include <sys/random.h>

static const struct {
    enum standard standard;
    const char *name, *enhanced, *soft, *more;
} words[] = {
    {STANDARD_SPF, "SPF", "5.7.23", "4.7.24", "https://www.rfc-editor.org/info/rfc7208"},
    {STANDARD_DKIM, "DKIM", "5.7.20", "4.7.20", "https://www.rfc-editor.org/info/rfc6376"},
    {STANDARD_DMARC, "DMARC", "5.7.1", "4.7.1", "https://www.rfc-editor.org/info/rfc9989"},
    {STANDARD_ARC, "ARC", "5.7.29", "4.7.29", "https://www.rfc-editor.org/info/rfc8617"},
    {STANDARD_DANE, "DANE", "5.7.1", "4.7.1", "https://www.rfc-editor.org/info/rfc7672"},
    {STANDARD_TLS, "TLS", "5.7.10", "4.7.10", "https://www.rfc-editor.org/info/rfc3207"},
    {STANDARD_DNSSEC, "DNSSEC", "5.7.1", "4.7.1", "https://www.rfc-editor.org/info/rfc9364"},
    {STANDARD_MESSAGE_FORMAT, "Message format", "5.6.0", "4.6.0", "https://www.rfc-editor.org/info/rfc5322"},
    {STANDARD_RDNS, "Reverse DNS", "5.7.25", "4.7.25", "https://www.rfc-editor.org/info/rfc8601"},
};

static size_t words_of(enum standard s)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].standard == s)
            return i;
    return 0;
}

/* Printable ASCII only; long text is cut at the end of a word. */
static const char *clean(struct arena *a, const char *text)
{
    size_t n = strlen(text), cut = n;
    char *out;

    if (n > REPLY_LINE_MAX) {
        for (cut = REPLY_LINE_MAX - 4; cut > REPLY_LINE_MAX / 2 && text[cut] != ' '; cut--)
            ;
        n = cut;
    }
    out = arena_printf(a, "%.*s%s", (int)n, text, cut < strlen(text) ? " ..." : "");
    for (char *p = out; p && *p; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
            *p = '?';
    return out;
}

static void line_add(struct reply *r, const char *line)
{
    if (line && r->count < REPLY_LINES)
        r->lines[r->count++] = line;
}

/* Who has to prove or do something. SPF, DKIM, DMARC and TLS are asked of a mail, whose sender is not proved where they
 * fail: the domain may be the victim, and is not said to have sent it. DANE, DNSSEC, and a record that is missing, are
 * the domain's own. */
static const char *of_whom(struct arena *a, const struct verdict_line *l)
{
    if (!l->subject)
        return "this mail";
    if (l->standard == STANDARD_RDNS)
        return arena_printf(a, "a client that calls itself %s", l->subject);
    if (l->standard == STANDARD_DANE || l->standard == STANDARD_DNSSEC ||
        (l->result == RESULT_NONE && (l->standard == STANDARD_SPF || l->standard == STANDARD_DMARC)))
        return l->subject;
    return arena_printf(a, "mail that claims to be from %s", l->subject);
}

/* The first line: what failed, and for which domain. A malformed message blames none: whose it is cannot be told. */
static const char *what(struct arena *a, const struct verdict_line *l, bool soft)
{
    const char *name = words[words_of(l->standard)].name;
    const char *subject = l->subject ? l->subject : "this mail";
    const char *mail = l->subject ? arena_printf(a, "mail that claims to be from %s", l->subject) : subject;
    const char *whom = of_whom(a, l);

    if (!mail || !whom)
        return NULL;
    if (soft)
        return arena_printf(a, "%s of %s could not be checked now, please try again: %s", name, subject, l->reason);
    if (l->statement && l->statement->own_from)
        return arena_printf(a, "Sender address not allowed: users of this server may not send as %s: %s", subject,
                            l->reason);
    if (l->standard == STANDARD_DMARC && l->signal)
        return arena_printf(a, "%s: %s is refused as the domain's owner asks (p=reject): %s; and %s", name, mail,
                            l->reason, l->signal);
    if (l->standard == STANDARD_MESSAGE_FORMAT)
        return arena_printf(a, "%s: malformed message: %s", name, l->reason);
    if (l->level == POLICY_REQUIRE)
        return arena_printf(a, "%s is required of %s: %s", name, whom, l->reason);
    return arena_printf(a, "%s: %s is refused: %s", name, mail, l->reason);
}

/* The owner's address, its domain in A-labels; NULL: none, or none that a reply can name (RFC 5321 4.2: ASCII). */
static const char *whom_to_ask(struct arena *a, const struct policy *p)
{
    const char *owner = policy_owner(p), *at = strchr(owner, '@');
    char domain[LIMIT_DOMAIN + 1];
    size_t ascii = 0;
    while (owner[ascii] && (unsigned char)owner[ascii] < 128)
        ascii++;
    if (!at || !owner[ascii])
        return at ? owner : NULL;
    return owner + ascii > at && domain_from_text(slice_str(at + 1), domain) == STATUS_OK
               ? arena_printf(a, "%.*s@%s", (int)(at - owner), owner, domain)
               : NULL;
}

static const char *where_to_read(struct arena *a, size_t w, const struct verdict_line *l, const struct verdict *v,
                                 const struct policy *p, const char *id)
{
    const char *more = policy_set_text(p, SETTING_REPLY_HELP), *ask = whom_to_ask(a, p);

    const bool own_from = l->statement && l->statement->own_from; /* our own rule, without an RFC to read */
    const char *page = *more ? more : own_from ? NULL : words[w].more;

    return arena_printf(a, "%s%s%s%s%s(%s, policy %s%s%s)", page ? "See " : "", page ? page : "",
                        ask ? page ? ", ask " : "Ask " : "", ask ? ask : "", page || ask ? " " : "", id, v->policy_hash,
                        l->statement ? " " : "", l->statement ? l->statement->id : "");
}

enum status reply_for(struct arena *a, const struct verdict *v, const struct policy *p, const char *authserv_id,
                      struct reply *out)
{
    const struct verdict_line *l = verdict_deciding(v);
    const bool soft = v->action == POLICY_DEFER;
    const char *line, *text = NULL, *more;
    size_t w;

    *out = (struct reply){.code = soft ? "451" : "550", .enhanced = soft ? "4.7.1" : "5.7.1"};
    if (!l) {
        line_add(out, "This mail could not be judged now, please try again later");
        return STATUS_OK;
    }
    w = words_of(l->standard);
    out->enhanced = soft ? words[w].soft : words[w].enhanced;
    if (soft && l->limit == LIMIT_OF_MOMENT)
        out->enhanced = "4.4.3";                              /* RFC 3463 3.5: directory server failure */
    const char *says = soft && l->temporary ? NULL : l->text; /* the policy's words are about mail that failed */
    line = what(a, l, soft && l->temporary);
    more = where_to_read(a, w, l, v, p, authserv_id);
    if (line && more) {
        line = clean(a, line);
        more = clean(a, more);
        text = says ? clean(a, says) : NULL;
    }
    if (!line || !more || (says && !text)) {
        line_add(out, soft ? "Please try again later" : "Refused by policy");
        return STATUS_NOMEM;
    }
    line_add(out, line);
    line_add(out, text);
    line_add(out, more);
    return STATUS_OK;
}

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const char *reply_new_reference(char out[REPLY_REFERENCE_SIZE])
{
    unsigned char raw[REPLY_REFERENCE_LENGTH];

    if (getrandom(raw, sizeof raw, 0) != sizeof raw) {
        out[0] = 0;
        return out;
    }
    for (size_t i = 0; i < sizeof raw; i++)
        out[i] = base32[raw[i] % 32];
    out[REPLY_REFERENCE_LENGTH] = 0;
    return out;
}

bool reply_read_reference(const char *text, char out[REPLY_REFERENCE_SIZE])
{
    struct slice s = slice_trim(slice_str(text));

    if (s.n != REPLY_REFERENCE_LENGTH)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        out[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i];
        if (!out[i] || !strchr(base32, out[i]))
            return false;
    }
    out[s.n] = 0;
    return true;
}

enum status reply_refer(struct arena *a, struct reply *r, const char *reference)
{
    const bool joined = r->count > 1 || r->count == REPLY_LINES;
    const char *last = joined ? r->lines[r->count - 1] : "", *line;

    if (!*reference)
        return STATUS_OK;
    line = arena_printf(a, "Reference %s%s%s", reference, joined ? ". " : "", last);
    if (line)
        line = clean(a, line);
    if (!line)
        return STATUS_NOMEM;
    if (joined)
        r->lines[r->count - 1] = line;
    else
        line_add(r, line);
    return STATUS_OK;
}

void reply_split(struct reply *out)
{
    *out = (struct reply){
        .code = "451",
        .enhanced = "4.5.3",
        .lines = {"The recipients' policies differ, please try again: each group of them is then taken by itself"},
        .count = 1};
}

void reply_split_rcpt(struct reply *out)
{
    *out = (struct reply){.code = "452",
                          .enhanced = "4.5.3",
                          .lines = {"This recipient's policy differs from the others', please send it by itself"},
                          .count = 1};
}

const char *reply_text(struct arena *a, const struct reply *r)
{
    return arena_printf(a, "%s %s %s%s%s%s%s", r->code, r->enhanced, r->lines[0], r->count > 1 ? " " : "",
                        r->count > 1 ? r->lines[1] : "", r->count > 2 ? " " : "", r->count > 2 ? r->lines[2] : "");
}
