// SPDX-License-Identifier: BSD-2-Clause
/*
 * format.c - message-format: From, the fields that may stand once (RFC 5322 3.6), and octets that must not stand at all
 * (RFC 5322 2.3).
 *
 * Promises a from_domain only if there is one From field, wholly parsed, with one domain; fields that some readers take
 * for From count as such. Sender and Resent-From are never looked at for an author. Flaws are looked for all through,
 * so that the finding has them all; `reason` names the gravest, by the order of flaw_texts.
 */
#include "standards/message/format.h"
#include "base/domain.h"
#include "base/octet_scan.h"
#include "standards/message/author_candidates.h"

/* Gravest first. */
static const struct {
    unsigned flaw;
    const char *name;
    const char *text;
} flaw_texts[] = {
    {FORMAT_OVER_LIMIT, "over-limit", "the header section is larger than we read"},
    {FORMAT_MANY_FROM, "many-from", "more than one From field"},
    {FORMAT_NO_FROM, "no-from", "no From field"},
    {FORMAT_BAD_FROM, "bad-from", "the From field cannot be parsed"},
    {FORMAT_FROM_DOMAINS, "from-domains", "the From field has authors of several domains"},
    {FORMAT_FROM_EMPTY, "from-empty", "the From field names no address"},
    {FORMAT_FROM_LITERAL, "from-literal", "the From field has an address without a domain name"},
    {FORMAT_BAD_LINE, "bad-line", "a line in the header section is no header field"},
    {FORMAT_NUL, "nul", "the message holds a NUL octet"},
    {FORMAT_BARE_CR, "bare-cr", "the message holds a CR without LF"},
    {FORMAT_BARE_LF, "bare-lf", "the message holds an LF without CR"},
    {FORMAT_DOUBLED, "doubled-field", "a field that may stand once stands more than once"},
};

static const struct {
    unsigned remark;
    const char *name;
} remark_names[] = {
    {FORMAT_REMARK_BLANK_COLON, "blank-before-colon"},
    {FORMAT_REMARK_LONG_LINE, "long-line"},
    {FORMAT_REMARK_NO_DATE, "no-date"},
    {FORMAT_REMARK_NO_SENDER, "no-sender"},
    {FORMAT_REMARK_AUTHORS, "several-authors"},
    {FORMAT_REMARK_EMPTY_FOLD, "empty-fold"},
    {FORMAT_REMARK_ODD_NAME, "odd-name"},
    {FORMAT_REMARK_ODD_ADDRESS, "odd-address"},
    {FORMAT_REMARK_ODD_SENDER, "odd-sender"},
    {FORMAT_REMARK_OBSOLETE, "obsolete-address"},
};

