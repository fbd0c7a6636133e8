// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_read.c - `assay policy read [FILE]`: the whole policy in plain sentences, for someone who knows no
 * abbreviation.
 *
 * Prints each statement in the sentences of policy_sentences.c; for each standard the lines that name it, in the order
 * in which they are tried, so that no reader has to guess which of two wins; and an explanation of each standard that
 * occurs. What is said alike of many is said once, since a policy may have a file for each of 100,000 customers. Every
 * sentence names the line it stands for. Text is wrapped to the terminal. --json: an object for each statement.
 */
#include "base/json.h"
#include "cli/policy/policy_cmd.h"
#include "cli/policy/policy_examples.h"
#include "cli/policy/policy_sentences.h"
#include "cli/policy/policy_words.h"
#include "policy/policy_settings.h"
#include <stdlib.h>

#define TRIED_MOST 60u
#define MEMBERS_MOST 20u /* of a group, by name */

/* ---- what is said alike ---- */

struct group {
    char *alike;        /* what its statements have in common, in words */
    size_t first, last; /* numbers of its statements */
    size_t members;
    uint64_t hash;
};

struct groups {
    size_t *next;    /* for each statement the next one of its group; SIZE_MAX: none */
    size_t *slots;   /* open addressing: number of a group + 1 */
    struct group *g; /* in the order of their first statements */
    size_t count, slot_count;
    bool failed;
};

static bool groupable(const struct policy_statement *s)
{
    return s->kind == POLICY_RULE || s->kind == POLICY_NAMES_RULE || s->kind == POLICY_EXEMPT ||
           s->kind == POLICY_TRUST || s->kind == POLICY_SUSPEND;
}

/* What is said of statement s in this form, as text of its own. */
static void say_apart(const struct reading *r, const struct policy_statement *s, int form, size_t width,
                      struct buf *into)
{
    struct reading apart = {.p = r->p, .out = *into, .width = width};
    apart.form = form;
    sentences_of(&apart, s);
    *into = apart.out;
}

static void put_into_group(const struct reading *r, struct groups *all, size_t i, struct buf *text)
{
    const struct policy_statement *s = policy_statement_at(r->p, i);
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    buf_reset(text);
    if (groupable(s))
        say_apart(r, s, ALIKE, SIZE_MAX / 2, text);
    else
        buf_printf(text, "%zu", i);
    if (text->failed) {
        all->failed = true;
        return;
    }
    for (size_t k = 0; k < text->n; k++)
        hash = (hash ^ (unsigned char)text->p[k]) * UINT64_C(1099511628211);
    size_t slot = hash % all->slot_count;
    for (; all->slots[slot]; slot = (slot + 1) % all->slot_count) {
        struct group *g = &all->g[all->slots[slot] - 1];
        if (g->hash != hash || strcmp(g->alike, text->p) != 0)
            continue;
        all->next[g->last] = i;
        g->last = i;
        g->members++;
        return;
    }
    char *alike = strdup(text->p);
    all->failed |= !alike;
    if (!alike)
        return;
    all->g[all->count] = (struct group){.alike = alike, .first = i, .last = i, .members = 1, .hash = hash};
    all->slots[slot] = ++all->count;
}

static void free_groups(struct groups *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->g[i].alike);
    free(all->g);
    free(all->next);
    free(all->slots);
}

/* The statements of these kinds, as groups of those that differ only in whom they are about. */
static void find_groups(const struct reading *r, uint32_t kinds, struct groups *all)
{
    struct buf text = BUF_INIT;
    const struct policy_statement *s;
    size_t n = 0;
    while (policy_statement_at(r->p, n))
        n++;
    *all = (struct groups){.slot_count = 2 * n + 1};
    all->next = malloc((n + 1) * sizeof *all->next);
    all->slots = calloc(all->slot_count, sizeof *all->slots);
    all->g = calloc(n + 1, sizeof *all->g);
    all->failed = !all->next || !all->slots || !all->g;
    for (size_t i = 0; !all->failed && (s = policy_statement_at(r->p, i)); i++) {
        all->next[i] = SIZE_MAX;
        if (kinds >> s->kind & 1)
            put_into_group(r, all, i, &text);
    }
    buf_release(&text);
}

