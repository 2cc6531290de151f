/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of verbs. A verb is one line here, cmd/<name>.c (its options and its function), one page
 * userspace/man/cratons-<name>.1 and one line in each of their Kbuild lists; help, completions and
 * the checks follow from these.
 */
#ifndef CRATONS_CLI_COMMANDS_H
#define CRATONS_CLI_COMMANDS_H

#include "cmd.h"
#include "options.h"

enum command_group { GROUP_PROJECT, GROUP_ENVIRONMENT, GROUP_CONTAINER, GROUP_QUERY, GROUP_STORE, GROUP_TOOL };

#define CMD_JSON 1u	/* reports, so that --json is accepted */
#define CMD_PASS 2u	/* what follows its first argument is another program's */
#define CMD_VERBS 4u	/* its first argument is a verb below it, with options of its own */

/*        name         group        flags     summary: the page's .Nd */
#define COMMANDS(X)                                                                                \
	X(init,        PROJECT,     CMD_JSON, "create cratons.toml")                               \
	X(install,     PROJECT,     CMD_JSON, "install what a project asks for")                   \
	X(add,         PROJECT,     CMD_JSON, "add dependencies to a project")                     \
	X(remove,      PROJECT,     CMD_JSON, "remove dependencies from a project")                \
	X(update,      PROJECT,     CMD_JSON, "take newer versions")                               \
	X(lock,        PROJECT,     CMD_JSON, "write cratons.lock without an environment")         \
	X(run,         ENVIRONMENT, CMD_PASS, "run a script or a command in the environment")      \
	X(exec,        ENVIRONMENT, CMD_PASS, "run a command of a package, installed or not")      \
	X(shell,       ENVIRONMENT, 0,        "open a shell in the environment")                   \
	X(mount,       ENVIRONMENT, 0,        "mount the environment on the host")                 \
	X(umount,      ENVIRONMENT, 0,        "unmount an environment from the host")              \
	X(container,   CONTAINER,   CMD_JSON | CMD_VERBS, "run and look after containers")         \
	X(ps,          CONTAINER,   CMD_JSON, "list containers")                                   \
	X(logs,        CONTAINER,   0,        "show what a container wrote")                       \
	X(list,        QUERY,       CMD_JSON, "list what the project depends on")                  \
	X(tree,        QUERY,       CMD_JSON, "show the dependencies as a tree")                   \
	X(why,         QUERY,       CMD_JSON, "tell why a package is there")                       \
	X(outdated,    QUERY,       CMD_JSON, "list dependencies that have newer versions")        \
	X(store,       STORE,       CMD_JSON, "look into the store")                               \
	X(gc,          STORE,       CMD_JSON, "remove from the store what nothing uses")           \
	X(doctor,      TOOL,        CMD_JSON, "try what this host gives")                          \
	X(config,      TOOL,        CMD_JSON, "show the settings and where they come from")        \
	X(version,     TOOL,        CMD_JSON, "compare versions as an ecosystem does")             \
	X(completions, TOOL,        0,        "print completions for a shell")                     \
	X(help,        TOOL,        0,        "show a manual page")

struct command {
	const char *name;
	enum command_group group;
	unsigned flags;
	const char *summary;
	const struct opt *options;
	int (*run)(struct cmd *c);
	const char *page;	/* its manual page, mdoc */
	const struct opt_foreign *foreign;	/* options that others have, or NULL */
};

/* A verb's file includes this header and defines these two. */
#define X(name, group, flags, summary)                                                             \
	extern const struct opt name##_options[];                                                  \
	int cmd_##name(struct cmd *c);
COMMANDS(X)
#undef X

/* All, in the table's order; ends with one without a name. */
extern const struct command commands[];
const struct command *command_find(const char *name);
/* The verbs below one with CMD_VERBS, named "container run"; ends with one without a name. NULL for the
 * others. */
const struct command *command_below(const struct command *command);
/* The last word of its name. */
const char *command_word(const struct command *command);
const char *command_group_title(enum command_group group);

/* -ERR_USAGE with the nearest verb, or the one that other tools call so. */
int command_unknown(const char *name, struct diag *d);

/* The program's own options, accepted before and after every verb; and the page that has them. */
extern const struct opt global_options[];
const char *global_page(void);

#endif
