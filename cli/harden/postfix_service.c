// SPDX-License-Identifier: BSD-2-Clause
/*
 * postfix_service.c - reads master.cf by postconf, and asks it for the settings that one service uses.
 *
 * Promises to change nothing, and to expand nothing by itself: postconf -o takes the service's own settings, as
 * Postfix's master hands them to the service.
 */
#include "cli/harden/postfix_service.h"
#include <stdio.h>
#include <string.h>

bool postfix_find(struct postfix *p, struct harden *h)
{
    const char *const argv[] = {"postconf", "-h", "config_directory", NULL};
    int code = -1;
    const char *dir = harden_ask(h, argv, &code);
    *p = (struct postfix){.h = h, .only_asked = true};
    return code == 0 && dir && snprintf(p->dir, sizeof p->dir, "%s", dir) < (int)sizeof p->dir;
}

/* "submission/inet/smtpd_milters = LIST", a line of postconf -P: "smtpd_milters=LIST" if it is this service's. */
static const char *own_option(struct arena *a, const char *service, struct slice line)
{
    const size_t n = strlen(service);
    if (line.n <= n + 1 || memcmp(line.p, service, n) != 0 || line.p[n] != '/' || line.p[n + 1] == '-')
        return NULL;
    const struct slice rest = slice_from(line, n + 1);
    const char *equals = memchr(rest.p, '=', rest.n);
    if (!equals)
        return NULL;
    const struct slice name = slice_trim(slice_of(rest.p, (size_t)(equals - rest.p))),
                       value = slice_trim(slice_from(rest, (size_t)(equals - rest.p) + 1));
    return arena_printf(a, "%.*s=%.*s", SLICE_ARG(name), SLICE_ARG(value));
}

static struct slice next_line(const char **at)
{
    const struct slice line = slice_of(*at, strcspn(*at, "\n"));
    *at += line.n + ((*at)[line.n] == '\n');
    return line;
}

static void read_options(struct arena *a, struct postfix_service *s, const char *all)
{
    for (const char *at = all; at && *at && s->option_count < POSTFIX_OPTIONS;) {
        const char *option = own_option(a, s->name, next_line(&at));
        if (option)
            s->options[s->option_count++] = option;
    }
}

size_t postfix_services(struct postfix *p, const char *program, struct postfix_service out[POSTFIX_SERVICES])
{
    struct arena *a = p->h->arena;
    const char *at = postfix_ask(p, "-M", NULL), *options = postfix_ask(p, "-P", NULL);
    size_t count = 0;
    while (at && *at && count < POSTFIX_SERVICES) {
        char name[256], type[16], chroot[16], runs[64];
        const struct slice line = next_line(&at);
        const char *text = arena_copy(a, line.p, line.n);
        if (!text || sscanf(text, "%255s %15s %*s %*s %15s %*s %*s %63s", name, type, chroot, runs) != 4 ||
            strcmp(runs, program) != 0)
            continue;
        struct postfix_service *s = &out[count];
        *s = (struct postfix_service){.name = arena_printf(a, "%s/%s", name, type), .caged = strcmp(chroot, "y") == 0};
        if (!s->name)
            break;
        read_options(a, s, options);
        count++;
    }
    return count;
}

/* "NAME = VALUE", a line of postconf. */
static void take_value(struct arena *a, struct slice line, struct postfix_value *v, size_t count)
{
    const char *equals = memchr(line.p, '=', line.n);
    if (!equals)
        return;
    const struct slice name = slice_trim(slice_of(line.p, (size_t)(equals - line.p))),
                       text = slice_trim(slice_from(line, (size_t)(equals - line.p) + 1));
    for (size_t i = 0; i < count; i++)
        if (slice_eq(name, slice_str(v[i].name)))
            v[i].text = text.n ? arena_copy(a, text.p, text.n) : "";
}

/* Where nothing is changed, all parameters are asked at once and kept: a process for each question takes seconds. */
bool postfix_values(struct postfix *p, const struct postfix_service *service, struct postfix_value *v, size_t count)
{
    const char *argv[4 + 2 * POSTFIX_OPTIONS + POSTFIX_VALUES + 1] = {"postconf", "-c", p->dir, "-x"};
    size_t n = 4;
    const char *name = service && service->option_count ? service->name : NULL;
    for (size_t i = 0; service && i < service->option_count; i++) {
        argv[n++] = "-o";
        argv[n++] = service->options[i];
    }
    for (size_t i = 0; i < count && i < POSTFIX_VALUES; i++) {
        if (!p->only_asked)
            argv[n++] = v[i].name;
        v[i].text = NULL;
    }
    const char *at = postfix_table(p, name, argv);
    if (!at)
        return false;
    while (*at)
        take_value(p->h->arena, next_line(&at), v, count);
    return true;
}

const char *postfix_value(const struct postfix_value *v, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(v[i].name, name) == 0)
            return v[i].text ? v[i].text : "";
    return "";
}

bool postfix_values_are_same(const struct postfix_value *a, const struct postfix_value *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(a[i].text ? a[i].text : "", b[i].text ? b[i].text : "") != 0)
            return false;
    return true;
}

bool postfix_is_loopback(const char *host)
{
    static const char *const hosts[] = {"127.", "localhost", "ip6-localhost", "[::1]"};
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        if (strncmp(host, hosts[i], strlen(hosts[i])) == 0)
            return true;
    return strcmp(host, "::1") == 0;
}

/* Port 25, or what postscreen hands its connections to. */
static bool is_mx(const struct postfix_service *s)
{
    const char *slash = strrchr(s->name, '/'), *port = slash;
    while (port && port > s->name && port[-1] != ':')
        port--;
    return slash && (strcmp(slash, "/pass") == 0 || strcmp(port, "smtp/inet") == 0 || strcmp(port, "25/inet") == 0);
}

bool postfix_service_is_public(const struct postfix_service *s, const struct postfix_service *all, size_t count)
{
    bool other = false;
    for (size_t i = 0; i < count; i++)
        other = other || (is_mx(&all[i]) && !postfix_is_loopback(all[i].name));
    return is_mx(s) && (!other || !postfix_is_loopback(s->name));
}
