// SPDX-License-Identifier: BSD-2-Clause
/*
 * harden_unbound.c - Unbound: the settings that the module needs, in a file of their own below unbound.conf.d.
 *
 * Only where the module is installed: an unbound.conf that names it without an Unbound that can load it would stop DNS.
 * The file is the one that stands in the package (ASSAY_UNBOUND_CONF), copied as it is, so that there is one text of
 * it.
 */
#include "cli/harden/harden.h"
#include <stdio.h>

#define MODULE_CONF "/usr/share/assay/unbound.conf"
#define TARGET_DIR "/etc/unbound/unbound.conf.d"

void harden_unbound(struct harden *h)
{
    struct slice text, now;
    bool exists, there;
    const char *from = arena_printf(h->arena, "%s" MODULE_CONF, h->root),
               *to = arena_printf(h->arena, "%s" TARGET_DIR "/assay.conf", h->root);
    if (!from || !to || !harden_read(h, from, &text, &exists))
        return;
    if (!exists) {
        harden_note(h, "Unbound: the module is not installed here (package assay-unbound), and Unbound's settings stay "
                       "as they are");
        return;
    }
    if (!harden_read(h, to, &now, &there) || (there && slice_eq(now, text)))
        return;
    if (harden_write(h, to, text, 0644) && h->reload_count < 8)
        h->reload[h->reload_count++] = "systemctl restart unbound";
}