static void say_group(struct reading *r, const struct groups *all, const struct group *g)
{
    struct buf b = BUF_INIT;
    size_t said = 0;
    r->form = GROUP;
    r->members = g->members;
    sentences_of(r, policy_statement_at(r->p, g->first));
    r->form = SAID;
    if (r->out.n > 1 && r->out.p[r->out.n - 2] == '\n')
        r->out.n--; /* the list belongs to it */
    for (size_t i = g->first; i != SIZE_MAX && said < MEMBERS_MOST; i = all->next[i], said++) {
        const struct policy_statement *s = policy_statement_at(r->p, i);
        buf_adds(&b, said ? ", " : "");
        sentences_party(r, s->whom.kind ? &s->whom : &s->who, &b);
        sentences_line(r, s, &b);
    }
    if (said < g->members)
        buf_printf(&b, _(", and %zu more; `assay policy read --json` names all."), g->members - said);
    else
        buf_addc(&b, '.');
    sentences_end(r, "      = ", &b);
    buf_addc(&r->out, '\n');
}

/* A chapter: its heading and every statement of these kinds; what is said alike of many is said once. */
static void chapter(struct reading *r, const char *title, const char *none, uint32_t kinds)
{
    struct groups all;
    sentences_heading(r, title);
    find_groups(r, kinds, &all);
    for (size_t i = 0; !all.failed && i < all.count; i++)
        if (all.g[i].members > 1)
            say_group(r, &all, &all.g[i]);
        else
            sentences_of(r, policy_statement_at(r->p, all.g[i].first));
    r->out.failed |= all.failed;
    if (!all.count)
        sentences_wrap(r, "  ", none);
    free_groups(&all);
}

/* ---- for programs ---- */

/* The sentences of one statement, on one line. */
static void put_sentence(const struct reading *r, const struct policy_statement *s, struct buf *out)
{
    struct buf said = BUF_INIT;
    say_apart(r, s, NO_LINE, SIZE_MAX / 2, &said);
    out->failed |= said.failed;
    for (char *line = said.failed ? NULL : said.p, *end; line && *line; line = end) {
        line += strspn(line, " ");
        line += strncmp(line, "- ", 2) == 0 ? 2 : 0;
        end = line + strcspn(line, "\n");
        if (end > line)
            buf_printf(out, "%s%.*s", out->n ? " " : "", (int)(end - line), line);
        end += *end == '\n';
    }
    buf_release(&said);
}

static void put_subjects(const struct reading *r, const struct policy_statement *s, struct buf *out)
{
    if (s->who.kind) {
        sentences_party(r, &s->who, out);
        if (s->whom.kind) {
            buf_adds(out, _(", written to "));
            sentences_party(r, &s->whom, out);
        }
    }
    for (size_t i = 0; i < s->item_count; i++)
        buf_printf(out, "%s%s", i ? ", " : "", s->items[i]);
}

static bool read_json(struct reading *r)
{
    static const char *const kinds[] = {
        [POLICY_RULE] = "rule",       [POLICY_NAMES_RULE] = "names-rule", [POLICY_EXEMPT] = "exempt",
        [POLICY_SUSPEND] = "suspend", [POLICY_TRUST] = "trust",           [POLICY_OWN] = "own",
        [POLICY_RELAY] = "relay",     [POLICY_SUBMISSION] = "submission", [POLICY_LISTENER] = "listener"};
    const struct policy_statement *s;
    struct json j = JSON_INTO(&r->out);
    struct buf whom = BUF_INIT, sentence = BUF_INIT;
    json_open_array(&j, NULL);
    for (size_t i = 0; (s = policy_statement_at(r->p, i)); i++) {
        if (s->kind >= sizeof kinds / sizeof *kinds)
            continue;
        buf_reset(&whom);
        buf_reset(&sentence);
        buf_adds(&whom, "");
        put_subjects(r, s, &whom);
        put_sentence(r, s, &sentence);
        json_open(&j);
        json_str(&j, "kind", kinds[s->kind]);
        json_slice(&j, "whom", buf_slice(&whom));
        json_slice(&j, "sentence", buf_slice(&sentence));
        json_str(&j, "file", s->file);
        json_int(&j, "line", s->line);
        json_end(&j);
        r->out.failed |= whom.failed || sentence.failed;
    }
    json_end(&j);
    buf_addc(&r->out, '\n');
    buf_release(&whom);
    buf_release(&sentence);
    return cli_flush(&r->out);
}

