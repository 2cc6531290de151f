// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "container.h"

#include "prim/embed.h"
#include "prim/err.h"

EMBED(userspace_man_cratons_1);

#define X(name, group, flags, summary) EMBED(userspace_man_cratons_##name##_1);
COMMANDS(X)
#undef X

const struct command commands[] = {
#define X(name, group, flags, summary)                                                             \
	{ #name, GROUP_##group, flags, summary, name##_options, cmd_##name,                        \
		EMBED_userspace_man_cratons_##name##_1 },
	COMMANDS(X)
#undef X
	{ 0 },
};

const struct command *command_below(const struct command *command)
{
	return command->flags & CMD_VERBS ? container_verbs : NULL;
}

const char *command_word(const struct command *command)
{
	const char *space = strrchr(command->name, ' ');

	return space ? space + 1 : command->name;
}

const char *global_page(void)
{
	return EMBED_userspace_man_cratons_1;
}

const struct command *command_find(const char *name)
{
	for (const struct command *c = commands; c->name; c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

const char *command_group_title(enum command_group group)
{
	static const char *const titles[] = {
		[GROUP_PROJECT] = "Project",
		[GROUP_ENVIRONMENT] = "Environment",
		[GROUP_CONTAINER] = "Containers",
		[GROUP_QUERY] = "Questions",
		[GROUP_STORE] = "Store",
		[GROUP_TOOL] = "The tool itself",
	};

	return titles[group];
}

/* What hands trained by npm, yarn, pnpm, bun and cargo type. */
static const struct {
	const char *theirs, *ours;
} foreign[] = {
	{ "i", "install" },	 { "ci", "install --frozen" }, { "sync", "install" },
	{ "uninstall", "remove" }, { "rm", "remove" },	       { "un", "remove" },
	{ "ls", "list" },	 { "ll", "list" },	       { "up", "update" },
	{ "upgrade", "update" }, { "x", "exec" },	       { "dlx", "exec" },
	{ "npx", "exec" },	 { "explain", "why" },	       { "prune", "gc" },
	{ "new", "init" },	 { "test", "run test" },       { "start", "run start" },
	{ "build", "run build" }, { "unmount", "umount" },     { "completion", "completions" },
};

int command_unknown(const char *name, struct diag *d)
{
	struct suggestion s = suggestion_start(name);

	diag_fail(d, -ERR_USAGE, "unknown command '%s'", name);
	for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
		if (strcmp(foreign[i].theirs, name) == 0)
			return diag_hint(d, "it is called 'cratons %s' here", foreign[i].ours);
	for (const struct command *c = commands; c->name; c++)
		suggestion_offer(&s, str_from(c->name));
	if (s.best.p)
		return diag_hint(d, "did you mean 'cratons %.*s'?", STR_ARG(s.best));
	return diag_hint(d, "cratons --help lists the commands");
}
