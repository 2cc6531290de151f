# SPDX-License-Identifier: GPL-2.0-or-later
# The caller's environment: what it knows, and what it would make programs do.

environment_all() { $1 "$P" environment; leaked; }
variable() { $1 "$P" variable "$variable"; leaked; }
agent() { $1 sh -c '"$0" unix "$SSH_AUTH_SOCK" "$1"' "$P" "$token"; arrived; }
home_variable() { $1 sh -c 'cat "$HOME/.ssh/id_rsa"'; leaked; }
# Code that a variable names, in a directory that the container may see.
inject_bash() {
	echo "echo $token >'$D/granted/ran'" >"$D/granted/rc"
	inject=(BASH_ENV="$D/granted/rc")
	$1 bash -c :
	[ -e "$D/granted/ran" ]
}
inject_node() {
	echo "require('fs').writeFileSync('$D/granted/ran', '')" >"$D/granted/evil.js"
	inject=(NODE_OPTIONS="--require=$D/granted/evil.js")
	$1 /usr/bin/env node -e 0
	[ -e "$D/granted/ran" ]
}
inject_python() {
	echo "open('$D/granted/ran', 'w')" >"$D/granted/sitecustomize.py"
	inject=(PYTHONPATH="$D/granted")
	$1 /usr/bin/python3 -c 0
	[ -e "$D/granted/ran" ]
}
inject_perl() {
	echo "open(F, '>$D/granted/ran'); 1" >"$D/granted/evil.pm"
	inject=(PERL5OPT="-I$D/granted -Mevil")
	$1 perl -e 0
	[ -e "$D/granted/ran" ]
}
inject_function() { # a function of the caller's shell
	inject=("BASH_FUNC_probe%%=() { echo $canary; }")
	$1 bash -c 'probe; :'
	leaked
}
inject_loader() { # in the container, of a library there; setpriv and the tool themselves do not load it
	$1 sh -c ':' >/dev/null
	inject=(LD_PRELOAD="$E/evil.so")
	$1 "$P" variable LD_PRELOAD
	[[ $out == *evil.so* ]]
}
escape() { # a name with what a terminal takes for a command
	$1 "$P" variable TERM LC_ALL
	[[ $out == *$'\e'* ]]
}
escapes() { inject=(LC_ALL=$'C\e]0;probe\a' TERM=$'dumb\e[31m'); escape "$1"; }

# What a command was given to use, and prints: `print` is how, `judge` looks whether it came out.
secret_printed() {
	secret=(--secret NPM_TOKEN)
	$1 sh -c "$print"
	$judge
}
secret_on_terminal() {
	local print='echo "token: $NPM_TOKEN"' judge=leaked
	before=(/usr/bin/python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])')
	secret_printed "$1" </dev/null
}
secret_in_logs() {
	local id run=(sh -c 'echo "token: $NPM_TOKEN"; echo "$NPM_TOKEN" >&2')
	if [ "$1" = bare ]; then bare "${run[@]}"; leaked; return; fi
	secret=(--secret NPM_TOKEN)
	container_flags
	id=$(as env CRATONS_HOME="$E/home" "$CRATONS" container run --detach "${flags_all[@]}" -- "${run[@]}" 2>"$E/err")
	as env CRATONS_HOME="$E/home" "$CRATONS" container wait "$id" >"$E/status" 2>"$E/err"
	out=$(as env CRATONS_HOME="$E/home" "$CRATONS" logs "$id" 2>&1; cat "$E/home/containers/$id"/*)
	as env CRATONS_HOME="$E/home" "$CRATONS" container rm "$id" >/dev/null 2>&1
	leaked
}
leaked_decoded() { [[ $(tr -d ' \n' <<<"$out" | base64 -d 2>/dev/null) == *"$canary"* ]]; }
leaked_hex() { [[ ${out//[ $'\n']/} == *"$(printf %s "$canary" | od -An -v -tx1 | tr -d ' \n')"* ]]; }
used() { [[ $out == *"$(printf %s "$canary" | sha256sum)"* ]]; }

secrets() {
	local print judge=leaked only="environment container exec bundle"
	print='echo "token: $NPM_TOKEN"' attack "a secret, printed" secret_printed
	print='env' attack "a secret, in the whole environment" secret_printed
	print='exec 2>&1; set -x; : "$NPM_TOKEN"' attack "a secret, traced by a shell" secret_printed
	print='printf %s "$NPM_TOKEN" | dd bs=1 status=none' attack "a secret, byte by byte" secret_printed
	print='(printf %.9s "$NPM_TOKEN"; sleep 0.2) & sleep 0.1; printf %s "$NPM_TOKEN" | tail -c +10; wait' \
		attack "a secret, halves by two processes" secret_printed
	print='i=1; while [ $i -le ${#NPM_TOKEN} ]; do
		if [ $((i % 2)) = 1 ]; then printf %s "$NPM_TOKEN" | cut -c $i | tr -d "\n"
		else printf %s "$NPM_TOKEN" | dd bs=1 count=1 skip=$((i - 1)) status=none; fi; i=$((i + 1)); done' \
		attack "a secret, by processes in turns" secret_printed
	for before_it in "" a ab; do
		print="printf %s '$before_it' \"\$NPM_TOKEN\" | base64 -w 0" judge=leaked_decoded \
			attack "a secret in base64, after ${#before_it} bytes" secret_printed
	done
	print='printf %s "more than a line of base64 has room for: $NPM_TOKEN, $NPM_TOKEN" | base64' judge=leaked_decoded \
		attack "a secret in lines of base64" secret_printed
	print='printf %s "$NPM_TOKEN" | od -An -v -tx1' judge=leaked_hex attack "a secret in hexadecimal" secret_printed
	only=container attack "a secret, on a terminal" secret_on_terminal
	only=container attack "a secret, in the logs" secret_in_logs
	print='printf %s "$NPM_TOKEN" | sha256sum' judge=used
	granting="container" twin "a secret" secret_printed
}

environment() {
	local variable
	attack "secrets in the environment of any process" environment_all
	twin "secrets in the environment of any process" environment_all --env "NPM_TOKEN=$canary"
	for variable in NPM_TOKEN AWS_SECRET_ACCESS_KEY GITHUB_TOKEN npm_config__auth CARGO_REGISTRY_TOKEN KUBECONFIG \
		NODE_OPTIONS PYTHONPATH LD_LIBRARY_PATH http_proxy HTTPS_PROXY DBUS_SESSION_BUS_ADDRESS XDG_RUNTIME_DIR; do
		attack "the variable $variable" variable
	done
	attack "the caller's HOME" home_variable
	attack "the SSH agent" agent
	attack "code by BASH_ENV" inject_bash
	attack "a function of the caller's shell" inject_function
	attack "code by PYTHONPATH" inject_python
	! command -v perl >/dev/null || attack "code by PERL5OPT" inject_perl
	! command -v node >/dev/null || attack "code by NODE_OPTIONS" inject_node
	attack "code by LD_PRELOAD" inject_loader
	attack "terminal escapes in the environment" escapes
	secrets
}
