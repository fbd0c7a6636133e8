# SPDX-License-Identifier: BSD-2-Clause
# Where the libraries are: by pkg-config where they have it, by name where they have none (libmilter, libspf2).
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)

CFLAGS_ledger := $(call pkg,--cflags,libpq)
CFLAGS_feedback := $(call pkg,--cflags,expat)
# RPKI in `assay check`, where librtr is installed.
HAVE_RTR := $(shell $(PKG_CONFIG) --exists rtrlib 2>/dev/null && echo 1)
CFLAGS_check := $(if $(HAVE_RTR),-DASSAY_HAVE_RTRLIB $(call pkg,--cflags,rtrlib))
LDLIBS_rtr := $(if $(HAVE_RTR),$(call pkg,--libs,rtrlib))
# The second engines: modules of their own. libspf2 is one where it is installed.
HAVE_SPF2 := $(shell printf '\043include <spf2/spf.h>\n' | $(CC) -E -x c - >/dev/null 2>&1 && echo 1)
CFLAGS_engines := -fPIC $(call pkg,--cflags,opendkim) $(if $(HAVE_SPF2),-DASSAY_HAVE_LIBSPF2)
LDLIBS_opendkim := $(or $(call pkg,--libs,opendkim),-lopendkim)
LDLIBS_libspf2 := -lspf2
LDLIBS_engines := $(LDLIBS_opendkim) $(if $(HAVE_SPF2),$(LDLIBS_libspf2))
# Only what is used is linked with: libcurl brings many others, and only programs that fetch or post anything need it.
LDLIBS_needed := -Wl,--as-needed
LDLIBS_curl := $(or $(call pkg,--libs,libcurl),-lcurl)
LDLIBS_base := $(or $(call pkg,--libs,libunbound),-lunbound) $(or $(call pkg,--libs,libidn2),-lidn2) -lpthread
LDLIBS_standards := $(LDLIBS_needed) $(or $(call pkg,--libs,libssl),-lssl) $(or $(call pkg,--libs,libcrypto),-lcrypto) $(or $(call pkg,--libs,libpsl),-lpsl)
LDLIBS_ledgerlib := $(or $(call pkg,--libs,jansson),-ljansson) $(or $(call pkg,--libs,sqlite3),-lsqlite3) $(or $(call pkg,--libs,libpq),-lpq) \
                    $(or $(call pkg,--libs,expat),-lexpat) $(or $(call pkg,--libs,zlib),-lz)
LDLIBS_cli := $(LDLIBS_standards) $(LDLIBS_ledgerlib) $(LDLIBS_base) $(LDLIBS_curl) $(LDLIBS_rtr)
LDLIBS_ledger := $(LDLIBS_cli)
LDLIBS_resolver := $(or $(call pkg,--libs,libpsl),-lpsl)
LDLIBS_milter := $(LDLIBS_needed) -lmilter $(LDLIBS_standards) $(LDLIBS_base)
LDLIBS_outgoing := $(LDLIBS_standards) $(LDLIBS_base) $(LDLIBS_curl)
LDLIBS_cmocka := $(or $(call pkg,--libs,cmocka),-lcmocka)
