# SPDX-License-Identifier: BSD-2-Clause
#
# Assay: build, test, try out, install.
#
#   make                 the programs, in build/
#   make demo            set up and show the whole product at work (root; KEEP=1 leaves it running)
#   make check           set up and run all tests (root for those that need their own network)
#   make check-quick     unit tests and the tests of the tree itself: under a minute
#   make check-one T=x   one test: a unit test's name (test_ip), or a scenario's file
#   make conformance SUITES=../shared/suites     public conformance suites
#   make asan            everything built with ASan and UBSan, and the unit tests run so
#   make fuzz            each fuzz target for FUZZ_SECONDS (default 10)
#   make bench           figures beside those of others, as ratios, table and plots (QUICK=1: two minutes; AGAINST=FILE: an older figures.json)
#   make resolver        assay-unbound.so, and an Unbound that can load it
#   make check-packages  the packages, installed in a folder of plain Debian (SUITE=trixie for another)
#   make check-32        everything built and its unit tests run on 32 bits, in a folder of Debian for i386
#   make check-postfix   both engines of assay-milter behind the Postfix of Debian 13; SECONDS=1200: then a soak, with Sendmail beside it
#   make check-resolver  all tests of the resolver's module with another Unbound: UNBOUND_SUITE=trixie, or UNBOUND_SOURCE=FOLDER
#   make check-boot      the packages under a systemd that really runs, and the first hour of three users by README's commands
#   make deb             Debian packages, in build/deb/
#   make install         to PREFIX (default /usr/local), under DESTDIR
#   make uninstall clean help
#
# Settings: CC, CFLAGS, PREFIX, DESTDIR, WERROR=0 (warnings stay warnings), BUILD (default build).

PREFIX    ?= /usr/local
SYSCONFDIR ?= /etc
STATEDIR  ?= /var/lib/assay
BUILD     ?= build
WERROR    ?= 1
VERSION   := $(shell sed -n '1s/^Assay \([0-9.]*\).*/\1/p' CHANGES)
PKG_CONFIG ?= pkg-config

WARN := -Wall -Wextra -Wshadow -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wpointer-arith -Wwrite-strings \
        -Wformat=2 -Wundef -Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror)
CFLAGS ?= -O2 -g
# What goes into programs and into the engines' modules, too: sanitized objects (that build sets PIC=-fPIC), and with link-time
# optimisation all code, which is made for whichever of the two is linked.
PIC ?= $(if $(findstring -flto,$(CFLAGS)),-fPIC,-fPIE)
HARD := -fstack-protector-strong $(PIC)
# Where the second engines' modules are looked for: fixed when we are built.
ENGINEDIR ?= $(PREFIX)/lib/assay/engines
# Libraries of a 32-bit distribution may have a time_t of 32 bits, whatever ours is: that is the compiler's own default.
TIME_OF_LIBRARIES := $(shell echo 'int a[sizeof(__typeof__(((struct timeval *)0)->tv_sec)) == 8 ? 1 : -1];' | $(CC) -include sys/time.h -x c -fsyntax-only - 2>/dev/null && echo 64 || echo 32)
DEFS := -DTIME_OF_LIBRARIES=$(TIME_OF_LIBRARIES) -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64 -DASSAY_VERSION='"$(VERSION)"' -DASSAY_SYSCONFDIR='"$(SYSCONFDIR)/assay"' -DASSAY_STATEDIR='"$(STATEDIR)"'
FORTIFY ?= -D_FORTIFY_SOURCE=2
ALL_CFLAGS = -std=c17 $(CFLAGS) $(FORTIFY) $(WARN) $(HARD) $(DEFS) -I. -include base/banned.h -MMD -MP -fvisibility=hidden
ALL_LDFLAGS = $(LDFLAGS) -pie -Wl,-z,relro,-z,now

include libraries.mk

