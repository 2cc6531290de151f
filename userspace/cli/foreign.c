// SPDX-License-Identifier: GPL-2.0-or-later
/* What hands trained by podman, docker and bubblewrap type, and what there is for it here. */
#include "container.h"

#define BINDS	   "--bind SOURCE:TARGET, or --ro-bind for one that is only read"
#define CAPS	   "a container never has capabilities; with --root it believes to be root"
#define ALWAYS	   "it is always so: leave it out"
#define TERMINAL   "it has the caller's input, and a terminal when the caller has one: leave it out"
#define LIMITS	   "--open-files N; other limits: ulimit in the command, or rlimits in a bundle"
#define NETWORK	   "--net host, or --net HOST:PORTS for what it may reach"
#define JSON	   "--json has everything, for programs like jq"
#define SUPERVISED "let a service manager do that: systemd-run --user -p Restart=always cratons container run ..."

const struct opt_foreign container_foreign[] = {
	{ "volume", BINDS },
	{ "mount", BINDS },
	{ "bind-try", BINDS },
	{ "ro-bind-try", BINDS },
	{ "dev-bind", "a container has no devices of the host's; " BINDS },
	{ "device", "a container has no devices of the host's" },
	{ "i", TERMINAL },
	{ "t", TERMINAL },
	{ "interactive", TERMINAL },
	{ "tty", TERMINAL },
	{ "network", NETWORK },
	{ "share-net", NETWORK },
	{ "add-host", NETWORK },
	{ "dns", NETWORK },
	{ "cap-add", CAPS },
	{ "cap-drop", CAPS },
	{ "privileged", CAPS },
	{ "security-opt", "--seccomp PROFILE; the other walls are always there" },
	{ "cpus", "--cpu N" },
	{ "pids-limit", "--pids N" },
	{ "memory-swap", "--swap SIZE, beside the memory" },
	{ "shm-size", "--tmpfs /dev/shm:SIZE" },
	{ "ulimit", LIMITS },
	{ "timeout", "--time SECONDS" },
	{ "stop-timeout", "--stop-time SECONDS" },
	{ "restart", SUPERVISED },
	{ "entrypoint", "there are no images: the command is given whole" },
	{ "cidfile", "--detach prints the id; --name gives one to choose" },
	{ "pidfile", "cratons container inspect has the pid" },
	{ "chdir", "--workdir DIR" },
	{ "setenv", "--env NAME=VALUE" },
	{ "unsetenv", "nothing of the caller's environment gets in but what --env names" },
	{ "clearenv", "nothing of the caller's environment gets in but what --env names" },
	{ "uid", "--user USER[:GROUP]" },
	{ "gid", "--user USER[:GROUP]" },
	{ "init", ALWAYS },
	{ "proc", ALWAYS },
	{ "dev", ALWAYS },
	{ "unshare-all", ALWAYS },
	{ "unshare-user", ALWAYS },
	{ "unshare-pid", ALWAYS },
	{ "unshare-net", ALWAYS },
	{ "die-with-parent", ALWAYS },
	{ "new-session", ALWAYS },
	{ "no-stream", ALWAYS },
	{ "format", JSON },
	{ "filter", JSON },
	{ "since", "logs have no times; --tail LINES shows the end" },
	{ "timestamps", "logs have no times" },
	{ 0 },
};
