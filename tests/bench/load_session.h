// SPDX-License-Identifier: BSD-2-Clause
/*
 * load_session.h - one SMTP session as an MTA tells it to its filters: the milter protocol, version 6, as Postfix 3.7
 * speaks it.
 *
 * What is like Postfix: every protocol step is offered, and those that the filter does not want are left out; macros
 * come before each step, those that the filter asked for; what needs no answer is sent along with what does; several
 * filters are asked in turn at each step, and each is told the header as those before it have changed it; a body goes
 * in chunks of 65,535 octets; a connection is for one SMTP session.
 */
#ifndef ASSAY_TESTS_BENCH_LOAD_SESSION_H
#define ASSAY_TESTS_BENCH_LOAD_SESSION_H

#include "tests/bench/load_corpus.h"
#include <stdbool.h>
#include <stdint.h>

#define FILTERS 4 /* in a chain, at most */
#define STAGES 7  /* at which macros are sent (SMFIM_...) */

enum outcome { PASSED, REJECTED, DEFERRED, DISCARDED, QUARANTINED, BROKEN, OUTCOMES };
extern const char *const outcome_name[OUTCOMES];

struct octets {
    char *p;
    size_t n, room;
};

struct filter {
    int fd;
    uint32_t protocol;
    char symbols[STAGES][512]; /* the macros asked for at a stage; "": the MTA's own choice */
    bool done;                 /* it has accepted: it is asked nothing more about this mail */
    struct octets out, in;
    size_t in_at;
};

struct session {
    const char *const *addresses; /* of the filters: unix:PATH or inet:PORT@ADDRESS */
    size_t filter_count;
    int seconds;       /* longest wait for one answer */
    size_t write_most; /* octets of one write; 0: as many as there are */
    struct filter filter[FILTERS];
    struct field *fields; /* the header as the next filter is told it */
    size_t field_count, field_room;
    char **owned; /* texts of fields that filters have put in */
    size_t owned_count;
    size_t inserted; /* fields that filters have put in */
    char reply[600];
    char error[200];
    unsigned serial;
};

/* One mail on connections of its own. */
enum outcome session_mail(struct session *s, const struct mail *m);

/* Opens the connections and goes as far as the answer to HELO, or to the first octets of the body: for measuring what a
 * connection costs. False: s->error. */
bool session_open_only(struct session *s, const struct mail *m, bool with_body);

void session_close(struct session *s);

#endif
