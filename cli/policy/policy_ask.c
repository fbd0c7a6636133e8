// SPDX-License-Identifier: BSD-2-Clause
/*
 * policy_ask.c - `assay policy ask --from DOMAIN [...]`: which line decides, the ones it beat, and why.
 *
 * Asks the same question the mail filter or the resolver asks (policy_ask), so its answer is theirs. Without --standard
 * every standard of mail is asked. With --names the resolver's question is asked of the name given as --from.
 */
#include "base/clock.h"
#include "base/domain.h"
#include "base/json.h"
#include "cli/policy/policy_cmd.h"

struct asking {
    const struct policy *p;
    struct policy_question q;
    char who[LIMIT_DOMAIN + 1];
    char signers[POLICY_SIGNERS_MAX][LIMIT_DOMAIN + 1];
    const char *signer_list[POLICY_SIGNERS_MAX];
    struct ip client;
    const char *listener; /* the MTA's name for it, or NULL */
};

static const char *const beaten_words[] = {
    [POLICY_BEATEN_ALWAYS] = "the deciding line is 'always'",
    [POLICY_BEATEN_WHOM] = "the deciding line names the recipient more closely",
    [POLICY_BEATEN_WHO] = "the deciding line names the sender more closely",
    [POLICY_BEATEN_LATER] = "the deciding line is as close, and stands later",
    [POLICY_BEATEN_EXEMPTION] = "another exemption is closer, or stands later",
    [POLICY_BEATEN_EXPIRED] = "it has ended",
    [POLICY_BEATEN_EVIDENCE] = "its 'via' or 'signed by' does not hold, or it has not begun",
    [POLICY_BEATEN_NEEDLESS] = "no statement asks for what it could excuse",
    [POLICY_BEATEN_MAY_ONLY_TIGHTEN] = "a file that may only tighten counts where it asks more, and only there",
};

static const char *who_of(const char *from)
{
    const char *at = strrchr(from, '@');
    return at ? at + 1 : from;
}

static int question_prepare(struct asking *k, const struct policy_args *a)
{
    k->q = (struct policy_question){
        .names = a->names, .own_from = a->submission, .rcpt = a->rcpt, .at = a->at ? a->at : clock_wall()};
    if (!a->from && !a->client && !a->submission)
        return cli_usage("who is meant? Give --from DOMAIN, --client ADDRESS or --submission");
    if (a->from && domain_from_text(slice_str(who_of(a->from)), k->who) != STATUS_OK)
        return cli_usage("'%s' is no domain name", a->from);
    k->q.who = a->from ? k->who : NULL;
    if (a->client && ip_from_text(slice_str(a->client), &k->client) != STATUS_OK)
        return cli_usage("'%s' is no address", a->client);
    k->q.client = k->q.who_ip = a->client ? &k->client : NULL;
    for (size_t i = 0; i < a->signer_count; i++) {
        if (domain_from_text(slice_str(a->signers[i]), k->signers[i]) != STATUS_OK)
            return cli_usage("'%s' is no domain name", a->signers[i]);
        k->signer_list[i] = k->signers[i];
    }
    k->listener = a->listener;
    k->q.signers = k->signer_list;
    k->q.signer_count = a->signer_count;
    return -1;
}

/* What the level comes to, in words. */
static void say_action(const struct policy_question *q, const struct policy_answer *a, struct buf *out)
{
    if (a->level == POLICY_IGNORE)
        buf_adds(out, "not judged");
    else if (a->level == POLICY_RECORD)
        buf_adds(out, "judged and kept, never acted on");
    else if (q->names)
        buf_adds(out, a->level == POLICY_REQUIRE ? "unsigned and bogus answers become SERVFAIL"
                                                 : "bogus answers become SERVFAIL");
    else if (a->level == POLICY_FOLLOW && q->standard == STANDARD_DMARC && !a->action_written)
        buf_adds(out, a->as_published ? "as the domain's owner publishes (reject only where nothing speaks for a list)"
                                      : "as the domain's owner publishes (reject only with a second sign)");
    else if (a->action == POLICY_DELIVER)
        buf_adds(out, "nothing is acted on");
    else
        buf_printf(out, "otherwise %s", policy_action_name(a->action));
    if (a->except_bounces)
        buf_adds(out, ", except notifications from the null sender");
    if (a->trial)
        buf_adds(out, " (trial: only logged)");
}

