// SPDX-License-Identifier: BSD-2-Clause
/*
 * service_unit.h - whether systemd lets a service of ours make its socket where the MTA asks.
 *
 * Threads: one.
 */
#ifndef ASSAY_CLI_HARDEN_SERVICE_UNIT_H
#define ASSAY_CLI_HARDEN_SERVICE_UNIT_H

#include "cli/harden/harden.h"

/* The folder of a unix socket ("unix:/PATH") if the service's unit forbids the service to write there; in the arena.
 * NULL: it may write there, the socket has no path, or there is no systemd or no such unit here. */
const char *service_unit_forbids(struct harden *h, const char *service, const char *socket);

#endif
