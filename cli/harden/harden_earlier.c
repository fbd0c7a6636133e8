// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_earlier.c - what earlier runs of harden wrote in Postfix's lists, and how other lists follow a moved socket.
 *
 * assay-milter listens where the policy says and where harden told the mail server, so a list that still asks an
 * earlier socket defers its mail. What harden itself added is known by the undo store. Promises that in lists which
 * somebody else wrote (non_smtpd_milters, -o of master.cf) only the socket is replaced, and only one that smtpd_milters
 * itself leaves in this run, or that harden had told the mail server: another assay-milter's entry stays.
 */
#include "cli/harden/harden_postfix.h"
#include "cli/harden/mta_asks.h"
#include "cli/harden/undo_store.h"
#include "policy/policy_settings.h"

#define BLANKS " \t\r\n"

static bool list_has(const char *list, struct slice entry)
{
    struct slice one;
    for (const char *at = list ? list : ""; postfix_next_entry(&at, &one);)
        if (slice_eq(one, entry))
            return true;
    return false;
}

/* Harden only adds entries of its own: what is in the list of after, and not in that of before, is ours. */
static void take_added(struct harden *h, const struct undo_setting *e)
{
    struct slice entry;
    for (const char *at = e->now ? e->now : ""; postfix_next_entry(&at, &entry);)
        if (!list_has(e->was, entry) && h->wrote_count < HARDEN_WROTE)
            h->wrote[h->wrote_count++] = arena_copy(h->arena, entry.p, entry.n);
}

void harden_read_earlier(struct harden *h, const char *keep)
{
    const char *ignored = NULL;
    struct undo_set *set = arena_alloc(h->arena, sizeof *set);
    for (unsigned below = 0; set && undo_load(h->arena, keep, below, set, &ignored) == STATUS_OK; below = set->number)
        for (size_t i = 0; i < set->count; i++)
            for (const struct undo_setting *e = set->files[i].edits; e; e = e->next)
                if (strcmp(e->name, "smtpd_milters") == 0 || strcmp(e->name, "smtp_tls_policy_maps") == 0)
                    take_added(h, e);
}

/* What an entry connects to: "{ inet:h:1, timeout=1s }" is inet:h:1. */
static struct slice connects_to(struct slice entry)
{
    const size_t skip = entry.n && *entry.p == '{' ? 1 : 0;
    struct slice in = slice_trim(slice_from(entry, skip));
    size_t n = 0;
    while (n < in.n && !strchr(",}" BLANKS, in.p[n]))
        n++;
    return slice_of(in.p, n);
}

/* Tells whether an entry of another list asks a socket that is left in this run. */
static bool is_left_behind(struct postfix *p, const char *service, struct slice entry, const char *was)
{
    const char *told = p->h->policy ? policy_mta_socket(p->h->policy) : NULL;
    struct slice one;
    if (mta_asks_entry(p, service, entry, p->h->socket))
        return false;
    if (told && mta_asks_entry(p, service, entry, told))
        return true;
    for (const char *at = was; postfix_next_entry(&at, &one);)
        if (slice_eq(connects_to(one), connects_to(entry)) && postfix_is_ours(p, one) &&
            !mta_asks_entry(p, "smtp/inet", one, p->h->socket))
            return true;
    return false;
}

/* postconf -P takes no blanks: "{ a, b = c }" is "{a,b=c}". */
static void add_without_blanks(struct buf *out, struct slice text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!strchr(BLANKS, text.p[i])) {
            buf_addc(out, text.p[i]);
            continue;
        }
        while (i + 1 < text.n && strchr(BLANKS, text.p[i + 1]))
            i++;
        const char before = out->n ? out->p[out->n - 1] : ',', after = i + 1 < text.n ? text.p[i + 1] : ',';
        if (!strchr(",{=", before) && !strchr(",}=", after))
            buf_addc(out, ',');
    }
}

/* The list with our socket in the place of those that are left. NULL: there is none of them, or (refused) the service
 * cannot reach the new one. */
static const char *with_new_socket(struct postfix *p, const char *service, const char *list, const char *was)
{
    const char *written = postfix_writes(p, service, p->h->socket);
    struct buf out = BUF_INIT;
    struct slice entry;
    bool found = false;
    for (const char *at = list; postfix_next_entry(&at, &entry);) {
        buf_adds(&out, out.n ? "," : "");
        if (!is_left_behind(p, service, entry, was)) {
            add_without_blanks(&out, entry);
            continue;
        }
        found = true;
        const struct slice old = connects_to(entry);
        const size_t head = (size_t)(old.p - entry.p);
        add_without_blanks(&out, slice_of(entry.p, head));
        buf_adds(&out, written ? written : "");
        add_without_blanks(&out, slice_from(entry, head + old.n));
    }
    if (found && !written)
        harden_refuse(
            p->h,
            "%s asks an earlier socket of assay-milter, and cannot reach %s from its chroot\nrun it outside of "
            "the chroot, or choose another milter.socket",
            service, p->h->socket);
    const char *result = found && written && !out.failed ? arena_copy(p->h->arena, out.p, out.n) : NULL;
    buf_release(&out);
    return result;
}

static void follow_in_master(struct postfix *p, const char *was)
{
    static const char *const names[] = {"/smtpd_milters", "/non_smtpd_milters"};
    const char *all = postfix_ask(p, "-P", NULL);
    for (const char *line = all; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : "") {
        const size_t n = strcspn(line, "\n");
        const char *equals = memmem(line, n, " =", 2);
        const char *name = equals ? arena_copy(p->h->arena, line, (size_t)(equals - line)) : NULL,
                   *value = equals ? arena_copy(p->h->arena, equals + 2, n - (size_t)(equals + 2 - line)) : NULL,
                   *last = name ? strrchr(name, '/') : NULL;
        if (!last || !value || (strcmp(last, names[0]) != 0 && strcmp(last, names[1]) != 0))
            continue;
        const char *service = arena_copy(p->h->arena, name, (size_t)(last - name)),
                   *now = service ? with_new_socket(p, service, value, was) : NULL;
        if (now)
            postfix_edit_master(p, name, now);
        if (now)
            harden_reason(p->h, name, "it asked an earlier socket of assay-milter, where nobody would answer");
    }
}

void postfix_follow(struct postfix *p, const char *was)
{
    const char *others = postfix_ask(p, "-h", "non_smtpd_milters"),
               *now = others ? with_new_socket(p, "cleanup/unix", others, was) : NULL;
    if (now)
        postfix_edit(p, "non_smtpd_milters", now);
    if (now)
        harden_reason(p->h, "non_smtpd_milters",
                      "it asked an earlier socket of assay-milter, where nobody would answer");
    follow_in_master(p, was);
}
