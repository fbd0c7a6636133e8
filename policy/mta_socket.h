// SPDX-License-Identifier: BSD-2-Clause
/*
 * mta_socket.h - the sockets that `assay harden` configured in the MTA: the files `socket` and `tls-policy-socket` next
 * to the policy (for a policy elsewhere: next to the installed one).
 *
 * Each holds one line, a unix socket as milter.socket takes it, and is the default of milter.socket and of
 * postfix.tls-policy-socket: the socket that the MTA uses must not depend on a line that a policy can lose. A file that
 * is missing, that is not root's (or ours), that others may write to, or that holds anything else counts as none.
 */
#ifndef ASSAY_POLICY_MTA_SOCKET_H
#define ASSAY_POLICY_MTA_SOCKET_H

#include <stdbool.h>

#define MTA_SOCKET_FILE "socket"
#define MTA_SOCKET_TLS_POLICY_FILE "tls-policy-socket"
#define MTA_SOCKET_NEW ".new" /* behind the path of a milter's socket until its permissions are right */
#define MTA_SOCKET_MAX 128    /* "unix:" and what sockaddr_un takes */

/* false: there is none. */
bool mta_socket_read(const char *policy_path, const char *file, char out[MTA_SOCKET_MAX]);

#endif
