// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "base/loop.h"
#include "engine/mount/mount.h"
#include "engine/sandbox/sandbox.h"
#include "prim/err.h"

#include <errno.h>
#include <unistd.h>

const struct opt doctor_options[] = {
	OPT_END,
};

static void tell_json(struct cmd *c, const struct sandbox_check *k)
{
	json_out_open(&c->json, '{');
	json_out_key(&c->json, "check");
	json_out_text(&c->json, k->wall);
	json_out_key(&c->json, "ok");
	json_out_bool(&c->json, k->error == 0);
	json_out_key(&c->json, "required");
	json_out_bool(&c->json, !k->optional);
	json_out_key(&c->json, "detail");
	json_out_text(&c->json, k->detail);
	json_out_key(&c->json, "fix");
	json_out_text(&c->json, k->error ? k->fix : NULL);
	json_out_close(&c->json, '}');
}

/* Says how it is; 1 when that is in the way. */
static int tell(struct cmd *c, const struct sandbox_check *k)
{
	const char *style = !k->error ? STYLE_GREEN : k->optional ? STYLE_YELLOW : STYLE_RED;
	const char *state = !k->error ? "ok" : k->optional ? "without" : "missing";
	const char *detail = k->detail ? k->detail : k->error ? err_sentence(k->error) : "";

	if (c->use_json) {
		tell_json(c, k);
	} else {
		cmd_print(c, "%s%-7s" STYLE_END "  " STYLE_BOLD "%-*s" STYLE_END, style, state,
			*detail ? 20 : 0, k->wall);
		cmd_print(c, *detail ? "  %s\n" : "%s\n", detail);
	}
	if (!c->use_json && k->error && k->fix)
		cmd_print(c, "         %-20s  next: %s\n", "", k->fix);
	return k->error && !k->optional;
}

static void check_loop(struct cmd *c)
{
	_cleanup_(loop_free_p) struct loop *l = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct sandbox_check k = { .wall = "io_uring", .optional = true };

	k.error = loop_new(&l, LOOP_URING, &d);
	if (k.error) {
		k.detail = "plain system calls are used";
		k.fix = "sysctl -w kernel.io_uring_disabled=0; nothing is lost but speed";
	}
	tell(c, &k);
}

static void tell_transport(struct cmd *c, const struct mount_server *s)
{
	struct sandbox_check k = { .wall = "FUSE over io_uring", .optional = true };

	if (!mount_server_has_rings(s)) {
		k.error = -EOPNOTSUPP;
		k.detail = "requests come through /dev/fuse";
		k.fix = "echo Y >/sys/module/fuse/parameters/enable_uring, as root (Linux 6.14): servers that "
			"start then use it; nothing is lost but speed";
	}
	tell(c, &k);
}

static int check_mount(struct cmd *c)
{
	_cleanup_(mount_server_free_p) struct mount_server *s = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct sandbox_check k = { .wall = "FUSE mount", .detail = "in a user namespace" };
	int home = cmd_home(c);

	if (home < 0)
		return home;
	k.error = mount_server_join(&s, home, cmd_home_path(c), &d);
	if (k.error) {
		k.detail = buf_text(&d.what);
		k.fix = d.hint.len ? buf_text(&d.hint) : NULL;
		/* Nothing was installed yet: that is no fault of the host's. */
		k.optional = faccessat(home, "store", F_OK, 0) < 0;
		return tell(c, &k);
	}
	tell(c, &k);
	tell_transport(c, s);
	return 0;
}

static void check_host_mount(struct cmd *c)
{
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct sandbox_check k = { .wall = "host mount", .optional = true };

	k.error = mount_host_way(&k.detail, &d);
	if (k.error) {
		k.detail = buf_text(&d.what);
		k.fix = d.hint.len ? buf_text(&d.hint) : NULL;
	}
	tell(c, &k);
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
	for (size_t i = 0; i < n; i++)
		missing += tell(c, &checks[i]);
	check_loop(c);
	r = check_mount(c);
	if (r >= 0)
		check_host_mount(c);
	if (c->use_json)
		json_out_close(&c->json, ']');
	if (r < 0)
		return r;
	return missing + r ? EXIT_CONTAINER : 0;
}
