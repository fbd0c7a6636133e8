// SPDX-License-Identifier: BSD-2-Clause
/*
 * setting_types.c - what a value of each type of text looks like.
 *
 * Promises that no type takes everything: a value with which nothing could work is found while the policy is read, not
 * by the program that reads the setting at night. What the program would take, the type takes.
 */
#include "policy/setting_types.h"
#include "base/domain.h"
#include "base/ip.h"
#include "base/limits.h"
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#define PORT_MAX 65535
#define HOST_MAX 255
#define PATH_IN_SOCKET (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

bool setting_number(struct slice v, const char *units, const int64_t *factors, int64_t *out)
{
    int64_t n = 0;
    size_t i = 0;
    for (; i < v.n && v.p[i] >= '0' && v.p[i] <= '9'; i++) {
        if (n > INT64_MAX / 10 - 9)
            return false;
        n = n * 10 + (v.p[i] - '0');
    }
    if (i == 0 || v.n - i > 1)
        return false;
    if (i < v.n) {
        const char *unit = strchr(units, v.p[i]);
        if (!unit || n > INT64_MAX / factors[unit - units])
            return false;
        n *= factors[unit - units];
    }
    *out = n;
    return true;
}

/* ---- pieces ---- */

static bool begins(struct slice v, const char *with)
{
    const size_t n = strlen(with);
    return v.n >= n && memcmp(v.p, with, n) == 0;
}

/* Visible ASCII (RFC 5322 2.2), none of it among `but`. */
static bool is_plain(struct slice v, const char *but)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= ' ' || v.p[i] >= 0x7f || strchr(but, v.p[i]))
            return false;
    return v.n > 0;
}

static bool is_ascii(struct slice v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] > 127)
            return false;
    return true;
}

static bool is_domain(struct slice v)
{
    char domain[LIMIT_DOMAIN + 1];
    return domain_from_text(v, domain) == STATUS_OK;
}

static bool is_ip(struct slice v)
{
    struct ip ip;
    return ip_from_text(v, &ip) == STATUS_OK;
}

static bool is_port(struct slice v)
{
    int64_t port, one = 1;
    return setting_number(v, "", &one, &port) && port >= 1 && port <= PORT_MAX;
}

/* A host name or an address, perhaps in brackets: whether there is such a one shows when the socket is opened. */
static bool is_host(struct slice v)
{
    return v.n <= HOST_MAX && is_plain(v, "@");
}

/* What stands before the first of the octets in `ends`; *rest gets what follows it. */
static struct slice part(struct slice v, const char *ends, struct slice *rest)
{
    size_t n = 0;
    while (n < v.n && !strchr(ends, v.p[n]))
        n++;
    *rest = n < v.n ? slice_from(v, n + 1) : SLICE_NULL;
    return slice_of(v.p, n);
}

/* Tells whether there is a word, and all words between the separators are of a kind. */
static bool all_are(struct slice v, const char *separators, bool (*is_one)(struct slice))
{
    bool some = false;
    for (struct slice word; v.n;) {
        word = part(v, separators, &v);
        if (word.n && !is_one(word))
            return false;
        some = some || word.n;
    }
    return some;
}

/* ---- texts and files ---- */

/* The lexer takes visible characters only. */
static bool is_prose(struct slice v)
{
    return slice_trim(v).n > 0;
}

static bool is_path(struct slice v)
{
    return v.p[0] == '/';
}

static bool is_path_in_list(struct slice v)
{
    return is_path(v) && v.p[v.n - 1] != ',';
}

static bool is_paths(struct slice v)
{
    return all_are(v, " \t", is_path_in_list);
}

/* A path, or a name that is looked up in PATH. */
static bool is_command(struct slice v)
{
    struct slice rest, program = part(slice_trim(v), " \t", &rest);
    return program.n && !strchr("\"'<>|&;", program.p[0]); /* no shell reads it */
}

static bool is_store(struct slice v)
{
    /* Hosts with commas between them and no quotes around: the policy's reader puts a blank behind each comma. */
    const bool has_blank = memchr(v.p, ' ', v.n) != NULL;
    return begins(v, "/") || (!has_blank && (begins(v, "postgresql://") || begins(v, "postgres://")));
}

/* Permissions in octal, of at most 0777. Who connects to a socket must be allowed to write to it. */
static bool is_mode(struct slice v)
{
    bool octal = v.n == 3 || (v.n == 4 && v.p[0] == '0'), writable = false;
    for (size_t i = 0; octal && i < v.n; i++) {
        octal = v.p[i] >= '0' && v.p[i] <= '7';
        writable = writable || (v.p[i] - '0') & 2;
    }
    return octal && writable;
}

/* ---- where somebody listens ---- */

