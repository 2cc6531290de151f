# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kinds of containers. Each has a function way_NAME that runs a command in it with what `grant`,
# `limits` and `net` say, its output in $E/out; `granting` are those that take binds.

engine() { # PROFILE COMMAND...: the engine by itself
	local profile=$1
	shift
	as "$TOOL" --seccomp "$profile" "${flags[@]}" --net "${net:-none}" --ro-bind "$T/bin" \
		--bind "$D/granted" --ro-bind "$D/fixed" "${grant[@]}" -- "$@" >"$E/out"
}
way_default() { engine default "$@"; }
way_script() { engine script "$@"; }

# A package's command, in a project without packages: what is read-only is the project's authority.
fresh_environment() { B=$D/granted/bin F=$D/granted/.git/hooks; }
template_environment() {
	mkdir -p "$1/granted/bin" "$1/granted/.git/hooks/sub"
	cp -p "$T/bin"/* "$1/granted/bin"
	cp "$E/project"/cratons.* "$1/granted"
	echo "$canary" >"$1/granted/.git/hooks/file"
}
way_environment() {
	as "$CRATONS" -C "$D/granted" run --net "${net:-none}" "${grant[@]}" "${secret[@]}" -- "$@" >"$E/out"
}

# `cratons container run`, and another command in one that runs.
container_flags() {
	flags_all=("${flags[@]}" --net "${net:-none}" --ro-bind "$T/bin" --bind "$D/granted"
		--ro-bind "$D/fixed" "${grant[@]}" "${secret[@]}")
}
way_container() {
	container_flags
	as "$CRATONS" container run --rm "${flags_all[@]}" -- "$@" >"$E/out"
}
# The same where the root has a layer that is thrown away, and where it is a directory.
way_overlay() {
	container_flags
	as "$CRATONS" container run --rm --overlay "${flags_all[@]}" -- "$@" >"$E/out"
}
way_rootfs() {
	container_flags
	as "$CRATONS" container run --rm --rootfs "$E/rootfs" --overlay --ro-bind /usr \
		--ro-bind /etc/alternatives "${flags_all[@]}" -- "$@" >"$E/out"
}
in_running() { # ID COMMAND...: another command in one that runs, which then goes
	local id=$1 status
	shift
	[ -n "$id" ] || return 125
	as "$CRATONS" container exec "${secret[@]}" "$id" -- "$@" >"$E/out"
	status=$?
	as "$CRATONS" container rm --force "$id" >/dev/null 2>&1
	return $status
}
way_exec() {
	container_flags
	in_running "$(as "$CRATONS" container run --detach "${flags_all[@]}" -- \
		sleep 60 </dev/null)" "$@"
}
# The same where the filters are no profile's: a file of one's own, a bundle's.
way_own_exec() {
	container_flags
	echo 'version = 1
base = "default"
[[refuse]]
why = "something of its own"
error = "EPERM"
calls = ["acct"]' >"$E/own.toml"
	in_running "$(as "$CRATONS" container run --detach --seccomp "$E/own.toml" \
		"${flags_all[@]}" -- sleep 60 </dev/null)" "$@"
}
way_bundle_exec() {
	make_bundle sleep 60
	in_running "$(as "$CRATONS" container run --detach --bundle "$E/bundle" "${nets[@]}" \
		</dev/null 2>/dev/null)" "$@"
}

# A bundle whose configuration asks for every capability, privileges, a writable root and no masks, and has
# a filter that allows everything.
make_bundle() {
	mkdir -p "$E/bundle"
	/usr/bin/python3 "$probes/bundle.py" "$E/bundle" "$uid" "$T/bin=ro,$D/granted=rw,$D/fixed=ro" "${net:-none}" "$@"
	chown -R "$uid:$uid" "$E/bundle"
	nets=()
	[ -z "$net" ] || nets=(--net "$net")
}
way_bundle() {
	local status
	make_bundle "$@"
	as "$CRATONS" container run --rm --bundle "$E/bundle" "${nets[@]}" "${secret[@]}" \
		2>"$E/said" >"$E/out"
	status=$?
	grep -v "^warning: config.json: process.capabilities" "$E/said" >&2
	return $status
}

# Turns `limits` into the flags of this way; fails where the way has no such limit.
limits_possible() {
	local l name value
	flags=()
	for l in "${limits[@]}"; do
		name=${l%%=*} value=${l#*=}
		case $way in
		default | script)
			case $name in
			memory) return 1 ;;	# takes a cgroup
			time) flags+=(--seconds "$value") ;;
			output) flags+=(--capture --output-max "$value") ;;
			*) flags+=("--$name" "$value") ;;
			esac
			;;
		container)
			case $name in
			memory) [ -n "$has_memory" ] || return 1; flags+=(--memory "$value") ;;
			processes) [ -n "$has_pids" ] || return 1; flags+=(--pids "$value") ;;
			time) flags+=(--time "$value") ;;
			output) flags+=(--output-max "$value") ;;
			*) return 1 ;;
			esac
			;;
		*) return 1 ;;
		esac
	done
}

has() { "$CRATONS" container --help 2>&1 | grep -q "container $1 "; }
find_ways() {
	local all="default script environment" w
	granting="default script"
	if has run; then
		all+=" container"
		! has exec || all+=" exec own_exec"
		! "$CRATONS" container run --help | grep -q -e --bundle || all+=" bundle bundle_exec"
		granting+=" container"
		! "$CRATONS" container run --help | grep -q -e --rootfs || all+=" overlay rootfs"
		mkdir -p "$T"/rootfs/{usr,proc,dev,tmp,etc/alternatives}
		for w in bin sbin lib lib32 lib64 libx32; do
			[ ! -L /$w ] || ln -s "$(readlink /$w)" "$T/rootfs/$w"
		done
	fi
	ways=
	for w in $all; do
		[[ -z ${WAYS:-} || " $WAYS " == *" $w "* ]] && ways+=" $w"
	done
	ways=${ways# }
	[ -z "${WAYS:-}" ] || granting=$(for w in $granting; do [[ " $WAYS " != *" $w "* ]] || printf ' %s' "$w"; done)
}

ways_begin() {
	mkdir -p "$E/project" "$E/home"
	chown "$uid:$uid" "$E" "$E/project" "$E/home"
	(cd "$E/project" && D=$E && as sh -c '
		"$0" init && "$0" lock && "$0" install' "$CRATONS") >"$E/err" 2>&1 ||
		say_not_ok "a project for the probes" "$(cat "$E/err")"
	make_templates
	[ ! -d "$T/rootfs" ] || { cp -a "$T/rootfs" "$E/rootfs" && chown -hR "$uid:$uid" "$E/rootfs"; }
	# Who may limit what is different for each user.
	has_memory= has_pids=
	as "$CRATONS" container run --rm --memory 64M -- true >"$E/out" 2>&1 && has_memory=y
	as "$CRATONS" container run --rm --pids 64 -- true >"$E/out" 2>&1 && has_pids=y
	# An attack that loses proves nothing where there is no container.
	local way net= limits=()
	for way in $ways; do
		limits_possible
		fresh confined
		way_$way echo "$token" 2>"$E/err" && [ "$(cat "$E/out")" = "$token" ] && say_ok "a container: $way" ||
			say_not_ok "a container: $way" "$(cat "$E/out" "$E/err")"
	done
}
# The server of the packages' mount waits for more to do; it is ended, not waited for.
ways_end() {
	local p
	for p in $(pgrep -x cratons-fused); do
		tr '\0' ' ' <"/proc/$p/cmdline" | grep -qF " --home $E/home " && kill "$p"
	done 2>/dev/null
}
