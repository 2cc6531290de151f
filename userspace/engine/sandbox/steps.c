// SPDX-License-Identifier: GPL-2.0-or-later
/* The walls, in the order they are built. docs/sandbox.md says what each is for. Those of STEP_EACH hold
 * for a process rather than for the namespaces: each command that is started in a container gets them. */
#include "engine/sandbox/sandbox-priv.h"

#include <sched.h>

const struct step sandbox_steps[] = {
	{ "user namespace",	CLONE_NEWUSER,	 user_prepare,	  user_enter },
	{ "pid namespace",	CLONE_NEWPID },
	{ "ipc namespace",	CLONE_NEWIPC },
	{ "cgroup namespace",	CLONE_NEWCGROUP },
	{ "uts namespace",	CLONE_NEWUTS,	 uts_prepare,	  uts_enter },
	{ "network namespace",	CLONE_NEWNET,	 net_prepare,	  net_enter },
	{ "time namespace",	0,		 NULL,		  time_enter },
	{ "mount namespace",	CLONE_NEWNS,	 root_prepare,	  root_enter },
	{ "devices",		0,		 NULL,		  dev_enter },
	{ "proc",		0,		 NULL,		  proc_enter },
	{ "files",		0,		 base_prepare,	  binds_enter },
	{ "directory",		0,		 NULL,		  join_enter, STEP_JOIN },
	{ "terminal",		0,		 NULL,		  terminal_enter, STEP_EACH },
	{ "root",		0,		 NULL,		  pivot_enter },
	{ "limits",		0,		 NULL,		  limits_enter, STEP_EACH },
	{ "session",		0,		 NULL,		  session_enter, STEP_EACH },
	{ "capabilities",	0,		 NULL,		  caps_enter, STEP_EACH },
	{ "landlock",		0,		 landlock_prepare, landlock_enter, STEP_EACH },
	{ "seccomp",		0,		 seccomp_prepare, seccomp_enter, STEP_EACH },
	{ NULL },
};
