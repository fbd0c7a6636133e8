// SPDX-License-Identifier: BSD-2-Clause
/*
 * tls_probe.c - the offers of tls_probe.h, one after the other.
 *
 * Promises at most TLS_PROBE_CONNECTIONS connections and total_ms for each. A host that does not answer as a mail
 * server does is not asked again: what was asked of it says why.
 */
#include "check/tls_probe.h"
#include "net/smtp_client.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/socket.h>

#define CIPHERS 96

struct probing {
    struct arena *arena;
    struct gate *gate;
    const struct starttls_request *request;
    struct tls_probe *out;
    size_t count;
    size_t spare; /* connections beyond one for each question */
    bool dead;    /* the host stopped answering */
};

struct list {
    uint16_t id[CIPHERS];
    size_t count;
};

/* The cipher suites of some worths, of TLS 1.3 or of before; `kind`: only those whose name begins so, or NULL. */
static struct list ciphers_of(enum hello_worth from, enum hello_worth to, bool tls13, const char *kind)
{
    struct list l = {.count = 0};
    for (size_t i = 0; i < hello_cipher_count && l.count < CIPHERS; i++) {
        const struct hello_name *n = &hello_ciphers[i];
        if (n->worth >= from && n->worth <= to && (n->id >> 8 == 0x13) == tls13 &&
            (!kind || strncmp(n->name, kind, strlen(kind)) == 0))
            l.id[l.count++] = n->id;
    }
    return l;
}

static void leave_out(struct list *l, uint16_t id)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++)
        if (l->id[i] != id)
            l->id[kept++] = l->id[i];
    l->count = kept;
}

static void ciphers_append(struct list *l, const struct list *more)
{
    for (size_t i = 0; i < more->count && l->count < CIPHERS; i++)
        l->id[l->count++] = more->id[i];
}

static bool is_of(const struct list *l, uint16_t id)
{
    bool found = false;
    for (size_t i = 0; i < l->count; i++)
        found = found || l->id[i] == id;
    return found;
}

static bool send_all(struct smtp_client *c, const unsigned char *p, size_t n)
{
    for (size_t at = 0; at < n;) {
        ssize_t w = send(c->fd, p + at, n - at, MSG_NOSIGNAL);
        if (w > 0)
            at += (size_t)w;
        else if (w >= 0 || (errno != EAGAIN && errno != EINTR) || !smtp_client_wait(c, POLLOUT))
            return false;
    }
    return true;
}

/* Reads until the answer is whole. */
static void read_answer(struct probing *p, struct smtp_client *c, struct hello_answer *a)
{
    size_t room = HELLO_ANSWER, have = 0;
    char *octets = arena_alloc(p->arena, room);
    a->state = HELLO_MORE;
    while (octets && have < room && a->state == HELLO_MORE) {
        ssize_t n = recv(c->fd, octets + have, room - have, 0);
        if (n > 0) {
            have += (size_t)n;
            hello_read(slice_of(octets, have), a);
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR) || !smtp_client_wait(c, POLLIN)) {
            break;
        }
    }
}

/* Tells whether the server chose something that was offered; otherwise clients end the handshake (RFC 8446 4.1.3, RFC
 * 5246 E.1). */
static bool is_offered(const struct hello_offer *offer, const struct hello_answer *a)
{
    bool found = false;
    for (size_t i = 0; i < offer->cipher_count; i++)
        found = found || offer->ciphers[i] == a->cipher;
    return found && a->version <= offer->version && (offer->compression || !a->compression);
}

static const char *outcome_of(const struct smtp_client *c, const struct hello_offer *offer,
                              const struct hello_answer *a)
{
    switch (a->state) {
    case HELLO_ACCEPTED:
        return is_offered(offer, a) ? "accepted" : "not TLS";
    case HELLO_ALERTED:
        return "refused";
    case HELLO_MALFORMED:
        return "not TLS";
    case HELLO_TOO_LONG:
        return "an answer over the limit";
    case HELLO_MORE:
        break;
    }
    /* A host that closes the connection without an alert refuses the offer, too. */
    return c->outcome == STARTTLS_TIMEOUT ? "timed out" : a->cipher ? "cut off" : "refused";
}

static struct tls_probe *probe_ask(struct probing *p, const char *name, const struct hello_offer *offer)
{
    unsigned char random[32], octets[HELLO_OCTETS];
    if (p->dead || p->count >= TLS_PROBE_CONNECTIONS || getrandom(random, sizeof random, 0) != sizeof random)
        return NULL;
    size_t n = hello_write(offer, random, octets);
    struct smtp_client *c = arena_alloc(p->arena, sizeof *c);
    if (!n || !c || !gate_enter(p->gate, &p->request->address))
        return NULL;
    struct tls_probe *t = &p->out[p->count++];
    *t = (struct tls_probe){.name = name};
    if (!smtp_client_open(c, p->arena, p->request)) {
        t->outcome = starttls_outcome_name(c->outcome);
        p->dead = true;
    } else if (!send_all(c, octets, n)) {
        t->outcome = "refused";
    } else {
        read_answer(p, c, &t->answer);
        t->outcome = outcome_of(c, offer, &t->answer);
        p->dead = c->outcome == STARTTLS_TIMEOUT;
    }
    smtp_client_close(c);
    gate_leave(p->gate, &p->request->address);
    return t;
}

