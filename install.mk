# SPDX-License-Identifier: BSD-2-Clause
# install and uninstall: what goes where, once.
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(BUILD)/assay $(DESTDIR)$(PREFIX)/bin/assay
	install -m 755 $(BUILD)/assay-milter $(BUILD)/assay-ledger $(DESTDIR)$(PREFIX)/sbin/
	for m in man/*.[1-8]; do d=$(DESTDIR)$(PREFIX)/share/man/man$${m##*.}; install -d $$d && install -m 644 $$m $$d/ || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/assay $(DESTDIR)$(PREFIX)/sbin/assay-milter $(DESTDIR)$(PREFIX)/sbin/assay-ledger
	for m in man/*.[1-8]; do rm -f $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$$(basename $$m); done