/* As libunbound reads it: without brackets. */
static bool is_server(struct slice v)
{
    struct slice port, host = part(v, "@", &port);
    const bool bare = host.n && host.p[0] != '[' && (host.n < 5 || strncasecmp(host.p, "IPv6:", 5) != 0);
    return bare && is_ip(host) && (host.n == v.n || is_port(port));
}

static bool is_servers(struct slice v)
{
    return all_are(v, " \t,", is_server);
}

/* inet:PORT, inet:PORT@HOST, inet6:PORT@HOST */
static bool is_inet(struct slice v)
{
    struct slice rest, host, port;
    if (!begins(v, "inet:") && !begins(v, "inet6:"))
        return false;
    (void)part(v, ":", &rest);
    port = part(rest, "@", &host);
    return is_port(port) && (port.n == rest.n || is_host(host));
}

/* unix:/PATH (local:/PATH, /PATH) or inet. */
static bool is_socket(struct slice v)
{
    const size_t kind = begins(v, "unix:/") ? 5 : begins(v, "local:/") ? 6 : 0;
    const struct slice path = slice_from(v, kind);
    return is_path(path) ? path.n > 1 && path.n <= PATH_IN_SOCKET : is_inet(v);
}

/* HOST or HOST:PORT, an IPv6 address in brackets. */
static bool is_authority(struct slice v)
{
    struct slice port, host = part(v, v.n && v.p[0] == '[' ? "]" : ":", &port);
    if (v.n && v.p[0] == '[')
        return is_ip(slice_from(host, 1)) && host.n < v.n &&
               (!port.n || (port.p[0] == ':' && is_port(slice_from(port, 1))));
    return is_host(host) && (host.n == v.n || is_port(port));
}

static const char *wants_smtp_url(struct slice v)
{
    const size_t scheme = begins(v, "smtp://") ? 7 : begins(v, "smtps://") ? 8 : 0;
    if (scheme && memchr(v.p, '@', v.n))
        return "smtp://HOST[:PORT] alone; this one names a user, who stands in the file of report.smtp-login";
    return scheme && is_plain(slice_from(v, scheme), "/?#") && is_authority(slice_from(v, scheme))
               ? NULL
               : "smtp://HOST[:PORT] or smtps://HOST[:PORT]";
}

/* ---- names ---- */

/* Fields that say who wrote a message, how it came and how it is read (RFC 5322 3.6, RFC 2045 3, RFC 8601), and what
 * begins like one of them: a second one would change what readers see. */
