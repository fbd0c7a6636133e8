// SPDX-License-Identifier: BSD-2-Clause
/*
 * setting_types.c - what a value of each type of text looks like.
 *
 * Promises that no type takes everything: a value with which nothing could work is found while the policy is read, not
 * by the program that reads the setting at night. What the program would take, the type takes.
 */
#include "policy/setting_types.h"
#include "base/domain.h"
#include "base/inet_name.h"
#include "base/ip.h"
#include "base/limits.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
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

static bool value_begins(struct slice v, const char *with)
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

/* Ends in "/", "/." or "/..": no file has such a path (POSIX 4.13). */
static bool is_folders_path(struct slice v)
{
    static const char *const ends[] = {"/", "/.", "/.."};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (v.n >= strlen(ends[i]) && slice_eq(slice_from(v, v.n - strlen(ends[i])), slice_str(ends[i])))
            return true;
    return false;
}

static const char *wants_file(struct slice v)
{
    if (!v.n || !is_path(v))
        return "a path that begins with /";
    return is_folders_path(v) ? "the path of a file; this is the path of a folder: add the name of the file" : NULL;
}

static bool is_path_in_list(struct slice v)
{
    return is_path(v) && v.p[v.n - 1] != ',';
}

static bool is_paths(struct slice v)
{
    return all_are(v, " \t", is_path_in_list);
}

/* What a shell would take out of the command, or run: quotes around a word, pipes, redirections, substitutions. Where
 * they stand otherwise they are letters of an address (RFC 5322 3.2.3), and so is "<>", the empty sender. */
static bool is_for_shell(struct slice w)
{
    static const char *const words[] = {"|", "||", "&", "&&", ";", "<"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq(w, slice_str(words[i])))
            return true;
    return memchr(w.p, '"', w.n) || w.p[0] == '\'' || w.p[w.n - 1] == '\'' || w.p[0] == '>' || value_begins(w, "2>") ||
           memmem(w.p, w.n, "$(", 2) || memmem(w.p, w.n, "${", 2);
}

static const char *wants_command(struct slice v)
{
    struct slice rest = slice_trim(v), word;
    if (!rest.n || strchr("\"'<>|&;", rest.p[0]))
        return "a command: \"/usr/sbin/sendmail -oi -t\"";
    while (rest.n) {
        word = part(rest, " \t", &rest);
        if (word.n && is_for_shell(word))
            return "a command and its words, with blanks between them alone: no shell reads it, and quotes, pipes and "
                   "variables mean nothing (write a script, and name it here)";
    }
    return NULL;
}

/* ---- where findings are kept ---- */

/* Octets written as %XX (RFC 3986 2.1) are whole, and none is NUL. */
static bool is_percent_encoded_well(struct slice v)
{
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] != '%')
            continue;
        if (v.n - i < 3 || !isxdigit((unsigned char)v.p[i + 1]) || !isxdigit((unsigned char)v.p[i + 2]) ||
            (v.p[i + 1] == '0' && v.p[i + 2] == '0'))
            return false;
    }
    return true;
}

/* One of the hosts of a postgresql:// URI, perhaps empty, with its port, perhaps empty. */
static bool is_pg_host(struct slice v)
{
    struct slice port = SLICE_NULL;
    if (v.n && v.p[0] == '[') {
        struct slice rest, ip = part(slice_from(v, 1), "]", &rest);
        if (!ip.n || ip.n + 2 > v.n || (rest.n && rest.p[0] != ':'))
            return false;
        port = rest.n ? slice_from(rest, 1) : SLICE_NULL;
    } else {
        (void)part(v, ":", &port);
    }
    return !port.n || is_port(port);
}

/* NAME=VALUE, with & between them. */
static bool are_pg_parameters(struct slice v)
{
    while (v.n) {
        struct slice value, one = part(v, "&", &v), name = part(one, "=", &value);
        if (!name.n || name.n == one.n || memchr(value.p ? value.p : "", '=', value.n))
            return false;
    }
    return true;
}

