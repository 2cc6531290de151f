/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A project's manifest and lockfile, for the verbs that answer questions about them. */
#ifndef CRATONS_CLI_VIEW_H
#define CRATONS_CLI_VIEW_H

#include "cmd.h"
#include "engine/lock/lockfile.h"

struct view {
	struct manifest *manifest;
	struct lockfile *lockfile;
	struct platform host;
};

/* Reads both; warns when the lockfile is older than the manifest. Without a lockfile -ERR_LOCKFILE. */
int view_load(struct cmd *c, struct view *v);
void view_done(struct view *v);
#define _cleanup_view_ _cleanup_(view_done)

/* "dev", "optional", "peer", "tool", or "" for an ordinary dependency. */
const char *view_kind(enum dependency_kind kind);

/* A tool of [environment] is locked for every platform; the others' are of no interest here. */
bool view_hidden(const struct view *v, const struct lock_root_edge *edge);

/* Whether a name matches one of the patterns, in which '*' stands for any letters; all match none. */
bool view_matches(struct str name, char *const *patterns, int n);

/* -ERR_NO_PACKAGE for a name that the lockfile lacks, with a suggestion. */
int view_unknown(struct cmd *c, const struct view *v, const char *name);

#endif
