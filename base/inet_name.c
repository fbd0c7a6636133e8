// SPDX-License-Identifier: BSD-2-Clause
/*
 * inet_name.c - reads the name of an inet socket.
 *
 * Promises to accept a name only if all of it is valid. A port that is read in part would be a different port. A host
 * that is ignored would mean all addresses of this computer.
 */
#include "base/inet_name.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define PORT_MAX 65535

static bool read_port(const char *digits, size_t n, char out[6])
{
    if (n < 1 || n > 5 || strspn(digits, "0123456789") < n)
        return false;
    for (; n > 1 && *digits == '0'; n--)
        digits++;
    memcpy(out, digits, n);
    out[n] = '\0';
    const long port = strtol(out, NULL, 10);
    return port >= 1 && port <= PORT_MAX;
}

static bool read_host(const char *text, char *out, size_t size)
{
    size_t n = strlen(text);

    if (n > 2 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
        if (n > 5 && strncasecmp(text, "IPv6:", 5) == 0) {
            text += 5;
            n -= 5;
        }
    }
    if (n < 1 || n >= size || strcspn(text, " \t\r\n[]@") < n)
        return false;
    memcpy(out, text, n);
    out[n] = '\0';
    return true;
}

bool inet_name_read(const char *name, struct inet_name *out)
{
    const bool six = strncmp(name, "inet6:", 6) == 0;

    if (!six && strncmp(name, "inet:", 5) != 0)
        return false;
    const char *port = name + (six ? 6 : 5), *at = strchr(port, '@');
    *out = (struct inet_name){.family = six ? AF_INET6 : AF_INET};
    if (!read_port(port, at ? (size_t)(at - port) : strlen(port), out->port))
        return false;
    if (at && !read_host(at + 1, out->host, sizeof out->host))
        return false;
    if (strchr(out->host, ':'))
        out->family = AF_INET6;
    return true;
}