static void print_statement(const char *label, const struct policy_statement *s)
{
    printf("    %-12s ", label);
    cli_put_visible(stdout, s->file);
    printf(":%u: ", s->line);
    cli_put_visible(stdout, s->text);
    putchar('\n');
}

static void print_answer(const char *name, const struct policy_question *q, const struct policy_answer *a)
{
    struct buf b = BUF_INIT;
    say_action(q, a, &b);
    printf("%s%s%s: %s%s: %s\n", cli_colour(stdout, CLI_BOLD), name, cli_colour(stdout, CLI_PLAIN),
           policy_level_name(a->level), a->tls_version ? a->tls_version == 13 ? " 1.3 or newer" : " 1.2 or newer" : "",
           b.p);
    buf_release(&b);
    if (a->statement)
        print_statement("decided by", a->statement);
    else
        printf("    %-12s no statement applies\n", "decided by");
    if (a->exemption)
        print_statement("excused by", a->exemption);
    if (a->expired)
        print_statement("was excused", a->expired);
    for (size_t i = 0; i < a->beaten_count; i++) {
        print_statement("beaten", a->beaten[i].statement);
        printf("    %-12s   %s\n", "", beaten_words[a->beaten[i].why]);
    }
}

static void json_statement(struct json *j, const char *key, const struct policy_statement *s)
{
    if (!s)
        return;
    json_open_in(j, key);
    json_str(j, "id", s->id);
    json_str(j, "file", s->file);
    json_int(j, "line", s->line);
    json_str(j, "text", s->text);
    json_opt(j, "because", s->because);
    json_end(j);
}

/* What the listener changes for every standard. */
static void json_listener(struct json *j, const struct asking *k)
{
    const struct policy_statement *s = policy_listener(k->p, k->listener);
    json_bool(j, "dry_run", policy_dry_run(k->p, k->listener));
    if (!s)
        return;
    json_opt(j, "as", s->listener.as ? policy_listener_manner_name(s->listener.as) : NULL);
    json_statement(j, "listener", s);
}

