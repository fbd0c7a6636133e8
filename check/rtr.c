// SPDX-License-Identifier: BSD-2-Clause
/*
 * rtr.c - takes the list of an RTR cache, by librtr in a child process (rtr.h).
 *
 * librtr writes what it does on stderr, and after some errors its thread cannot be ended for as long as it waits to try
 * again. So a child runs it, with stderr closed, sends each ROA through a pipe, and ends; past the deadline it is
 * killed. Promises that nothing is looked up in half a list, which would call networks unprotected that are protected.
 */
#include "check/rtr.h"
#include "check/prefix_table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rtr {
    struct prefix_table *roas;
};

struct rtr *rtr_close(struct rtr *r)
{
    if (r)
        prefix_table_free(r->roas);
    free(r);
    return NULL;
}

void rtr_covering(const struct rtr *r, const struct ip *a, struct buf *out)
{
    char text[IP_NET_TEXT];
    size_t named = 0, count;
    for (int bits = a->family == 4 ? 32 : 128; bits >= 0; bits--) {
        const struct prefix *p = prefix_table_find(r->roas, a, (unsigned)bits, &count);
        for (size_t i = 0; i < count && named < RTR_ROAS; i++, named++)
            buf_printf(out, "%s%u %s %u", named ? ", " : "", (unsigned)p[i].as, ip_net_text(&p[i].network, text),
                       p[i].longest);
    }
}

#ifdef ASSAY_HAVE_RTRLIB
#include "base/clock.h"
#include "base/inet_name.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <rtrlib/rtrlib.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define REFRESH 3600 /* seconds, within the bounds of RFC 8210, section 6 */
#define EXPIRE 7200
#define RETRY 600
#define CONNECT_SECONDS 10
#define LOOK_MS 20
#define MARK 0xffu /* family of the record that ends a whole list */

/* ---- the child ---- */

/* Called by librtr's thread. It would try again after RETRY seconds, for which a check does not wait. */
static void note_status(const struct rtr_mgr_group *group, enum rtr_mgr_status status, const struct rtr_socket *socket,
                        void *data)
{
    (void)group;
    (void)socket;
    if (status == RTR_MGR_ERROR)
        atomic_store((atomic_bool *)data, true);
}

static void send_roa(const struct pfx_record *roa, void *data)
{
    struct prefix p = {.longest = roa->max_len, .as = roa->asn};
    char text[IP_NET_TEXT], address[IP_TEXT];
    if (lrtr_ip_addr_to_str(&roa->prefix, address, sizeof address) != 0)
        return;
    snprintf(text, sizeof text, "%s/%u", address, roa->min_len);
    if (ip_net_from_text(slice_str(text), &p.network) == STATUS_OK)
        fwrite(&p, sizeof p, 1, data);
}

/* Never returns: 0 the list was sent, 1 it was not. */
static void run_child(char *host, char *port, FILE *out)
{
    static atomic_bool failed;
    struct tr_socket transport;
    struct tr_tcp_config tcp = {.host = host, .port = port, .connect_timeout = CONNECT_SECONDS};
    struct rtr_socket socket = {.tr_socket = &transport};
    struct rtr_socket *sockets[] = {&socket};
    struct rtr_mgr_group group = {.sockets = sockets, .sockets_len = 1, .preference = 1};
    struct rtr_mgr_config *manager;
    struct prefix end = {.network.base.family = MARK};
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(null, STDERR_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        tr_tcp_init(&tcp, &transport) != TR_SUCCESS ||
        rtr_mgr_init(&manager, &group, 1, REFRESH, EXPIRE, RETRY, NULL, NULL, note_status, &failed) != RTR_SUCCESS ||
        rtr_mgr_start(manager) != RTR_SUCCESS)
        _exit(1);
    while (!rtr_mgr_conf_in_sync(manager)) {
        if (atomic_load(&failed))
            _exit(1);
        clock_sleep_ms(LOOK_MS);
    }
    rtr_mgr_for_each_ipv4_record(manager, send_roa, out);
    rtr_mgr_for_each_ipv6_record(manager, send_roa, out);
    _exit(fwrite(&end, sizeof end, 1, out) == 1 && fflush(out) == 0 ? 0 : 1);
}

/* ---- the parent ---- */

/* Reads until the list has ended. false: the child ended before, or it is late. */
static bool read_list(int fd, struct prefix_table *t, int64_t until)
{
    struct prefix chunk[512];
    size_t have = 0;
    for (;;) {
        int64_t left = until - clock_mono_ms();
        struct pollfd p = {.fd = fd, .events = POLLIN};
        int ready = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        ssize_t n = ready > 0 ? read(fd, (char *)chunk + have, sizeof chunk - have) : 0;
        if (n <= 0)
            return false;
        have += (size_t)n;
        size_t whole = have / sizeof *chunk;
        for (size_t i = 0; i < whole; i++) {
            if (chunk[i].network.base.family == MARK)
                return true;
            if (prefix_table_add(t, &chunk[i]) != STATUS_OK)
                return false;
        }
        have -= whole * sizeof *chunk;
        memmove(chunk, chunk + whole, have);
    }
}

static bool take_list(struct prefix_table *t, char *host, char *port, unsigned wait_ms)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) != 0)
        return false;
    pid_t child = fork();
    if (child == 0) {
        FILE *out = fdopen(pipes[1], "w");
        if (out)
            run_child(host, port, out);
        _exit(1);
    }
    close(pipes[1]);
    bool whole = child > 0 && read_list(pipes[0], t, clock_mono_ms() + wait_ms);
    close(pipes[0]);
    if (child > 0) {
        kill(child, SIGKILL);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    return whole;
}

struct rtr *rtr_open(const char *cache, unsigned wait_ms, char why[RTR_WHY])
{
    struct rtr *r = calloc(1, sizeof *r);
    struct inet_name n;
    if (r)
        r->roas = prefix_table_new();
    bool good = r && r->roas && inet_name_read(cache, &n);
    if (good && !*n.host)
        memcpy(n.host, "localhost", sizeof "localhost");
    good = good && take_list(r->roas, n.host, n.port, wait_ms);
    if (!good) {
        snprintf(why, RTR_WHY, "the RTR cache %.200s gave no whole list", cache);
        return rtr_close(r);
    }
    prefix_table_sort(r->roas);
    return r;
}

#else

struct rtr *rtr_open(const char *cache, unsigned wait_ms, char why[RTR_WHY])
{
    (void)wait_ms;
    snprintf(why, RTR_WHY, "the RTR cache %.150s is not asked: this program was built without librtr", cache);
    return NULL;
}
#endif
