# SPDX-License-Identifier: GPL-2.0-or-later
.PHONY: clean
clean:
	$(Q)rm -rf build