static void json_answer(struct json *j, const struct asking *k, const char *name, const struct policy_answer *a)
{
    static const char *const words[] = {"always", "recipient", "sender",           "later",   "exemption",
                                        "ended",  "evidence",  "may-only-tighten", "needless"};
    json_open(j);
    json_str(j, "standard", name);
    json_str(j, "level", policy_level_name(a->level));
    json_str(j, "action", policy_action_name(a->action));
    json_bool(j, "trial", a->trial);
    json_bool(j, "always", a->always);
    if (k->listener)
        json_listener(j, k);
    if (a->tls_version)
        json_str(j, "version", a->tls_version == 13 ? "1.3" : "1.2");
    json_opt(j, "text", a->text);
    json_statement(j, "statement", a->statement);
    json_statement(j, "exemption", a->exemption);
    json_statement(j, "expired", a->expired);
    json_open_array(j, "beaten");
    for (size_t i = 0; i < a->beaten_count; i++) {
        json_open(j);
        json_str(j, "why", words[a->beaten[i].why]);
        json_statement(j, "statement", a->beaten[i].statement);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

static void ask_one(struct asking *k, const char *name, struct json *j)
{
    struct policy_answer a;
    policy_ask(k->p, &k->q, &a);
    if (j)
        json_answer(j, k, name, &a);
    else
        print_answer(name, &k->q, &a);
}

static void ask_all(struct asking *k, enum standard only, struct json *j)
{
    if (k->q.own_from) {
        ask_one(k, "own-from", j);
    } else if (k->q.names) {
        k->q.standard = STANDARD_DNSSEC;
        ask_one(k, "dnssec of names", j);
    } else {
        for (int s = 0; s < STANDARD_MAIL_COUNT; s++) {
            k->q.standard = (enum standard)s;
            if (only == STANDARD_COUNT || only == k->q.standard)
                ask_one(k, standard_name(k->q.standard), j);
        }
    }
}

static void say_listener(const struct asking *k)
{
    static const char *const words[] = {
        [POLICY_AS_USUAL] = NULL,
        [POLICY_AS_SUBMISSION] = "What comes in there is from our own users: sender checks are skipped.",
        [POLICY_AS_RELAY] =
            "Mail that comes in there is from a relay: we judge the client in the topmost Received line.",
        [POLICY_AS_UNJUDGED] = "What comes in there is not judged at all.",
    };
    const struct policy_statement *s = policy_listener(k->p, k->listener);
    if (!s) {
        printf("No statement speaks of this listener.\n");
        return;
    }
    print_statement("listener", s);
    if (words[s->listener.as])
        puts(words[s->listener.as]);
    if (s->listener.when_unsure)
        printf("After a temporary failure that does not decide by itself: %s.\n", s->listener.when_unsure);
}

static void say_house(const struct asking *k)
{
    const struct policy_statement *s;
    if (k->listener)
        say_listener(k);
    if (k->q.who && !k->q.names && policy_is_own_domain(k->p, k->q.who))
        printf("%s is one of our own domains.\n", k->q.who);
    if (k->q.client && policy_is_own_network(k->p, k->q.client))
        printf("The client is in our own network: sender checks are skipped.\n");
    if (k->q.client && policy_is_relay(k->p, k->q.client))
        printf("The client is one of our relays: we judge the client in the Received line it wrote.\n");
    if (k->q.who && !k->q.names && (s = policy_trusted(k->p, k->q.who, k->q.rcpt, k->q.client, k->q.at)))
        print_statement("trusted by", s);
    if (k->q.who && (s = policy_suspended(k->p, k->q.who, k->q.at)))
        print_statement("suspended by", s);
    if (policy_dry_run(k->p, k->listener) && !k->q.names)
        printf("The mode is dry-run: actions are logged, none is done.\n");
}

int policy_cmd_ask(int argc, char **argv)
{
    static const struct policy_usage usage = {
        "--from DOMAIN [--for RECIPIENT] [--standard S] [--client ADDRESS] [--signed-by DOMAIN] [--listener NAME] "
        "[--names] [--submission] [--at DATE] [--json] [FILE]",
        "Which line decides for this sender, the ones it beat, and why. --names asks what the resolver asks."};
    struct policy_args a;
    struct asking k = {0};
    int rc = policy_args_read(&a, &usage, argc, argv,
                              POLICY_ARG_JSON | POLICY_ARG_FILE | POLICY_ARG_QUESTION | POLICY_ARG_AT);
    if (rc < 0)
        rc = question_prepare(&k, &a);
    if (rc >= 0)
        return rc;
    enum standard only = a.standard ? standard_from_name(slice_str(a.standard)) : STANDARD_COUNT;
    if (a.standard && only >= STANDARD_MAIL_COUNT)
        return cli_usage("'%s' is not a standard that is judged on mail", a.standard);
    struct policy *p = cli_load_policy(a.file, &rc);
    if (!p)
        return rc;
    k.p = p;
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    if (a.json)
        json_open_array(&j, NULL);
    ask_all(&k, only, a.json ? &j : NULL);
    if (a.json) {
        json_end(&j);
        buf_addc(&b, '\n');
        cli_flush(&b);
    } else {
        say_house(&k);
    }
    buf_release(&b);
    policy_unref(p);
    return EX_OK;
}
