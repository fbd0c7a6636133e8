# SPDX-License-Identifier: BSD-2-Clause
#
# install and uninstall: what goes where, once. One line a file below: MODE FROM TO. What is installed is what is removed.
# Not touched by either: SYSCONFDIR/assay (your policy) and STATEDIR. The units name the programs where PREFIX puts them.
SHARE := $(PREFIX)/share/assay
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions

define INSTALL_LIST
755 $(BUILD)/assay $(PREFIX)/bin/assay
755 $(BUILD)/assay-milter $(PREFIX)/sbin/assay-milter
755 $(BUILD)/assay-outgoing $(PREFIX)/sbin/assay-outgoing
755 $(BUILD)/assay-ledger $(PREFIX)/sbin/assay-ledger
$(foreach e,$(ENGINES),644 $(e) $(ENGINEDIR)/$(notdir $(e))
)$(foreach m,$(wildcard man/*.[1-8]),644 $(m) $(PREFIX)/share/man/man$(lastword $(subst ., ,$(m)))/$(notdir $(m))
)$(foreach p,$(wildcard contrib/policies/*),644 $(p) $(SHARE)/policies/$(notdir $(p))
)$(foreach p,$(wildcard contrib/beside/README contrib/beside/*/* contrib/postfix/* contrib/sendmail/* contrib/unbound/* contrib/grafana/* contrib/apparmor/*),644 $(p) $(SHARE)/$(patsubst contrib/%,%,$(p))
)644 contrib/completion/assay.bash $(PREFIX)/share/bash-completion/completions/assay
644 contrib/completion/_assay $(ZSHDIR)/_assay
644 contrib/check.schema.json $(SHARE)/check.schema.json
755 contrib/systemd/backoff $(SHARE)/backoff
644 contrib/sysusers.d/assay.conf $(SHARE)/sysusers.conf
644 contrib/tmpfiles.d/assay.conf $(SHARE)/tmpfiles.conf
755 contrib/certbot/assay-tlsa-hook $(SHARE)/certbot/assay-tlsa-hook
$(foreach u,$(wildcard contrib/systemd/assay-*.service contrib/systemd/assay-*.timer),644 $(u) $(UNITDIR)/$(notdir $(u))
)
endef
export INSTALL_LIST

install: all
	@echo "$$INSTALL_LIST" | while read -r mode from to; do \
	    [ -n "$$to" ] || continue; install -D -m "$$mode" "$$from" "$(DESTDIR)$$to" || exit 1; \
	    case $$to in $(UNITDIR)/*) sed -i 's#/usr/\(s\{0,1\}bin\|share\)/assay#$(PREFIX)/\1/assay#g' "$(DESTDIR)$$to" || exit 1 ;; esac; done
	@echo "installed below $(DESTDIR)$(PREFIX); the policy to start from: $(SHARE)/policies/first-day.policy"
	@echo "users of the daemons, and their folder: systemd-sysusers $(SHARE)/sysusers.conf && systemd-tmpfiles --create $(SHARE)/tmpfiles.conf"

uninstall:
	@echo "$$INSTALL_LIST" | while read -r mode from to; do [ -n "$$to" ] || continue; rm -f "$(DESTDIR)$$to"; done
	@for d in $(SHARE)/policies $(SHARE)/postfix $(SHARE)/sendmail $(SHARE)/unbound $(SHARE)/grafana $(SHARE)/apparmor $(SHARE)/certbot $(SHARE)/sysusers.d $(SHARE); do \
	    rmdir "$(DESTDIR)$$d" 2>/dev/null || true; done
