# SPDX-License-Identifier: GPL-2.0-or-later
# What people type. Goals that need packages install them first, then call make again to build: which
# sources there are is known only then.
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec/cratons
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share
BASHDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR ?= $(DATADIR)/zsh/site-functions
FISHDIR ?= $(DATADIR)/fish/vendor_completions.d
SYSTEMD_UNITDIR ?= $(PREFIX)/lib/systemd/system
INSTALL ?= install
JOBS ?= $(shell nproc)

again = $(MAKE) $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS)) --no-print-directory

.PHONY: help deps check test vm demo bench fuzz install uninstall clean
help:
	@sed -n '2,/^$$/s/^# \?//p' Makefile
deps:
	@scripts/deps.sh build

# The quick part: the repository's own rules, the unit tests, the tests that take no time.
check:
	@scripts/deps.sh build test
	@+$(again) all test-all fuzz-all
	@scripts/check
	@tests/npm/setup build
	@tests/run --quick --build $(O)

test:
	@scripts/deps.sh build test
	@+$(again) all test-all fuzz-all
	@scripts/check
	@tests/npm/setup build
	@tests/run --build $(O)

# Only what runs in the virtual machine, which 'test' boots too.
vm:
	@scripts/deps.sh build test
	@+$(again) all test-all
	@tests/run --build $(O) vm:

demo:
	@scripts/deps.sh build
	@+$(again) all
	@tests/demo/run $(O)

bench:
	@scripts/deps.sh build test bench
	@+$(again) all test-all
	@tests/bench/run $(O)

# Each harness for FUZZ_SECONDS, from the inputs that the tests have; new ones stay under build/.
FUZZ_SECONDS ?= 60
fuzz:
	@scripts/deps.sh build fuzz
	@+$(again) FUZZ=1 fuzz-all
	@for f in build/fuzzing/fuzz/*; do n=$${f##*/}; mkdir -p build/fuzzing/found/$$n; \
		echo "  FUZZ    $$n"; \
		$$f -max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=build/fuzzing/$$n- build/fuzzing/found/$$n \
			$$(ls -d tests/fuzz/corpus/$$n tests/fuzz/$$n tests/hostile/$$n 2>/dev/null) || exit 1; \
	done

# Users type cratons; the other programs are its helpers, which it looks for in ../libexec/cratons.
install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(BASHDIR) \
		$(DESTDIR)$(ZSHDIR) $(DESTDIR)$(FISHDIR) $(DESTDIR)$(DATADIR)/doc/cratons \
		$(DESTDIR)$(SYSTEMD_UNITDIR) $(DESTDIR)$(DATADIR)/cratons/apparmor
	$(INSTALL) -m 755 $(O)/bin/cratons $(DESTDIR)$(BINDIR)/
	for f in $(filter-out %/cratons,$(wildcard $(O)/bin/cratons*)); do \
		$(INSTALL) -m 755 $$f $(DESTDIR)$(LIBEXECDIR)/ || exit 1; done
	for f in userspace/man/*.[1-8]; do s=$${f##*.}; \
		$(INSTALL) -D -m 644 -t $(DESTDIR)$(MANDIR)/man$$s $$f || exit 1; done
	$(O)/bin/cratons completions bash >$(DESTDIR)$(BASHDIR)/cratons
	$(O)/bin/cratons completions zsh >$(DESTDIR)$(ZSHDIR)/_cratons
	$(O)/bin/cratons completions fish >$(DESTDIR)$(FISHDIR)/cratons.fish
	$(INSTALL) -m 644 COPYING README.md $(DESTDIR)$(DATADIR)/doc/cratons/
	$(INSTALL) -D -m 644 -t $(DESTDIR)$(DATADIR)/doc/cratons/docs docs/*.md
	sed 's,@BINDIR@,$(BINDIR),; s,@LIBEXECDIR@,$(LIBEXECDIR),' packaging/apparmor/cratons \
		>$(DESTDIR)$(DATADIR)/cratons/apparmor/cratons
	for f in packaging/systemd/*; do \
		sed 's,@LIBEXECDIR@,$(LIBEXECDIR),' $$f >$(DESTDIR)$(SYSTEMD_UNITDIR)/$${f##*/} || exit 1; done

uninstall:
	rm -f $(DESTDIR)$(BINDIR)/cratons $(DESTDIR)$(BASHDIR)/cratons $(DESTDIR)$(ZSHDIR)/_cratons \
		$(DESTDIR)$(FISHDIR)/cratons.fish
	for f in packaging/systemd/*; do rm -f $(DESTDIR)$(SYSTEMD_UNITDIR)/$${f##*/}; done
	rm -rf $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(DATADIR)/doc/cratons $(DESTDIR)$(DATADIR)/cratons
	for f in userspace/man/*.[1-8]; do s=$${f##*.}; \
		rm -f $(DESTDIR)$(MANDIR)/man$$s/$${f##*/}; done

clean:
	$(Q)rm -rf build