/* RFC 5322 3.6: maximum 1. From is counted on its own. */
static const char *const singletons[] = {
    "Date", "Sender", "Reply-To", "To", "Cc", "Bcc", "Message-ID", "In-Reply-To", "References", "Subject",
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

const char *format_flaw_name(unsigned flaw)
{
    for (size_t i = 0; i < COUNT(flaw_texts); i++)
        if (flaw_texts[i].flaw == flaw)
            return flaw_texts[i].name;
    return "?";
}

const char *format_remark_name(unsigned remark)
{
    for (size_t i = 0; i < COUNT(remark_names); i++)
        if (remark_names[i].remark == remark)
            return remark_names[i].name;
    return "?";
}

void format_body_chunk(struct format_body *body, struct slice chunk, bool lf_lines)
{
    if (!chunk.n)
        return;
    const unsigned found = octet_scan_flaws(chunk.p, chunk.n, body->last_cr);
    body->nul |= (found & OCTET_SCAN_NUL) != 0;
    body->bare_cr |= (found & OCTET_SCAN_BARE_CR) != 0;
    body->bare_lf |= (found & OCTET_SCAN_BARE_LF) != 0 && !lf_lines;
    body->last_cr = chunk.p[chunk.n - 1] == '\r';
}

void format_body_end(struct format_body *body)
{
    if (body->last_cr)
        body->bare_cr = true;
    body->last_cr = false;
}

static void note_domain(struct format_finding *f, const char *domain)
{
    size_t known = f->domain_count < FORMAT_DOMAINS_MAX ? f->domain_count : FORMAT_DOMAINS_MAX;
    for (size_t i = 0; i < known; i++)
        if (strcmp(f->domains[i], domain) == 0)
            return;
    if (f->domain_count < FORMAT_DOMAINS_MAX)
        f->domains[f->domain_count] = domain;
    f->domain_count++;
}

/* What from_candidates' reader finds goes into the finding of the arena's message. */
struct candidates_to {
    struct arena *arena;
    struct format_finding *f;
};

static void take_candidate(void *context, const char *domain)
{
    struct candidates_to *to = context;
    const char *name = arena_strdup(to->arena, domain);
    if (name)
        note_domain(to->f, name);
}

/* A From field that cannot be parsed: whom its readers may see, and what hides it from them. */
static void note_candidates(struct arena *arena, const struct header_field *field, struct author_candidates *c,
                            struct format_finding *f)
{
    struct candidates_to to = {arena, f};
    c->found = take_candidate;
    c->context = &to;
    author_candidates_read(c, field->value);
    f->many_authors |= c->too_many;
    if ((c->any_sign || author_is_disguised(field->value)) && f->author == FORMAT_AUTHOR_ABSENT)
        f->author = FORMAT_AUTHOR_HIDDEN;
}

/* One From field: its flaws, its domains. Gives its parser's reason, or NULL. */
static const char *check_from_field(struct arena *arena, const struct header_field *field, struct author_candidates *c,
                                    struct format_finding *f)
{
    struct mailbox *boxes = NULL;
    size_t count = 0;
    const char *reason = "the name of the From field is broken";
    if ((field->flaws & HEADER_BAD_NAME) || mailaddr_from(arena, field->value, &boxes, &count, &reason) != STATUS_OK) {
        f->flaws |= FORMAT_BAD_FROM;
        note_candidates(arena, field, c, f);
        return reason;
    }
    if (!f->from) {
        f->from = boxes;
        f->from_count = count;
    }
    if (count == 0)
        f->flaws |= FORMAT_FROM_EMPTY;
    for (size_t i = 0; i < count; i++) {
        f->remarks |= (boxes[i].notes & MAILBOX_ODD_NAME ? FORMAT_REMARK_ODD_NAME : 0u) |
                      (boxes[i].notes & MAILBOX_ODD_ADDRESS ? FORMAT_REMARK_ODD_ADDRESS : 0u) |
                      (boxes[i].notes & MAILBOX_OBSOLETE ? FORMAT_REMARK_OBSOLETE : 0u);
        if (boxes[i].domain)
            note_domain(f, boxes[i].domain);
        else
            f->flaws |= FORMAT_FROM_LITERAL;
    }
    return NULL;
}

/* Other fields may hold a From field that only some readers see. */
static const char *check_from_within(struct arena *arena, const struct header_field *field, struct author_candidates *c,
                                     struct format_finding *f)
{
    struct header_field hidden = {.name = SLICE_LIT("From")};
    const char *reason = NULL;
    for (size_t at = 0; header_within(field->value, "From", &at, &hidden.value);) {
        f->from_fields++;
        const char *why = check_from_field(arena, &hidden, c, f);
        reason = reason ? reason : why;
    }
    return reason;
}

static const char *check_from(struct arena *arena, const struct header_list *list, struct format_finding *f)
{
    const char *reason = NULL;
    struct author_candidates c = {.signs = 0};
    for (size_t i = 0; i < list->count; i++) {
        const struct header_field *field = &list->fields[i];
        const char *why = NULL;
        if (header_is(field, "From")) {
            f->from_fields++;
            why = check_from_field(arena, field, &c, f);
        } else if (field->flaws & (HEADER_BARE_CR | HEADER_BARE_LF)) {
            why = check_from_within(arena, field, &c, f);
        }
        reason = reason ? reason : why;
    }
    if (f->from_fields == 0)
        f->flaws |= FORMAT_NO_FROM;
    /* One that only some readers see is a candidate, used against the message and never for it. */
    if (f->from_fields && header_count(list, "From") == 0)
        f->flaws |= FORMAT_BAD_FROM;
    if (f->from_fields > 1) {
        f->flaws |= FORMAT_MANY_FROM;
        f->author = FORMAT_AUTHOR_HIDDEN;
    }
    if (f->domain_count)
        f->author = f->flaws & (FORMAT_BAD_FROM | FORMAT_MANY_FROM) ? FORMAT_AUTHOR_GUESSED : FORMAT_AUTHOR_READ;
    f->many_authors |= f->domain_count > FORMAT_DOMAINS_MAX || list->blind;
    if (f->domain_count > 1 && f->from_fields == 1 && !(f->flaws & FORMAT_BAD_FROM))
        f->flaws |= FORMAT_FROM_DOMAINS;
    if (f->from_count > 1 && f->from_fields == 1 && f->domain_count == 1)
        f->remarks |= FORMAT_REMARK_AUTHORS | (header_count(list, "Sender") ? 0 : FORMAT_REMARK_NO_SENDER);
    return reason;
}

static void check_singletons(const struct header_list *list, struct format_finding *f)
{
    for (size_t i = 0; i < COUNT(singletons); i++) {
        size_t n = header_count(list, singletons[i]);
        if (n > 1) {
            f->flaws |= FORMAT_DOUBLED;
            f->doubled = f->doubled ? f->doubled : singletons[i];
        }
        if (n == 0 && i == 0)
            f->remarks |= FORMAT_REMARK_NO_DATE;
    }
}

static void check_octets(const struct header_list *list, struct format_finding *f)
{
    const unsigned odd = list->flaws;
    if (odd & HEADER_NUL)
        f->flaws |= FORMAT_NUL;
    if (odd & HEADER_BARE_CR)
        f->flaws |= FORMAT_BARE_CR;
    if (odd & HEADER_BARE_LF)
        f->flaws |= FORMAT_BARE_LF;
    if (odd & (HEADER_BAD_LINE | HEADER_BAD_NAME | HEADER_FIRST_BLANK))
        f->flaws |= FORMAT_BAD_LINE;
    if (list->over_limit)
        f->flaws |= FORMAT_OVER_LIMIT;
    if (odd & HEADER_BLANK_COLON)
        f->remarks |= FORMAT_REMARK_BLANK_COLON;
    if (odd & HEADER_LONG_LINE)
        f->remarks |= FORMAT_REMARK_LONG_LINE;
    if (odd & HEADER_EMPTY_FOLD)
        f->remarks |= FORMAT_REMARK_EMPTY_FOLD;
}

/* The words for the gravest flaw, with what is known of it more closely. */
static const char *reason_text(struct arena *arena, const struct format_finding *f, const char *from_reason)
{
    for (size_t i = 0; i < COUNT(flaw_texts); i++) {
        unsigned flaw = flaw_texts[i].flaw;
        if (!(f->flaws & flaw))
            continue;
        const char *text = NULL;
        if (flaw == FORMAT_BAD_FROM && from_reason)
            text = from_reason;
        else if (flaw == FORMAT_DOUBLED)
            text = arena_printf(arena, "more than one %s field", f->doubled);
        return text ? text : flaw_texts[i].text;
    }
    return NULL;
}

/* Flaws that leave open who the author is; the others make the message fail, but not its author unknown: nobody must be
 * able to hide a From domain from DMARC by adding a broken line. */
#define UNSURE_AUTHOR                                                                                                  \
    (FORMAT_NO_FROM | FORMAT_MANY_FROM | FORMAT_BAD_FROM | FORMAT_FROM_EMPTY | FORMAT_FROM_LITERAL |                   \
     FORMAT_FROM_DOMAINS)

void format_check(struct arena *arena, const struct header_list *list, struct format_finding *out)
{
    struct format_finding f = {.result = RESULT_PASS};
    const char *from_reason = check_from(arena, list, &f);
    check_singletons(list, &f);
    check_octets(list, &f);
    if (!(f.flaws & UNSURE_AUTHOR))
        f.from_domain = f.domains[0];
    if (f.flaws) {
        f.result = RESULT_FAIL;
        f.reason = reason_text(arena, &f, from_reason);
    }
    if (arena_failed(arena)) {
        f.result = RESULT_TEMPERROR;
        f.reason = "out of memory";
        f.from_domain = NULL;
    }
    *out = f;
}

void format_add_body(const struct format_body *body, struct format_finding *f)
{
    const unsigned of_body = (body->nul ? FORMAT_NUL : 0u) | (body->bare_cr ? FORMAT_BARE_CR : 0u) |
                             (body->bare_lf ? FORMAT_BARE_LF : 0u),
                   before = f->flaws;
    if (f->result == RESULT_TEMPERROR || !(of_body & ~before))
        return;
    f->result = RESULT_FAIL;
    f->flaws |= of_body;
    for (size_t i = 0; i < COUNT(flaw_texts); i++) {
        if (before & flaw_texts[i].flaw)
            return; /* the header's flaw is graver */
        if (of_body & flaw_texts[i].flaw) {
            f->reason = flaw_texts[i].text;
            return;
        }
    }
}