/* ---- which line wins ---- */

static void say_order(struct reading *r, const char *title, unsigned standard, bool names)
{
    const struct policy_statement **order = NULL;
    size_t n = policy_order(r->p, standard, names, &order);
    if (n > 1) {
        struct buf b = BUF_INIT;
        buf_printf(&b, "%s", title);
        sentences_end(r, "  ", &b);
    }
    for (size_t i = 0; n > 1 && i < n && i < TRIED_MOST; i++) {
        struct buf b = BUF_INIT;
        char first[32];
        snprintf(first, sizeof first, "    %2zu. ", i + 1);
        buf_printf(&b, "%s", order[i]->text);
        sentences_line(r, order[i], &b);
        sentences_end(r, first, &b);
    }
    if (n > TRIED_MOST) {
        struct buf b = BUF_INIT;
        buf_printf(&b, _("and %zu more; `assay policy ask` answers for one sender."), n - TRIED_MOST);
        sentences_end(r, "        ", &b);
    }
    free((void *)(uintptr_t)order);
    if (n > 1)
        buf_addc(&r->out, '\n');
}

static void chapter_conflicts(struct reading *r)
{
    sentences_heading(r, _("When two lines speak of the same mail"));
    sentences_wrap(
        r, "  ",
        _("For each standard one line alone decides, whatever the order they are written in. A line marked "
          "'always' goes first. Then the line that names the "
          "recipient more closely (an address before a domain, a longer domain before a shorter). Then the line "
          "that names the sender more closely (a domain "
          "before a network, a longer name before a shorter, everyone last; a list counts as the name in it that "
          "fits). Of two lines as close as each "
          "other the one further down in the file decides. An exception wins over a line that is not more "
          "closely written than the exception itself, and never "
          "over 'always'. If several standards fail, the most severe consequence is what happens: refuse, before "
          "not now, before hold, before junk, before "
          "a note in the header."));
    buf_addc(&r->out, '\n');
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++) {
        struct buf b = BUF_INIT;
        buf_printf(&b, _("%s: tried in this order, the first that fits decides:"), words_standard((enum standard)i));
        say_order(r, b.p, i, false);
        buf_release(&b);
    }
    say_order(r, _("Names asked of our resolver: tried in this order, the first that fits decides:"), STANDARD_DNSSEC,
              true);
}

static void chapter_standards(struct reading *r)
{
    sentences_heading(r, _("The standards in this policy"));
    for (unsigned i = 0; i < STANDARD_MAIL_COUNT; i++) {
        struct buf b = BUF_INIT;
        if (!(r->standards & POLICY_BIT(i)))
            continue;
        buf_printf(&b, "%s. %s", words_standard((enum standard)i), words_what_is((enum standard)i));
        sentences_end(r, "  - ", &b);
    }
}

static void introduction(struct reading *r)
{
    struct buf b = BUF_INIT;
    buf_printf(&r->out, "%s%s%s\n\n", cli_colour(stdout, CLI_BOLD),
               *policy_title(r->p) ? policy_title(r->p) : _("The policy for mail and DNS"),
               cli_colour(stdout, CLI_PLAIN));
    if (*policy_owner(r->p))
        buf_printf(&b, _("Kept by %s. "), policy_owner(r->p));
    if (policy_set_is(r->p, SETTING_MODE, "enforce"))
        buf_adds(&b, _("It is in force: what it says is done."));
    else
        buf_adds(&b, _("It is a dry run: every message is judged and what would be done is recorded, but nothing "
                       "is done to any message."));
    buf_printf(&b, _(" This page was made from policy version %s; lines in brackets are lines of its file."),
               policy_hash(r->p));
    sentences_end(r, "", &b);
}

