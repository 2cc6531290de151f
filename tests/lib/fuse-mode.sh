# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced. On ordinary hosts every user may open /dev/fuse; on some machines only root may, and
# the tests that run as an ordinary user need it opened for a while. Several test runs may want that
# at once: each holds a shared lock, and the last to leave puts the mode back that the first one found.
fuse_mode_lock=/run/lock/cratons-fuse-mode

fuse_mode_open() {
	[ "$(id -u)" = 0 ] && [ -c /dev/fuse ] || return 0
	[ -z "${CRATONS_FUSE_MODE_HELD:-}" ] || return 0
	mkdir -p "${fuse_mode_lock%/*}" && exec 8>>"$fuse_mode_lock" && flock -s 8 || return 0
	if [ "$(stat -c %a /dev/fuse)" != 666 ]; then
		stat -c %a /dev/fuse >"$fuse_mode_lock"
		chmod 666 /dev/fuse
	fi
	export CRATONS_FUSE_MODE_HELD=y
	fuse_mode_owner=$$
}

fuse_mode_close() {
	[ "${fuse_mode_owner:-}" = $$ ] || return 0
	if [ -s "$fuse_mode_lock" ] && flock -n -x 8; then
		chmod "$(cat "$fuse_mode_lock")" /dev/fuse
		: >"$fuse_mode_lock"
	fi
	exec 8>&-
	fuse_mode_owner=
}
