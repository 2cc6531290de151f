# SPDX-License-Identifier: GPL-2.0-or-later
#
# How attacks are run and judged. An attack is a function that takes how to run ("bare", "confined", …)
# and succeeds if the attack won. While it runs:
#	D	its directories: granted (writable inside), fixed (read-only), hidden and home (absent)
#	F	a directory that is read-only inside, with the files `file` and `sub/`
#	P, B	the probe, and the directory it is in
#	token	a word of this run only
#	out	what it printed

# There are thousands of runs, and each program that is started for one costs an emulated processor 30 ms.
as() { # as the user of this round, with a caller's environment that has secrets, for some seconds
	local with=()
	[ ${#inject[@]} -eq 0 ] || with=(env "${inject[@]}")
	HOME="$D/home" CRATONS_HOME="$E/home" NPM_TOKEN="$canary" AWS_SECRET_ACCESS_KEY="$canary" \
		SSH_AUTH_SOCK="$T/listen/socket" NODE_OPTIONS="--title=$canary" http_proxy="http://$canary" \
		HTTPS_PROXY="http://$canary" LD_LIBRARY_PATH="/$canary" PYTHONPATH="/$canary" \
		KUBECONFIG="$canary" DBUS_SESSION_BUS_ADDRESS="$canary" XDG_RUNTIME_DIR="/$canary" \
		GITHUB_TOKEN="$canary" npm_config__auth="$canary" PERL5OPT= CARGO_REGISTRY_TOKEN="$canary" \
		"$T/bin/probe" as "$uid" "${CRATONS_VM:+1}20" "${with[@]}" "${before[@]}" "$@"
}
pause() { read -rt "$1" <>"$T/idle"; }	# which nobody writes to
bare() { out=$(as "$@" 2>"$E/err"); }
bare_ns() { # the whole power over namespaces of its own
	out=$(as unshare --user --map-current-user --keep-caps --mount --uts --net -- "$@" 2>"$E/err")
}
bare_root() { local uid=0; bare "$@"; }
bare_root_mount() { local uid=0; out=$(as unshare --mount -- "$@" 2>"$E/err"); }
bare_pid() { out=$(as unshare --user --map-current-user --keep-caps --pid --fork --kill-child --mount-proc -- "$@" 2>"$E/err"); }
# The network namespace of the test, as root.
bare_root_net() { bare_root unshare --net -- "$@"; }
# Where pid 1 is another process than the attack, of the same user.
bare_init() { bare_pid sh -c '"$@"; :' sh "$@"; }
confined() {
	"way_$way" "$@" 2>"$E/err"
	echo $? >"$E/status"
	out=$(<"$E/out")
}

# What fresh copies: the directories as they are before an attack, also those of a way that has others.
make_templates() {
	local d=$E/fresh f
	mkdir -p "$d/granted" "$d/fixed/sub" "$d/home/.ssh" "$d/home/.config" "$d/hidden"
	for f in hidden/secret home/.ssh/id_rsa fixed/file; do echo "$canary" >"$d/$f"; done
	echo "# $canary" >"$d/home/.bashrc"
	cp -a "$d" "$E/fresh.environment"
	template_environment "$E/fresh.environment"
	chown -R "$uid:$uid" "$E/fresh" "$E/fresh.environment"
}
fresh() {
	local from=$E/fresh
	B=$T/bin F=$D/fixed
	if [ "$1" != bare ] && [ -d "$from.$way" ]; then
		from+=.$way
		"fresh_$way"
	fi
	P=$B/probe
	rm -rf "$D"
	cp -a "$from" "$D"
	: >"$E/out"
	token=p$RANDOM$RANDOM
	grant=() inject=() before=() secret=()
}

leaked() { [[ $out == *"$canary"* ]]; }
changed() {
	local now=
	[ ! -e "$F/file" ] || now=$(<"$F/file")
	[ "$now" != "$canary" ]
}
# `patience` is how many tenths of a second it may take until it is on its way.
arrived() {
	local i
	for ((i = 0; i <= ${patience:-0}; i++)); do
		[ $i = 0 ] || pause 0.1
		{ echo "$T/answer$uid" >"$T/asked" && read -rt 10; } <>"$T/answer$uid"
		! grep -q "$token" "$T/log" || return 0
	done
	return 1
}
# A process that holds what it won, seen in /proc: held HOW CHECK PROBE ARGUMENT...
held() {
	local how=$1 check=$2
	shift 2
	$how "$P" "$@" &
	wait_held $check
}
wait_held() { # CHECK, for what was started last
	local i pid= won=1
	for i in {1..800}; do
		find_held && break
		kill -0 $! 2>/dev/null || break
		pause 0.025
	done
	[ -n "$pid" ] && "$1" "$pid" && won=0
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	wait $!
	return $won
}
find_held() { # the youngest of that name
	local f name
	for f in /proc/[0-9]*/comm; do
		name=
		{ read -r name <"$f"; } 2>/dev/null
		f=${f//[^0-9]/}
		[[ $name != "$token" || ${pid:-0} -gt $f ]] || pid=$f
	done
	[ -n "$pid" ]
}
has_fd() { ls -l "/proc/$1/fd" 2>/dev/null | grep -q "$fd_kind"; }
lives() { [ -d "/proc/$1" ]; }

say_ok() { echo "ok - uid $uid: $1" >>"$tap"; }
say_not_ok() { # name detail
	echo "not ok - uid $uid: $1" >>"$tap"
	printf '%s\n' "$2" | head -n 20 | sed 's/^/# /' >>"$tap"
}
say_skip() { echo "ok - uid $uid: $1 # SKIP $2" >>"$tap"; }

chosen() { [[ -z ${PROBES:-} || $1 =~ $PROBES ]]; }

# In one way: sets `verdict` to lost, won, none (there was no container) or - (not for this way).
try_confined() { # function
	verdict=-
	[[ -z ${only:-} || " $only " == *" $way "* ]] || return
	# Other roots are other files and mounts, and nothing else; filters of one's own are about calls.
	case $way:$part in
	overlay:files | overlay:kernel | rootfs:files | rootfs:kernel | own_exec:kernel) ;;
	bundle_exec:files | bundle_exec:kernel | bundle_exec:processes) ;;
	overlay:* | rootfs:* | own_exec:* | bundle_exec:*) return ;;
	esac
	limits_possible || return
	fresh confined
	echo 125 >"$E/status"
	if $1 confined; then verdict=WON
	# It must have lost in a container, not because there was none (125) or no probe (126, 127).
	else
		verdict=lost said=
		read -r status <"$E/status"
		read -r said <"$E/err"
		[[ ! $status =~ ^(12[5-7]|142)$ && $said != "error: "* ]] || verdict=NONE
	fi
}

