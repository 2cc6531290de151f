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
}
