// SPDX-License-Identifier: BSD-2-Clause
/*
 * ready.h - tells the service manager that started this program that its sockets can be connected to now.
 *
 * The protocol is that of sd_notify(3): one datagram to the unix socket whose name is in NOTIFY_SOCKET. With
 * Type=notify systemd then starts Postfix (Before=postfix.service), and `systemctl restart` returns, only when mail can
 * be judged.
 *
 * Threads: the main thread, once, at start.
 */
#ifndef ASSAY_NET_READY_H
#define ASSAY_NET_READY_H

#include <stdbool.h>

/* Sends "READY=1". true: it was sent, or nobody waits for it (NOTIFY_SOCKET is not set). false: errno says why not.
 * NOTIFY_SOCKET is removed from the environment, so that no child speaks for this program. */
bool ready_tell(void);

#endif