/* postgresql://[USER[:PASSWORD]@][HOST[:PORT],...][/DATABASE][?NAME=VALUE&...] (PostgreSQL's manual, libpq) */
static bool is_pg_uri(struct slice v)
{
    struct slice parameters, place, ignored;
    if (!value_begins(v, "postgresql://") && !value_begins(v, "postgres://"))
        return false;
    /* Hosts with commas between them and no quotes around: the policy's reader puts a blank behind each comma. */
    if (memchr(v.p, ' ', v.n) || !is_percent_encoded_well(v))
        return false;
    v = slice_from(v, value_begins(v, "postgresql://") ? 13 : 11);
    const struct slice user = part(v, "@/", &place); /* as libpq: all octets but these may stand in a password */
    if (user.n < v.n && user.p[user.n] == '@')
        v = place;
    v = part(v, "?", &parameters);
    place = part(v, "/", &ignored);
    if (place.n && memchr(place.p, '@', place.n))
        return false;
    do {
        if (!is_pg_host(part(place, ",", &place)))
            return false;
    } while (place.n);
    return are_pg_parameters(parameters);
}

static bool is_store(struct slice v)
{
    return value_begins(v, "/") ? !is_folders_path(v) : is_pg_uri(v);
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

/* An IPv6 address, perhaps with a zone: fe80::1%eth0. */
static bool is_ipv6(const char *host)
{
    char ip[INET6_ADDRSTRLEN];
    struct in6_addr a;
    const size_t n = strcspn(host, "%");
    if (n >= sizeof ip || (host[n] && !host[n + 1]))
        return false;
    memcpy(ip, host, n);
    ip[n] = '\0';
    return inet_pton(AF_INET6, ip, &a) == 1;
}

/* inet:PORT, inet:PORT@HOST, inet6:PORT@HOST, as inet_name.c reads it. A name is looked up when it is opened. */
static const char *wants_inet(struct slice v)
{
    static const char *const inet_takes = "inet:PORT@HOST, a port from 1 to 65535, a name of DNS or an address";
    char text[HOST_MAX + 32];
    struct inet_name n;
    struct in_addr ip;
    if (v.n >= sizeof text || memchr(v.p, '\0', v.n))
        return inet_takes;
    memcpy(text, v.p, v.n);
    text[v.n] = '\0';
    if (!inet_name_read(text, &n))
        return inet_takes;
    if (strchr(n.host, ':'))
        return is_ipv6(n.host) ? NULL : "inet:PORT@HOST; what stands behind the @ is no IPv6 address";
    if (n.host[strspn(n.host, "0123456789.")] || !n.host[0]) {
        const struct slice host = slice_str(n.host);
        return !host.n || (is_ascii(host) && is_domain(host)) ? NULL : inet_takes;
    }
    if (!inet_aton(n.host, &ip))
        return "inet:PORT@HOST; what stands behind the @ is no IPv4 address";
    return n.family == AF_INET ? NULL : "inet6:PORT@HOST with an IPv6 address; with one of IPv4, inet:PORT@HOST";
}

/* unix:/PATH (local:/PATH, /PATH) or inet. */
static const char *wants_socket(struct slice v)
{
    const size_t kind = value_begins(v, "unix:/") ? 5 : value_begins(v, "local:/") ? 6 : 0;
    const struct slice path = slice_from(v, kind);
    if (!path.n || !is_path(path))
        return value_begins(v, "inet") ? wants_inet(v) : "unix:/PATH or inet:PORT@HOST";
    if (is_folders_path(path))
        return "unix:/PATH or inet:PORT@HOST; this is the path of a folder. Example: unix:/run/assay/milter.sock";
    return path.n <= PATH_IN_SOCKET ? NULL : "unix:/PATH or inet:PORT@HOST; a path has at most 107 octets";
}

/* HOST or HOST:PORT, an IPv6 address in brackets. The port may be empty (RFC 3986 3.2.3): the scheme's. */
static bool is_authority(struct slice v)
{
    struct slice port, host = part(v, v.n && v.p[0] == '[' ? "]" : ":", &port);
    if (v.n && v.p[0] == '[')
        return is_ip(slice_from(host, 1)) && host.n < v.n &&
               (!port.n || (port.p[0] == ':' && (port.n == 1 || is_port(slice_from(port, 1)))));
    return is_host(host) && (!port.n || is_port(port));
}

static const char *wants_smtp_url(struct slice v)
{
    const size_t scheme = value_begins(v, "smtp://") ? 7 : value_begins(v, "smtps://") ? 8 : 0;
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

/* A selector is a name below _domainkey (RFC 6376 3.1, 3.6.2.1), a signing domain one above it. */
static bool is_without_domainkey(struct slice v)
{
    while (v.n)
        if (slice_eq_nocase(part(v, ".", &v), SLICE_LIT("_domainkey")))
            return false;
    return true;
}

static const char *wants_signing_domain(struct slice v)
{
    if (!is_domain(v))
        return "a name of DNS: example.org";
    return is_without_domainkey(v) ? NULL : "the domain alone: example.org of s1._domainkey.example.org";
}

static const char *wants_selector(struct slice v)
{
    if (!is_domain(v))
        return "a selector: s1 of s1._domainkey.example.org";
    return is_without_domainkey(v) ? NULL : "the selector alone: s1 of s1._domainkey.example.org";
}

/* local@domain, and no more: it goes into a header and an XML file without quotes. A local part beyond ASCII needs
 * SMTPUTF8 (RFC 6531), which those who get the reports may not have. */
static const char *wants_mailbox(struct slice v)
{
    static const char *const takes = "a mail address: postmaster@example.org";
    struct slice domain, local = part(v, "@", &domain);
    for (size_t i = 0; i < local.n; i++)
        if ((unsigned char)local.p[i] <= ' ' || local.p[i] == 0x7f || strchr("<>,;:\"()[]\\", local.p[i]))
            return takes;
    if (!is_ascii(local))
        return "a mail address with ASCII in front of the @, which every mail server takes: postmaster@example.org";
    return local.n && is_domain(domain) && memchr(domain.p, '.', domain.n) ? NULL : takes;
}

/* The text of an SMTP reply is ASCII (RFC 5321 4.2). */
static const char *wants_reply(struct slice v)
{
    if (!slice_trim(v).n)
        return "a text that is not blank";
    return is_ascii(v)
               ? NULL
               : "a text in ASCII, since an SMTP reply has no other: a domain as xn--..., the rest of an address "
                 "with %XX: https://xn--mnchen-3ya.example/%C3%BC";
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
    return is_path(v) ? !is_folders_path(v) : (is_domain(first) && (!second.n || is_domain(second)));
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
    [TYPE_REPLY] = {"text", NULL, NULL, wants_reply},
    [TYPE_FILE] = {"file", NULL, NULL, wants_file},
    [TYPE_FOLDER] = {"folder", is_path, "a path that begins with /", NULL},
    [TYPE_FOLDERS] = {"folders", is_paths, "paths that begin with /, separated by blanks: \"/srv/a /srv/b\"", NULL},
    [TYPE_COMMAND] = {"command", NULL, NULL, wants_command},
    [TYPE_SERVERS] = {"address", is_servers, "addresses: 192.0.2.1, 192.0.2.1@5353, 2001:db8::1", NULL},
    [TYPE_IP] = {"address", is_ip, "one IP address: 192.0.2.1 or 2001:db8::1", NULL},
    [TYPE_SOCKET] = {"socket", NULL, NULL, wants_socket},
    [TYPE_INET] = {"socket", NULL, NULL, wants_inet},
    [TYPE_STORE] = {"store", is_store, "a file's path that begins with / (SQLite), or postgresql://USER@HOST/DATABASE",
                    NULL},
    [TYPE_MODE] = {"permissions", is_mode, "permissions as three octal digits, with w for somebody: 0660", NULL},
    [TYPE_FIELD] = {"header field", NULL, NULL, wants_field},
    [TYPE_NAME] = {"name", is_name, "a name without blanks: mx.example.org", NULL},
    [TYPE_DOMAIN] = {"domain", NULL, NULL, wants_signing_domain},
    [TYPE_SELECTOR] = {"selector", NULL, NULL, wants_selector},
    [TYPE_DNS_NAME] = {"name in DNS", is_dns_name, "a name of DNS, or \".\" for the root: example.org", NULL},
    [TYPE_MAILBOX] = {"mail address", NULL, NULL, wants_mailbox},
    [TYPE_USER] = {"user", is_user, "the name of a user: assay", NULL},
    [TYPE_USERS] = {"users", is_users, "names of users, separated by blanks: \"postfix root\"", NULL},
    [TYPE_GROUP] = {"group", is_user, "the name of a group: postfix", NULL},
    [TYPE_SMTP_URL] = {"mail server", NULL, NULL, wants_smtp_url},
    [TYPE_ORIGIN] =
        {"file or zones", is_origin,
         "a file's path that begins with /, or one or two DNS zones: \"origin.example.net origin6.example.net\"", NULL},
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

/* ---- the one form of a value ---- */

static const char *kept_name(struct arena *a, struct slice v)
{
    char domain[LIMIT_DOMAIN + 1];
    return domain_from_text(v, domain) == STATUS_OK ? arena_strdup(a, domain) : arena_copy(a, v.p, v.n);
}

static const char *kept_mailbox(struct arena *a, struct slice v)
{
    struct slice domain, local = part(v, "@", &domain);
    const char *name = is_ascii(domain) ? NULL : kept_name(a, domain);
    return name ? arena_printf(a, "%.*s@%s", SLICE_ARG(local), name) : arena_copy(a, v.p, v.n);
}

/* unix:/PATH, without what a path may have and does not need: "//" and "/./". */
static const char *kept_socket(struct arena *a, struct slice v)
{
    const size_t kind = value_begins(v, "unix:") ? 5 : value_begins(v, "local:") ? 6 : 0;
    struct slice path = slice_from(v, kind), name;
    if (!path.n || !is_path(path))
        return arena_copy(a, v.p, v.n);
    char *out = arena_printf(a, "unix:%.*s", SLICE_ARG(path)), *end = out ? out + 5 : NULL;
    while (out && path.n) {
        name = part(path, "/", &path);
        if (!name.n || slice_eq(name, SLICE_LIT(".")))
            continue;
        *end++ = '/';
        memcpy(end, name.p, name.n);
        end += name.n;
    }
    if (out)
        *end = '\0';
    return out;
}

/* A path, or zones with one blank between them. */
static const char *kept_origin(struct arena *a, struct slice v)
{
    struct slice second, first = part(v, " \t", &second);
    second = slice_trim(second);
    if (is_path(v))
        return arena_copy(a, v.p, v.n);
    return arena_printf(a, "%.*s%s%.*s", SLICE_ARG(first), second.n ? " " : "", SLICE_ARG(second));
}

const char *setting_type_kept(struct arena *a, enum setting_type type, struct slice v)
{
    switch (v.n ? type : TYPE_PROSE) {
    case TYPE_NAME:
        return is_ascii(v) ? arena_copy(a, v.p, v.n) : kept_name(a, v);
    case TYPE_DOMAIN:
    case TYPE_SELECTOR:
    case TYPE_DNS_NAME:
        return kept_name(a, v);
    case TYPE_MAILBOX:
        return kept_mailbox(a, v);
    case TYPE_SOCKET:
        return kept_socket(a, v);
    case TYPE_ORIGIN:
        return kept_origin(a, v);
    default:
        return arena_copy(a, v.p, v.n);
    }
}