/* What somebody who reads no further wants to know. */
static void chapter_examples(struct reading *r)
{
    struct policy_example e;
    sentences_heading(r, _("Six mails, and what becomes of them while the policy is in force"));
    for (size_t i = 0; policy_example(r->p, i, &e); i++) {
        struct buf b = BUF_INIT;
        char first[16];
        buf_printf(&b, "%s ", e.mail);
        if (e.unknown)
            buf_printf(&b, _("Not known: %s."), e.unknown);
        else if (e.action == POLICY_DELIVER)
            buf_adds(&b, _("It is delivered."));
        else
            buf_printf(&b, _("Then %s%s."), words_action(e.action), e.trial ? _(", once the trial is over") : "");
        if (e.statement)
            sentences_line(r, e.statement, &b);
        snprintf(first, sizeof first, "  %zu. ", i + 1);
        sentences_end(r, first, &b);
    }
}

/* How many statements there are of each kind, for a policy too long to read. */
static void chapter_counts(struct reading *r)
{
    static const struct {
        enum policy_kind kind;
        const char *one, *many;
    } kinds[] = {
        {POLICY_RULE, N_("rule for mail"), N_("rules for mail")},
        {POLICY_NAMES_RULE, N_("rule for the resolver"), N_("rules for the resolver")},
        {POLICY_EXEMPT, N_("exemption"), N_("exemptions")},
        {POLICY_TRUST, N_("trusted forwarder"), N_("trusted forwarders")},
        {POLICY_SUSPEND, N_("suspension of validation"), N_("suspensions of validation")},
    };
    sentences_heading(r, _("How much it says"));
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const struct policy_statement *s;
        struct buf b = BUF_INIT;
        size_t n = 0, of_customers = 0;
        for (size_t i = 0; (s = policy_statement_at(r->p, i)); i++) {
            n += s->kind == kinds[k].kind;
            of_customers += s->kind == kinds[k].kind && s->tightens;
        }
        buf_printf(&b, "%zu %s", n, n == 1 ? _(kinds[k].one) : _(kinds[k].many));
        if (of_customers)
            buf_printf(&b, _(", %zu of them said by recipients themselves"), of_customers);
        buf_addc(&b, '.');
        sentences_end(r, "  - ", &b);
    }
}

#define KIND(k) (UINT32_C(1) << (k))

int policy_cmd_read(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "[--summary | --json] [--lang LANGUAGE] [FILE]",
        "Six example mails and what becomes of them; then the whole policy in plain sentences: "
        "what is asked of whom, with what consequence, what is excused, "
        "and which of two lines wins. For someone who knows no abbreviation."};
    struct policy_args a;
    int rc = policy_args_read(&a, &usage, argc, argv,
                              POLICY_ARG_FILE | POLICY_ARG_SUMMARY | POLICY_ARG_JSON | POLICY_ARG_LANG);
    if (rc >= 0)
        return rc;
    if (a.summary && a.json)
        return cli_usage("--summary and --json do not go together");
    cli_speak(&a.lang, a.json);
    struct policy *p = cli_load_policy(a.file, &rc);
    if (!p)
        return rc;
    struct reading r = {.p = p, .out = BUF_INIT, .width = (size_t)cli_width(stdout)};
    if (a.json) {
        bool whole = read_json(&r);
        policy_unref(p);
        return whole ? EX_OK : EX_SOFTWARE;
    }
    introduction(&r);
    chapter_examples(&r);
    if (a.summary) {
        chapter_counts(&r);
        bool whole = cli_flush(&r.out);
        policy_unref(p);
        return whole ? EX_OK : EX_SOFTWARE;
    }
    chapter(&r, _("What happens to incoming mail"), _("Nothing is asked: all standards are checked and recorded."),
            KIND(POLICY_RULE));
    chapter(&r, _("What our resolver insists on"), _("Nothing: signatures in DNS are checked and recorded."),
            KIND(POLICY_NAMES_RULE));
    chapter(&r, _("What is excused, and why"), _("Nothing and nobody."), KIND(POLICY_EXEMPT) | KIND(POLICY_SUSPEND));
    chapter(&r, _("Who is trusted to forward mail"), _("Nobody."), KIND(POLICY_TRUST));
    chapter(&r, _("Our own house"), _("The policy does not say which domains and networks are our own."),
            KIND(POLICY_OWN) | KIND(POLICY_RELAY) | KIND(POLICY_SUBMISSION) | KIND(POLICY_LISTENER));
    chapter_conflicts(&r);
    chapter_standards(&r);
    bool ok = cli_flush(&r.out);
    policy_unref(p);
    return ok ? EX_OK : EX_SOFTWARE;
}
