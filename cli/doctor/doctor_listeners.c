// SPDX-License-Identifier: BSD-2-Clause
/*
 * doctor_listeners.c - checks that the MTA has the listeners that the policy names.
 *
 * A `listener` statement about a name that no listener bears does nothing, and nobody notices: the macro just never
 * comes. So the names are read where the MTA gets them from: milter_macro_daemon_name in Postfix's main.cf and
 * master.cf, by postconf, and DaemonPortOptions in sendmail.cf. What is `as unjudged` must be within reach of the
 * content filter alone: an address that is not loopback's is warned of. Changes nothing.
 */
#include "cli/doctor/doctor.h"
#include <stdio.h>
#include <stdlib.h>

#define CF_LINE 4096
#define LISTENERS 256

struct listener {
    const char *name, *where; /* where: words for people */
    bool loopback;
};

struct listeners {
    struct listener list[LISTENERS];
    size_t count;
};

static void listener_add(struct listeners *l, const char *name, const char *where, bool loopback)
{
    if (name && where && *name && l->count < LISTENERS)
        l->list[l->count++] = (struct listener){name, where, loopback};
}

/* "SERVICE/inet/milter_macro_daemon_name = NAME" for each service of master.cf that sets it; main.cf's for all
 * others. */
static void read_postfix(struct doctor *d, struct listeners *l)
{
    const char *const common[] = {"postconf", "-hx", "milter_macro_daemon_name", NULL};
    const char *const each[] = {"postconf", "-Px", "*/inet/milter_macro_daemon_name", NULL};
    const char *name = doctor_run(d, common, NULL), *out = name ? doctor_run(d, each, NULL) : NULL;
    char *lines = out ? arena_strdup(d->arena, out) : NULL, *save = NULL;

    listener_add(l, name, "main.cf", true);
    for (char *line = lines ? strtok_r(lines, "\n", &save) : NULL; line; line = strtok_r(NULL, "\n", &save)) {
        char *slash = strstr(line, "/inet/"), *equals = strstr(line, " = ");
        if (!slash || !equals)
            continue;
        *slash = '\0';
        listener_add(l, equals + 3, arena_printf(d->arena, "service %s of master.cf", line), postfix_is_loopback(line));
    }
}

/* The value of KEY= in "Name=MTA, Addr=127.0.0.1, ..."; NULL if there is none. */
static const char *part(struct doctor *d, const char *options, const char *key)
{
    const char *p = strstr(options, key);
    return p ? arena_copy(d->arena, p + strlen(key), strcspn(p + strlen(key), ", \t\r\n")) : NULL;
}

static void read_sendmail(struct doctor *d, struct listeners *l)
{
    static const char option[] = "O DaemonPortOptions=";
    char line[CF_LINE];
    FILE *f = fopen("/etc/mail/sendmail.cf", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, option, sizeof option - 1) != 0)
            continue;
        const char *address = part(d, line, "Addr=");
        listener_add(l, part(d, line, "Name="), "sendmail.cf", address && postfix_is_loopback(address));
    }
    if (f)
        fclose(f);
}

static void judge_listener(struct doctor *d, const struct listeners *l, const struct policy_statement *s,
                           const char *name)
{
    bool found = false;
    for (size_t i = 0; i < l->count; i++) {
        if (strcmp(l->list[i].name, name) != 0)
            continue;
        found = true;
        if (s->listener.as == POLICY_AS_UNJUDGED && !l->list[i].loopback)
            doctor_say(d, DOCTOR_WARNING,
                       "listener \"%s\" is not judged (%s:%u), and %s is not on a loopback address: who reaches it "
                       "goes round the "
                       "policy\nlet it listen on 127.0.0.1, or let nobody but the content filter through to it",
                       name, s->file, s->line, l->list[i].where);
        else
            doctor_say(d, DOCTOR_OK, "listener \"%s\" is %s", name, l->list[i].where);
    }
    if (!found)
        doctor_say(
            d, DOCTOR_WARNING,
            "no listener of the mail server is called \"%s\": %s:%u does nothing\n"
            "Postfix: -o milter_macro_daemon_name=%s at the service in master.cf; Sendmail: Name=%s in DAEMON_OPTIONS",
            name, s->file, s->line, name, name);
}

void doctor_listeners(struct doctor *d)
{
    struct listeners *l = ARENA_NEW(d->arena, struct listeners);
    const struct policy_statement *s;
    size_t named = 0;

    for (size_t i = 0; d->policy && (s = policy_statement_at(d->policy, i)); i++)
        named += s->kind == POLICY_LISTENER;
    if (!named || !l) {
        doctor_say(d, DOCTOR_NOTE, "the policy names no listener");
        return;
    }
    read_postfix(d, l);
    read_sendmail(d, l);
    if (!l->count) {
        doctor_say(d, DOCTOR_UNKNOWN,
                   "neither Postfix nor Sendmail says what its listeners are called\nrun this on the mail server");
        return;
    }
    for (size_t i = 0; (s = policy_statement_at(d->policy, i)); i++)
        for (size_t k = 0; s->kind == POLICY_LISTENER && k < s->item_count; k++)
            if (policy_listener(d->policy, s->items[k]) == s)
                judge_listener(d, l, s, s->items[k]);
}