# The rooms that are libraries, each before those it stands on: the order in which they are linked.
ROOMS := report feedback check outgoing judge ledger journal standards net dns policy base
# A room's main programs (files *_main.c) are not part of its library.
room_src = $(filter-out %_main.c %/main.c,$(wildcard $(1)/*.c $(1)/*/*.c))
room_obj = $(patsubst %.c,$(BUILD)/%.o,$(call room_src,$(1)))
LIBS_OUR := $(foreach r,$(ROOMS),$(BUILD)/libassay-$(r).a)

# The second engines: modules that a program opens only if the policy asks for one.
ENGINES := $(BUILD)/assay-engine-opendkim.so $(if $(HAVE_SPF2),$(BUILD)/assay-engine-libspf2.so)
PROGRAMS := $(BUILD)/assay $(BUILD)/assay-milter $(BUILD)/assay-outgoing $(BUILD)/assay-ledger
UNIT := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
BENCH := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/bench_*.c)) $(BUILD)/bench/milter_load
TOOLS := $(patsubst tests/conformance/%.c,$(BUILD)/conformance/%,$(wildcard tests/conformance/*.c))

.PHONY: FORCE all check check-quick check-one demo install uninstall asan fuzz bench benches clean help conformance resolver tests tools
.DEFAULT_GOAL := all

all: $(PROGRAMS) $(ENGINES)

help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' Makefile

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(CFLAGS_$(firstword $(subst /, ,$<))) -c -o $@ $<

# Catalogues of languages, as tables of C.
CATALOGUES := $(patsubst po/%.po,$(BUILD)/po/%.inc,$(wildcard po/*.po))
$(BUILD)/po/%.inc: po/%.po po/compile
	@mkdir -p $(@D)
	po/compile $< >$@.new
	@mv $@.new $@
$(BUILD)/base/language.o: $(CATALOGUES)
CFLAGS_base := -I$(BUILD)

# The style sheet of the report's pages, as a text of C.
$(BUILD)/report/style.inc: report/style.css
	@mkdir -p $(@D)
	sed 's/[\"]/\\&/g; s/^ *\(.*\)$$/"\1\\n"/' $< >$@.new
	@mv $@.new $@
$(BUILD)/report/page.o: $(BUILD)/report/style.inc
CFLAGS_report := -I$(BUILD)

# A file that left its room leaves the archive, too: the archive depends on the list of its objects. It is renamed into
# place, and the list says nothing of where we build: a test may run make while another links.
# Added with q: r would replace facts.o of one room by facts.o of another.
define archive_rule
$(BUILD)/$(1).objects: FORCE
	@mkdir -p $$(@D)
	@echo $(patsubst $(BUILD)/%,%,$(2)) | cmp -s - $$@ || echo $(patsubst $(BUILD)/%,%,$(2)) >$$@
$(BUILD)/libassay-$(1).a: $(2) $(BUILD)/$(1).objects
	@rm -f $$@.new
	ar qcs $$@.new $$(filter %.o,$$^)
	@mv $$@.new $$@
endef
$(foreach r,$(ROOMS) engines,$(eval $(call archive_rule,$(r),$(call room_obj,$(r)))))

# The stamp of the modules names our version and the headers that they share with us.
ENGINE_ABI := $(shell cat $(sort $(wildcard base/*.h dns/*.h standards/*.h standards/*/*.h)) | sha256sum | cut -c1-16)
$(BUILD)/engine_abi: FORCE
	@mkdir -p $(@D)
	@echo $(ENGINE_ABI) | cmp -s - $@ || echo $(ENGINE_ABI) >$@
ENGINE_OBJ := $(call room_obj,engines) $(BUILD)/judge/engine.o
$(ENGINE_OBJ): $(BUILD)/engine_abi
$(ENGINE_OBJ): DEFS += -DASSAY_ENGINE_ABI='"$(ENGINE_ABI)"' -DASSAY_ENGINE_DIR='"$(ENGINEDIR)"'
ENGINE_NEEDS := $(foreach r,standards dns base,$(BUILD)/libassay-$(r).a)

