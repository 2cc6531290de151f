// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "cas/cas-write.h"
#include "report.h"

static bool arg_dry_run;

const struct opt gc_options[] = {
	OPT_FLAG("dry-run", 'n', &arg_dry_run),
	OPT_END,
};

int cmd_gc(struct cmd *c)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	struct cas_gc_options o = { .dry = arg_dry_run };
	struct cas_usage freed = { 0 };
	int home = cmd_home(c), r;

	if (home < 0)
		return home;
	r = cas_writer_open(&w, home, &c->diag);
	if (r == 0)
		r = cas_gc(w, &o, &freed, &c->diag);
	if (r < 0)
		return r;
	if (c->use_json) {
		report_usage_json(c, &freed);
		return 0;
	}
	cmd_print(c, "%s %llu trees, %llu objects, ", arg_dry_run ? "Would remove" : "Removed",
		(unsigned long long)freed.trees, (unsigned long long)freed.objects);
	report_bytes(c, freed.bytes + freed.staging_bytes + freed.quarantine_bytes);
	cmd_print(c, "\n");
	return 0;
}
