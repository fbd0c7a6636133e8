# SPDX-License-Identifier: BSD-2-Clause
# Where the libraries are: by pkg-config where they have it, by name where they have none (libmilter, libspf2).
pkg = $(shell $(PKG_CONFIG) $(1) $(2) 2>/dev/null)

CFLAGS_engines := $(call pkg,--cflags,opendkim)
CFLAGS_ledger := $(call pkg,--cflags,libpq)
CFLAGS_feedback := $(call pkg,--cflags,libxml-2.0 opendkim)
# libspf2 is a second SPF engine where it is there (set spf.engine libspf2).
HAVE_SPF2 := $(shell printf '\043include <spf2/spf.h>\n' | $(CC) -E -x c - >/dev/null 2>&1 && echo 1)
CFLAGS_engines += $(if $(HAVE_SPF2),-DASSAY_HAVE_LIBSPF2)
CFLAGS_milter :=
# libcurl brings many others: only programs that fetch anything are linked with it.
LDLIBS_base := $(or $(call pkg,--libs,libunbound),-lunbound) $(or $(call pkg,--libs,libidn2),-lidn2) -lpthread \
               -Wl,--push-state,--as-needed $(or $(call pkg,--libs,libcurl),-lcurl) -Wl,--pop-state
LDLIBS_standards := $(or $(call pkg,--libs,opendkim),-lopendkim) $(or $(call pkg,--libs,libcrypto),-lcrypto) \
                    $(or $(call pkg,--libs,libssl),-lssl) $(or $(call pkg,--libs,libpsl),-lpsl) $(if $(HAVE_SPF2),-lspf2)
LDLIBS_ledgerlib := $(or $(call pkg,--libs,jansson),-ljansson) $(or $(call pkg,--libs,sqlite3),-lsqlite3) $(or $(call pkg,--libs,libpq),-lpq) \
                    $(or $(call pkg,--libs,libxml-2.0),-lxml2) $(or $(call pkg,--libs,zlib),-lz)
LDLIBS_cli := $(BUILD)/libassay-engines.a $(BUILD)/libassay-standards.a $(BUILD)/libassay-dns.a $(BUILD)/libassay-base.a $(LDLIBS_standards) $(LDLIBS_ledgerlib) $(LDLIBS_base)
LDLIBS_ledger := $(LDLIBS_cli)
LDLIBS_resolver := $(or $(call pkg,--libs,libpsl),-lpsl)
LDLIBS_milter := -lmilter $(LDLIBS_cli)
LDLIBS_cmocka := $(or $(call pkg,--libs,cmocka),-lcmocka)