$(BUILD)/assay-engine-opendkim.so: $(BUILD)/engines/opendkim.o $(ENGINE_NEEDS)
	$(CC) $(LDFLAGS) -fPIC -shared -Wl,-z,relro,-z,now,--no-undefined,--as-needed,--exclude-libs,ALL -o $@ $^ $(LDLIBS_opendkim) $(LDLIBS_standards) $(LDLIBS_base)

$(BUILD)/assay-engine-libspf2.so: $(BUILD)/engines/libspf2.o $(BUILD)/engines/libspf2_lookup.o $(ENGINE_NEEDS)
	$(CC) $(LDFLAGS) -fPIC -shared -Wl,-z,relro,-z,now,--no-undefined,--as-needed,--exclude-libs,ALL -o $@ $^ $(LDLIBS_libspf2) $(LDLIBS_standards) $(LDLIBS_base)

$(BUILD)/assay: $(patsubst %.c,$(BUILD)/%.o,$(wildcard cli/*.c cli/*/*.c)) $(LIBS_OUR)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_cli)

# Each program is linked with the rooms below it and no others.
rooms = $(patsubst %,$(BUILD)/libassay-%.a,$(1))
$(BUILD)/assay-milter: $(patsubst %.c,$(BUILD)/%.o,$(wildcard milter/*.c milter/wire/*.c)) $(call rooms,judge journal standards net dns policy base)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_milter)

$(BUILD)/assay-outgoing: $(patsubst %.c,$(BUILD)/%.o,$(wildcard outgoing/*_main.c)) $(call rooms,outgoing standards net dns policy base)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_outgoing)

$(BUILD)/assay-ledger: $(patsubst %.c,$(BUILD)/%.o,$(wildcard ledger/*_main.c)) $(call rooms,feedback ledger journal standards net dns policy base)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_ledger)

# What of the resolver's module knows no Unbound, for the unit tests.
MODULE_OBJ := $(patsubst %.c,$(BUILD)/%.o,$(filter-out resolver-module/unbound_%,$(wildcard resolver-module/*.c)))
$(BUILD)/libassay-resolver.a: $(MODULE_OBJ)
	@rm -f $@.new
	ar rcs $@.new $^
	@mv $@.new $@

# What stands beside the main files of assay-milter and assay, so that a unit test can be linked with any of it.
$(foreach r,milter cli,$(eval $(call archive_rule,$(r),$(call room_obj,$(r)))))

# Over a hundred programs that nobody installs: by a linker that takes half the processor time of ld.bfd, where there is one.
QUICK_LINKER := $(firstword $(foreach l,gold lld,$(if $(shell command -v ld.$(l)),-fuse-ld=$(l))))
$(BUILD)/tests/%: $(BUILD)/tests/unit/%.o $(BUILD)/libassay-resolver.a $(BUILD)/libassay-cli.a $(BUILD)/libassay-milter.a $(BUILD)/libassay-engines.a $(LIBS_OUR)
	@mkdir -p $(@D)
	$(CC) $(QUICK_LINKER) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_engines) $(LDLIBS_cli) $(LDLIBS_resolver) $(LDLIBS_cmocka)

# A kqueue made of poll(2), so that what the BSDs run is compiled and tried here too.
$(BUILD)/tests/unit/test_wire_kqueue.o: DEFS += -I tests/unit/kqueue

$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o $(BUILD)/libassay-engines.a $(LIBS_OUR)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_engines) $(LDLIBS_cli)

# By clang only: tests/fuzz/run sets CC and the flags. Instrumented code takes twice as long to compile: what no target reaches is not
# compiled for them. Of three rooms the targets use a few files. Of the other rooms a new file is compiled unless it is named here; a
# target that comes to need a file which is named does not link, and says so: then its name is taken out.
FUZZ_USES := resolver-module/decide milter/delegation_request $(patsubst %.c,%,$(wildcard milter/wire/wire_[cr]*.c)) outgoing/netstring
FUZZ_LEAVES := base/log_pipe base/log_text base/options base/test_message \
    check/facts_write check/gate check/gather% check/kept check/origin check/prefix_table check/rtr check/tls_probe \
    dns/direct dns/dns_anchor dns/dns_cache dns/dns_canary dns/dns_loop dns/dns_share dns/dns_unbound% \
    $(addprefix feedback/dmarc_,claim failure_run late mail post reach run send smtp) feedback/report_reader feedback/report_sender \
    feedback/report_store feedback/reports_config journal/journal journal/journal_queue journal/known_signers judge/reply \
    ledger/config ledger/domain_checks ledger/exceptions ledger/ingest_ahead ledger/most_seen \
    ledger/organisation_states ledger/organisations ledger/published ledger/recount ledger/retention% \
    ledger/store_backup ledger/store_rebuild net/https net/listen net/ready \
    policy/guard policy/live policy/order policy/pause
FUZZ_OBJ := $(FUZZ_USES:%=$(BUILD)/%.o) $(filter-out $(FUZZ_LEAVES:%=$(BUILD)/%.o), \
    $(foreach r,engines $(filter-out report outgoing,$(ROOMS)),$(call room_obj,$(r))))
$(eval $(call archive_rule,fuzzed,$(FUZZ_OBJ)))
$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libassay-fuzzed.a
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_engines) $(LDLIBS_cli)

# What speaks the MTA's side of the milter protocol; it has no code of ours in common with what it measures.
$(BUILD)/bench/milter_load: $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/bench/load_*.c))
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcrypto -lpthread

$(BUILD)/conformance/%: $(BUILD)/tests/conformance/%.o $(BUILD)/libassay-engines.a $(BUILD)/libassay-milter.a $(LIBS_OUR)
	@mkdir -p $(@D)
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LDLIBS_engines) $(LDLIBS_cli)

tests: $(UNIT) $(ENGINES)

# What the conformance suites and the differential tests ask.
tools: $(TOOLS)

resolver:
	@tests/install-packages build resolver
	@$(MAKE) --no-print-directory -C resolver-module

# The tests of the resolver's module with another Unbound: UNBOUND_SUITE=trixie (the distribution's), or UNBOUND_SOURCE=FOLDER (unpacked source).
.PHONY: check-resolver
check-resolver: OTHER := $(abspath $(BUILD))/unbound-$(or $(UNBOUND_SUITE),other)
check-resolver:
	@$(MAKE) --no-print-directory -C resolver-module UNBOUND=$(OTHER) MODULE=$(OTHER)/assay-unbound.so
	@failed=; cd tests/system/resolver && for t in check-* run; do \
	    echo "$$t: Unbound $$(cat $(OTHER)/version)"; UNBOUND=$(OTHER) MODULE=$(OTHER)/assay-unbound.so ./$$t || failed="$$failed $$t"; \
	done; [ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }

check check-quick check-one demo conformance fuzz bench asan: export BUILD := $(BUILD)
demo:
	@tests/demo
check:
	@tests/check all
check-quick:
	@tests/check quick
check-one:
	@tests/check one "$(T)"
conformance:
	@tests/check conformance "$(SUITES)"
asan:
	@tests/check asan
fuzz:
	@tests/fuzz/run $(FUZZ_SECONDS)
bench: all benches
	@tests/bench/run
benches: $(BENCH)

include install.mk

clean:
	rm -rf $(BUILD) build-*
	$(MAKE) -s -C resolver-module clean

# Not below $(BUILD)/unbound: there is a folder whose name ends like that.
-include $(filter-out $(BUILD)/unbound%,$(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d))
.SECONDARY:

.PHONY: deb
deb: # by a make of its own: where the libraries are is asked when a makefile is read, and resolver may just have installed them
	@tests/install-packages build
	@$(MAKE) --no-print-directory all
	@contrib/debian/build

.PHONY: check-packages
check-packages:
	@tests/system/packages/check $(SUITE)

.PHONY: check-32
check-32:
	@tests/system/i386/check $(SUITE)

.PHONY: check-postfix
check-postfix:
	@tests/system/milter/check-postfix --fetch $(SECONDS)

.PHONY: check-boot
check-boot:
	@tests/system/boot/check $(SUITE)
	@tests/system/boot/paths $(SUITE)