static bool accepted(const struct tls_probe *t)
{
    return t && strcmp(t->outcome, "accepted") == 0;
}

static struct tls_probe *ask_for(struct probing *p, const char *name, enum hello_version version, const struct list *l,
                                 bool compression)
{
    struct hello_offer o = {.version = version,
                            .ciphers = l->id,
                            .cipher_count = l->count,
                            .compression = compression,
                            .server_name = p->request->server_name};
    return l->count ? probe_ask(p, name, &o) : NULL;
}

/* Which of these a host accepts: what it chose is left out, and it is asked again. */
static bool ask_each(struct probing *p, const char *name, struct list l)
{
    bool any = false;
    for (int i = 0; i < TLS_PROBE_TRIES && (i == 0 || p->spare > 0); i++) {
        p->spare -= i > 0;
        struct tls_probe *t = ask_for(p, name, HELLO_TLS12, &l, false);
        if (!accepted(t))
            break;
        any = true;
        leave_out(&l, t->answer.cipher);
    }
    return any;
}

/* What needs a cipher suite with a key exchange on elliptic curves. */
static void ask_exchange(struct probing *p)
{
    static const uint16_t sha1[] = {0x0203, 0x0201}, weak[] = {0x0013, 0x0016, 0x0009};
    struct list ecdhe = ciphers_of(HELLO_GOOD, HELLO_INSUFFICIENT, false, "ECDHE_");
    struct hello_offer o = {.version = HELLO_TLS12,
                            .ciphers = ecdhe.id,
                            .cipher_count = ecdhe.count,
                            .server_name = p->request->server_name};
    o.signatures = sha1;
    o.signature_count = sizeof sha1 / sizeof sha1[0];
    (void)probe_ask(p, "sha1", &o);
    o.signatures = NULL;
    o.groups = weak;
    o.group_count = sizeof weak / sizeof weak[0];
    (void)probe_ask(p, "weak-group", &o);
}

static void ask_tls12(struct probing *p)
{
    struct list good = ciphers_of(HELLO_GOOD, HELLO_SUFFICIENT, false, NULL),
                phase = ciphers_of(HELLO_PHASE_OUT, HELLO_PHASE_OUT, false, NULL),
                all = ciphers_of(HELLO_GOOD, HELLO_INSUFFICIENT, false, NULL),
                dhe = ciphers_of(HELLO_GOOD, HELLO_INSUFFICIENT, false, "DHE_");
    if (accepted(ask_for(p, "tls12", HELLO_TLS12, &all, true))) {
        bool old = ask_each(p, "old", ciphers_of(HELLO_INSUFFICIENT, HELLO_INSUFFICIENT, false, NULL));
        struct list worse = old ? ciphers_of(HELLO_INSUFFICIENT, HELLO_INSUFFICIENT, false, NULL) : phase;
        if (accepted(ask_for(p, "phase-out", HELLO_TLS12, &phase, false)) || old) {
            struct list some = worse;
            ciphers_append(&some, &good);
            struct tls_probe *t = ask_for(p, "order", HELLO_TLS12, &some, false);
            if (accepted(t) && is_of(&worse, t->answer.cipher)) /* perhaps it has no better one */
                (void)ask_for(p, "good", HELLO_TLS12, &good, false);
        }
        (void)ask_for(p, "dhe", HELLO_TLS12, &dhe, false);
        ask_exchange(p);
    }
    (void)ask_each(p, "broken", ciphers_of(HELLO_BROKEN, HELLO_BROKEN, false, NULL));
}

static void ask_tls13(struct probing *p)
{
    static const uint16_t pq[] = {0x11ec};
    struct list all = ciphers_of(HELLO_GOOD, HELLO_INSUFFICIENT, true, NULL);
    if (!accepted(ask_for(p, "tls13", HELLO_TLS13, &all, false)))
        return;
    struct hello_offer o = {.version = HELLO_TLS13,
                            .ciphers = all.id,
                            .cipher_count = all.count,
                            .groups = pq,
                            .group_count = 1,
                            .server_name = p->request->server_name};
    (void)probe_ask(p, "pq", &o);
}

size_t tls_probe_run(struct arena *arena, struct gate *gate, const struct starttls_request *request, size_t most,
                     struct tls_probe out[TLS_PROBE_CONNECTIONS])
{
    struct probing p = {.arena = arena, .gate = gate, .request = request, .out = out};
    p.spare = most > TLS_PROBE_LEAST ? most - TLS_PROBE_LEAST - 1 : 0; /* one is kept for "anonymous" */
    struct list older = ciphers_of(HELLO_GOOD, HELLO_BROKEN, false, NULL),
                anonymous = ciphers_of(HELLO_ANONYMOUS, HELLO_ANONYMOUS, false, NULL);
    ask_tls13(&p);
    ask_tls12(&p);
    (void)ask_for(&p, "tls11", HELLO_TLS11, &older, false);
    (void)ask_for(&p, "tls10", HELLO_TLS10, &older, false);
    (void)ask_for(&p, "ssl3", HELLO_SSL3, &older, false);
    if (p.count < most)
        (void)ask_for(&p, "anonymous", HELLO_TLS12, &anonymous, false);
    return p.count;
}
