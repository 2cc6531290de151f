// SPDX-License-Identifier: GPL-2.0-or-later
#include "container.h"
#include "engine/sandbox/seccomp.h"

const struct opt container_explain_options[] = {
	OPT_ARGS("PROFILE", 0, 1),
	OPT_END,
};

int cmd_container_explain(struct cmd *c)
{
	_cleanup_buf_ struct buf text = BUF_INIT;
	struct seccomp_profile p;
	int r = seccomp_profile_open(&p, c->argc ? c->argv[0] : "default", &c->diag);

	if (r < 0)
		return r;
	if (c->use_json)
		seccomp_explain_json(&p, &c->json);
	else
		r = seccomp_explain(&p, &text);
	seccomp_profile_done(&p);
	if (r < 0)
		return diag_errno(&c->diag, r, "explaining the profile");
	cmd_print(c, "%s", buf_text(&text));
	return 0;
}