static bool is_taken_name(struct slice name)
{
    static const char *const names[] = {"From",         "Sender",       "Reply-To",       "To",
                                        "Cc",           "Bcc",          "Date",           "Message-ID",
                                        "In-Reply-To",  "References",   "Subject",        "Received",
                                        "Return-Path",  "MIME-Version", "DKIM-Signature", "Authentication-Results",
                                        "Assay-Verdict"};
    static const char *const beginnings[] = {"ARC-", "Content-", "Resent-"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_eq_nocase(name, slice_str(names[i])))
            return true;
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (name.n > strlen(beginnings[i]) && strncasecmp(name.p, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

/* "NAME: VALUE", both of visible ASCII (RFC 5322 2.2). */
static const char *wants_field(struct slice v)
{
    struct slice value, name = part(v, ":", &value);
    bool good = is_plain(name, "") && slice_trim(value).n;
    for (size_t i = 0; good && i < value.n; i++)
        good = value.p[i] >= ' ' && value.p[i] < 0x7f;
    if (!good)
        return "a header field: X-Spam-Flag: YES";
    return is_taken_name(name) ? "a header field of its own, not one that says who wrote a message or how it came: "
                                 "X-Spam-Flag: YES"
                               : NULL;
}

/* A domain name, perhaps in Unicode, or another word that needs no quotes in a header field (RFC 2045 5.1); a slash and
 * a job may follow. */
static bool is_name(struct slice v)
{
    return is_ascii(v) ? is_plain(v, "()<>@,;:\\\"[]?=") : is_domain(v);
}

static bool is_dns_name(struct slice v)
{
    return slice_eq(v, SLICE_LIT(".")) || is_domain(v);
}

/* local@domain, and no more: it goes into a header and an XML file without quotes. */
static bool is_mailbox(struct slice v)
{
    struct slice domain, local = part(v, "@", &domain);
    for (size_t i = 0; i < local.n; i++)
        if ((unsigned char)local.p[i] <= ' ' || local.p[i] == 0x7f || strchr("<>,;:\"()[]\\", local.p[i]))
            return false;
    return local.n && is_domain(domain) && memchr(domain.p, '.', domain.n);
}

/* The name of a user or group, perhaps of a directory service ("domain users"): what would break a line of /etc/passwd
 * is in none. */
static bool is_user(struct slice v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] < ' ' || v.p[i] == 0x7f || strchr(":,/\"'", v.p[i]))
            return false;
    return v.n && v.p[0] != '-' && slice_trim(v).n == v.n;
}

static bool is_users(struct slice v)
{
    return all_are(v, " \t,", is_user);
}

static bool is_origin(struct slice v)
{
    struct slice second, first = part(v, " \t", &second);
    second = slice_trim(second);
    return is_path(v) || (is_domain(first) && (!second.n || is_domain(second)));
}

/* ---- the table ---- */

static const struct {
    const char *name;
    bool (*is_one)(struct slice v);       /* NULL: settings.c reads it, or `wants` */
    const char *takes;                    /* what is_one looks for */
    const char *(*wants)(struct slice v); /* where there are several ways to be wrong */
} types[TYPE_COUNT] = {
    [TYPE_WORD] = {"word", NULL, NULL, NULL},
    [TYPE_NUMBER] = {"number", NULL, NULL, NULL},
    [TYPE_SECONDS] = {"time", NULL, NULL, NULL},
    [TYPE_BYTES] = {"size", NULL, NULL, NULL},
    [TYPE_SWITCH] = {"yes|no", NULL, NULL, NULL},
    [TYPE_NAMES] = {"names", NULL, NULL, NULL},
    [TYPE_PROSE] = {"text", is_prose, "a text that is not blank", NULL},
    [TYPE_PATH] = {"path", is_path, "a path that begins with /", NULL},
    [TYPE_PATHS] = {"paths", is_paths, "paths that begin with /, separated by blanks: \"/srv/a /srv/b\"", NULL},
    [TYPE_COMMAND] = {"command", is_command, "a command: \"/usr/sbin/sendmail -oi -t\"", NULL},
    [TYPE_SERVERS] = {"address", is_servers, "addresses: 192.0.2.1, 192.0.2.1@5353, 2001:db8::1", NULL},
    [TYPE_IP] = {"address", is_ip, "one IP address: 192.0.2.1 or 2001:db8::1", NULL},
    [TYPE_SOCKET] = {"socket", is_socket, "unix:/PATH or inet:PORT@HOST", NULL},
    [TYPE_INET] = {"socket", is_inet, "inet:PORT@HOST", NULL},
    [TYPE_STORE] = {"store", is_store, "a file's path that begins with / (SQLite), or postgresql://USER@HOST/DATABASE",
                    NULL},
    [TYPE_MODE] = {"permissions", is_mode, "permissions as three octal digits, with w for somebody: 0660", NULL},
    [TYPE_FIELD] = {"header field", NULL, NULL, wants_field},
    [TYPE_NAME] = {"name", is_name, "a name without blanks: mx.example.org", NULL},
    [TYPE_DOMAIN] = {"domain", is_domain, "a name of DNS: example.org", NULL},
    [TYPE_DNS_NAME] = {"name in DNS", is_dns_name, "a name of DNS, or \".\" for the root: example.org", NULL},
    [TYPE_MAILBOX] = {"mail address", is_mailbox, "a mail address: postmaster@example.org", NULL},
    [TYPE_USER] = {"user", is_user, "the name of a user: assay", NULL},
    [TYPE_USERS] = {"users", is_users, "names of users, separated by blanks: \"postfix root\"", NULL},
    [TYPE_GROUP] = {"group", is_user, "the name of a group: postfix", NULL},
    [TYPE_SMTP_URL] = {"mail server", NULL, NULL, wants_smtp_url},
    [TYPE_ORIGIN] = {"file or zones", is_origin,
                     "a path that begins with /, or one or two DNS zones: \"origin.example.net origin6.example.net\"",
                     NULL},
};

const char *setting_type_name(enum setting_type type)
{
    return types[type].name;
}

const char *setting_type_wants(enum setting_type type, struct slice value)
{
    if (types[type].wants)
        return types[type].wants(value);
    return !types[type].is_one || (value.n && types[type].is_one(value)) ? NULL : types[type].takes;
}

const char *setting_type_kept(struct arena *a, enum setting_type type, struct slice v)
{
    char domain[LIMIT_DOMAIN + 1];
    if (type == TYPE_NAME && !is_ascii(v) && domain_from_text(v, domain) == STATUS_OK)
        return arena_strdup(a, domain);
    if (type == TYPE_SOCKET && (begins(v, "/") || begins(v, "local:")))
        return arena_printf(a, "unix:%.*s", SLICE_ARG(slice_from(v, *v.p == '/' ? 0 : 6)));
    return arena_copy(a, v.p, v.n);
}
