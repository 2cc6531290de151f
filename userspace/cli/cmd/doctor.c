// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "base/loop.h"
#include "engine/mount/mount.h"
#include "engine/sandbox/sandbox.h"
#include "prim/err.h"

const struct opt doctor_options[] = {
	OPT_END,
};

static void tell(struct cmd *c, const char *name, int error, const char *detail, const char *fix)
{
	if (c->use_json) {
		json_out_open(&c->json, '{');
		json_out_key(&c->json, "check");
		json_out_text(&c->json, name);
		json_out_key(&c->json, "ok");
		json_out_bool(&c->json, error == 0);
		json_out_key(&c->json, "detail");
		json_out_text(&c->json, detail);
		json_out_key(&c->json, "fix");
		json_out_text(&c->json, error ? fix : NULL);
		json_out_close(&c->json, '}');
		return;
	}
	cmd_print(c, "%s  " STYLE_BOLD "%-20s" STYLE_END "  %s\n",
		error ? STYLE_RED "missing" STYLE_END : STYLE_GREEN "ok     " STYLE_END, name,
		detail ? detail : error ? err_sentence(error) : "");
	if (error && fix)
		cmd_print(c, "         %-20s  next: %s\n", "", fix);
}

static void check_loop(struct cmd *c)
{
	_cleanup_(loop_free_p) struct loop *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int r = loop_new(&l, LOOP_URING, &d);

	/* Not having io_uring is not an error: the same loop runs on plain system calls. */
	tell(c, "io_uring", 0, r == 0 ? "in use" : "refused by this host; epoll is used instead",
		NULL);
}

static int check_mount(struct cmd *c)
{
	_cleanup_(mount_server_free_p) struct mount_server *s = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	int home = cmd_home(c), r;

	if (home < 0)
		return home;
	r = mount_server_join(&s, home, cmd_home_path(c), &d);
	tell(c, "FUSE mount", r < 0 ? r : 0, r < 0 ? buf_text(&d.what) : "in a user namespace",
		d.hint.len ? buf_text(&d.hint) : NULL);
	return r < 0;
}

int cmd_doctor(struct cmd *c)
{
	_cleanup_arena_ struct arena a = ARENA_INIT;
	struct sandbox_check *checks = NULL;
	size_t n = 0;
	int missing = 0, r = sandbox_doctor(&a, &checks, &n);

	if (r < 0)
		return diag_errno(&c->diag, r, "trying the walls");
	if (c->use_json)
		json_out_open(&c->json, '[');
	for (size_t i = 0; i < n; i++) {
		tell(c, checks[i].wall, checks[i].error, checks[i].detail, checks[i].fix);
		missing += checks[i].error != 0;
		free(checks[i].detail);
	}
	check_loop(c);
	r = check_mount(c);
	if (c->use_json)
		json_out_close(&c->json, ']');
	if (r < 0)
		return r;
	return missing + r ? EXIT_CONTAINER : 0;
}