# `only` restricts the ways, `limits` (NAME=VALUE…) bounds the container, `net` is its network, and
# `may_fail` says why an attack may not even win bare.
attack() { # NAME FUNCTION [HOW...]: each way of the bare run is tried until one wins
	local name=$1 function=$2 how won= row= bad= way verdict status said
	shift 2
	chosen "$name" || return
	for how in "${@:-bare}"; do
		fresh bare
		$function "$how" && won=$how && break
	done
	if [ -z "$won" ]; then
		if [ -n "${may_fail:-}" ]; then say_skip "$name" "$may_fail: $(head -c 100 "$E/err" | tr '\n' ' ')"
		else say_not_ok "$name" "it does not even win bare: $(cat "$E/err")"; fi
		return
	fi
	for way in $ways; do
		try_confined "$function"
		row+=" $verdict"
		[[ $verdict == lost || $verdict == - ]] ||
			bad+="$verdict in '$way': ${out:0:400} $(head -c 400 "$E/err")"$'\n'
	done
	echo "$name|$won|$row|" >>"$E/table"
	if [ -n "$bad" ]; then say_not_ok "$name" "$bad"; else say_ok "$name"; fi
}

# The same with what it needs, in the ways that take such grants; @D@ stands for $D.
twin() { # NAME FUNCTION GRANT...
	local name=$1 function=$2 bad= way row= grants patience=50
	shift 2
	chosen "$name" && [ -n "$granting" ] || return
	[ "${1:-}" != --net ] || { local net=$2; shift 2; }
	grants=("$@")
	granted() { grant=("${grants[@]//@D@/$D}"); confined "$@"; }
	for way in $granting; do
		limits_possible || { row+=" -"; continue; }
		fresh confined
		if $function granted; then row+=" works"; else
			row+=" BROKEN"
			bad+="broken in '$way': ${out:0:400} $(head -c 400 "$E/err")"$'\n'
		fi
	done
	echo "$name|granted|$row|$granting" >>"$E/table"
	if [ -n "$bad" ]; then say_not_ok "$name, granted" "$bad"; else say_ok "$name, granted"; fi
}

print_table() {
	for uid in ${UIDS:-$NOBODY 0}; do
		awk -F '|' -v uid="$uid" -v ways="$ways" '
			BEGIN { n = split(ways, way, " ")
				printf "# %-56s %-15s", "as uid " uid, "bare: won as"
				for (i = 1; i <= n; i++) printf " %-11s", way[i]
				print "" }
			{ split($3, v, " "); printf "# %-56s %-15s", $1, $2 }
			$4 != "" { g = split($4, to, " ")
				for (i = 1; i <= n; i++) { cell = ""
					for (j = 1; j <= g; j++) if (to[j] == way[i]) cell = v[j]
					printf " %-11s", cell
					worked += cell == "works" }
				print ""; twins++; next }
			{ for (i = 1; i <= n; i++) { printf " %-11s", v[i]; lost[i] += v[i] == "lost"; all += v[i] == "lost" }
				print ""; attacks++ }
			END { printf "# uid %s: %d attacks won bare, %d runs of them lost in a container:", uid, attacks, all
				for (i = 1; i <= n; i++) printf " %s %d", way[i], lost[i]
				printf "; %d with their grant, %d runs of which worked\n", twins, worked }
		' "$T/e$uid/table"
	done
}
