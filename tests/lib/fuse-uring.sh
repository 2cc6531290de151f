# SPDX-License-Identifier: GPL-2.0-or-later
# To be sourced. FUSE over io_uring is off by default, and for the whole machine: a test that needs it
# turns it on for a while. Several may want that at once: each holds a shared lock, and the last to leave
# puts back what the first one found. Mounts that were made meanwhile keep it.
fuse_uring_lock=/run/lock/cratons-fuse-uring
fuse_uring=/sys/module/fuse/parameters/enable_uring

# Says why not, if so.
fuse_uring_on() {
	[ -e "$fuse_uring" ] || { echo "this kernel has no FUSE over io_uring (6.14)"; return 1; }
	[ "$(id -u)" = 0 ] && [ -w "$fuse_uring" ] || { echo "$fuse_uring cannot be set"; return 1; }
	mkdir -p "${fuse_uring_lock%/*}" && exec 7>>"$fuse_uring_lock" && flock -s 7 || return 1
	[ -s "$fuse_uring_lock" ] || cat "$fuse_uring" >"$fuse_uring_lock"
	if ! { echo Y >"$fuse_uring"; } 2>/dev/null; then
		echo "$fuse_uring cannot be set"
		fuse_uring_off
		return 1
	fi
}

fuse_uring_off() {
	if [ -s "$fuse_uring_lock" ] && flock -n -x 7; then
		cat "$fuse_uring_lock" >"$fuse_uring" 2>/dev/null
		: >"$fuse_uring_lock"
	fi
	exec 7>&-
}
