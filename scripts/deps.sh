#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# deps.sh [build] [test] [bench] [fuzz]: installs the Debian packages that are missing, and says so. Root, or
# sudo for that one step; nothing is asked of the network when nothing is missing.
# An entry "package:command" is content with the command, wherever it comes from.
set -eu

build="make gcc g++ pkg-config libc6-dev linux-libc-dev
	librust-blake3-dev libsimdjson-dev libtomlplusplus-dev
	ca-certificates libcurl4-openssl-dev libssl3 liburing-dev
	libdeflate-dev zlib1g-dev liblmdb-dev libfuse3-dev libseccomp-dev libcap-dev
	libsystemd-dev"
test="libcriterion-dev golang-go:go golang-github-burntsushi-toml-dev nodejs:node npm:npm
	mandoc procps:ps util-linux:setpriv iproute2:ip
	python3:python3 git:git curl:curl openssl:openssl zsh fish strace gdb fuse3:fusermount3
	qemu-system-x86:qemu-system-x86_64 busybox-static cpio systemd dbus-daemon:dbus-daemon"
bench="strace bubblewrap crun runc iperf3 slirp4netns passt:pasta"
fuzz="clang:clang libclang-rt-dev"

# One question for all: a process for each package would cost more than everything else here.
missing_of() {
	local known entry
	known=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
		sed -n 's/^installed //p' | tr '\n' ' ') "
	for entry; do
		case $known in *" ${entry%%:*} "*) continue ;; esac
		case $entry in *:*) command -v "${entry#*:}" >/dev/null 2>&1 && continue ;; esac
		echo "${entry%%:*}"
	done
}

if ! command -v dpkg-query >/dev/null; then
	echo "deps.sh: this is no Debian: install what corresponds to: $build $test" >&2
	exit 0
fi
wanted=
for set in "${@:-build}"; do
	case $set in
	build | test | bench | fuzz) wanted="$wanted ${!set}" ;;
	*) echo "usage: deps.sh [build] [test] [bench] [fuzz]" >&2; exit 2 ;;
	esac
done
missing=$(missing_of $wanted)
[ -n "$missing" ] || exit 0

echo "Installing with apt-get:" $missing
sudo=
if [ "$(id -u)" != 0 ]; then
	command -v sudo >/dev/null || { echo "deps.sh: not root, and there is no sudo" >&2; exit 1; }
	sudo=sudo
fi
apt="apt-get -q -o DPkg::Lock::Timeout=600"
$sudo $apt update
$sudo env DEBIAN_FRONTEND=noninteractive $apt install -y --no-install-recommends $missing
