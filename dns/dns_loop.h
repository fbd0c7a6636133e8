// SPDX-License-Identifier: BSD-2-Clause
/*
 * dns_loop.h - the event loop that libunbound runs in, and the count of the packets that each look-up sends.
 *
 * libunbound tells nobody what a look-up cost: an answer may have taken one packet or twenty, and a sender chooses the
 * names. So it runs on an event loop of ours (unbound-event.h), which sees a timer for each packet that waits for its
 * answer. Each look-up has a meter. A packet is charged to the look-up whose event led to it; where one answer lets
 * several look-ups go on, to each of those that were waiting for nothing else. A look-up that has sent as many packets
 * as it may gets no timer for another one: libunbound takes that for want of memory and ends it with SERVFAIL.
 *
 * One query over TCP counts as one packet.
 *
 * Threads: dns_loop_stop(), dns_loop_wake(), dns_meter_curb() and dns_meter_allow() from any; the rest in one thread at
 * a time (the one that runs the loop, or before it starts and after it ended).
 */
#ifndef ASSAY_DNS_DNS_LOOP_H
#define ASSAY_DNS_DNS_LOOP_H

#include <stdint.h>

struct dns_loop;
struct dns_meter;
struct ub_event_base;

/* woken: run in the loop each time dns_loop_wake() was called. NULL: out of memory or file descriptors. */
struct dns_loop *dns_loop_new(void (*woken)(void *arg), void *arg);
struct dns_loop *dns_loop_free(struct dns_loop *l); /* after ub_ctx_delete(); NULL is allowed; returns NULL */

/* For ub_ctx_create_ub_event(). Lives as long as the loop. */
struct ub_event_base *dns_loop_base(struct dns_loop *l);

void dns_loop_wake(struct dns_loop *l);
void dns_loop_stop(struct dns_loop *l);
void dns_loop_run(struct dns_loop *l); /* until dns_loop_stop() */

/* A meter for a look-up that may send `most` packets. zone: a number that look-ups of one zone share. NULL: out of
 * memory. */
struct dns_meter *dns_meter_new(struct dns_loop *l, unsigned most, uint64_t zone);

/* What is sent from now on is charged to m, until this is called with NULL. */
void dns_meter_start(struct dns_loop *l, struct dns_meter *m);

/* Lets it send at most `more` packets from now on. Returns how many it has sent and may send. From any thread, while
 * the meter has not ended. */
unsigned dns_meter_curb(struct dns_meter *m, unsigned more);

/* Lets it send at least so many packets in all, again. The same threads. */
void dns_meter_allow(struct dns_meter *m, unsigned most);

/* Ends the look-up. Returns the packets it sent. What libunbound still has under way for it sends nothing further,
 * unless another look-up waits for that, too. */
unsigned dns_meter_end(struct dns_loop *l, struct dns_meter *m);

#endif
