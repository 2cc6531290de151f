// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands.h"
#include "cas/cas-write.h"
#include "prim/err.h"
#include "report.h"

static bool arg_dry_run;

const struct opt store_options[] = {
	OPT_FLAG("dry-run", 'n', &arg_dry_run),
	OPT_ACTION("info|verify|list|path"),
	OPT_ARGS("TREE", 0, 1),
	OPT_END,
};

static int info(struct cmd *c, struct cas_writer *w)
{
	struct cas_usage u;
	int r = cas_usage(cas_writer_cas(w), &u, &c->diag);

	if (r < 0)
		return r;
	if (c->use_json) {
		report_usage_json(c, &u);
		return 0;
	}
	cmd_print(c, "Store    %s/store\n", cmd_home_path(c));
	cmd_print(c, "Trees    %llu\n", (unsigned long long)u.trees);
	cmd_print(c, "Objects  %llu: %llu large ones, the others in %llu packs\n",
		(unsigned long long)u.objects, (unsigned long long)u.large,
		(unsigned long long)u.packs);
	cmd_print(c, "Size     ");
	report_bytes(c, u.bytes);
	cmd_print(c, "\n");
	if (u.quarantine_bytes) {
		cmd_print(c, "Damaged  ");
		report_bytes(c, u.quarantine_bytes);
		cmd_print(c, " put aside\n");
	}
	return 0;
}

static void print_bad(void *data, const char *path, const char *why)
{
	struct cmd *c = data;

	if (c->use_json) {
		json_out_open(&c->json, '{');
		json_out_key(&c->json, "path");
		json_out_text(&c->json, path);
		json_out_key(&c->json, "reason");
		json_out_text(&c->json, why);
		json_out_close(&c->json, '}');
	} else {
		cmd_print(c, "%s: %s\n", path, why);
	}
}

static int verify(struct cmd *c, struct cas_writer *w)
{
	uint64_t checked = 0, bad = 0;
	int r;

	if (c->use_json) {
		json_out_open(&c->json, '{');
		json_out_key(&c->json, "damaged");
		json_out_open(&c->json, '[');
	}
	r = cas_verify(w, arg_dry_run, print_bad, c, &checked, &bad, &c->diag);
	if (r < 0)
		return r;
	if (c->use_json) {
		json_out_close(&c->json, ']');
		json_out_key(&c->json, "checked");
		json_out_int(&c->json, (int64_t)checked);
		json_out_close(&c->json, '}');
	} else {
		cmd_print(c, "Checked %llu: %llu damaged%s\n", (unsigned long long)checked,
			(unsigned long long)bad, !bad ? "" : arg_dry_run ? "" :
			", put aside; the next installation fetches them again");
	}
	return bad ? EXIT_STORE : 0;
}

static int print_root(void *data, const struct cas_root *root)
{
	struct cmd *c = data;
	char hex[DIGEST_HEX];

	if (!c->use_json) {
		for (size_t i = 0; i < root->n; i++)
			cmd_print(c, "%s  %.*s\n", digest_hex(&root->trees[i], hex),
				STR_ARG(root->name));
		return 0;
	}
	json_out_open(&c->json, '{');
	json_out_key(&c->json, "name");
	json_out_str(&c->json, root->name);
	json_out_key(&c->json, "trees");
	json_out_open(&c->json, '[');
	for (size_t i = 0; i < root->n; i++)
		json_out_text(&c->json, digest_hex(&root->trees[i], hex));
	json_out_close(&c->json, ']');
	json_out_close(&c->json, '}');
	return 0;
}

static int list(struct cmd *c, struct cas_writer *w)
{
	int r;

	if (c->use_json)
		json_out_open(&c->json, '[');
	r = cas_root_each(cas_writer_cas(w), print_root, c);
	if (c->use_json)
		json_out_close(&c->json, ']');
	return r < 0 ? diag_errno(&c->diag, r, "reading the store") : 0;
}

static int print_path(struct cmd *c)
{
	struct digest d;
	char hex[DIGEST_HEX];
	int r = 0;

	if (c->argc < 2) {
		cmd_print(c, "%s/store\n", cmd_home_path(c));
		return 0;
	}
	r = digest_parse(&d, str_from(c->argv[1]));
	if (r < 0) {
		diag_fail(&c->diag, -ERR_USAGE, "'%s' is not a tree's digest", c->argv[1]);
		return diag_hint(&c->diag, "cratons store list shows those of environments");
	}
	digest_hex(&d, hex);
	cmd_print(c, "%s/store/trees/%.2s/%s\n", cmd_home_path(c), hex, hex);
	return 0;
}

int cmd_store(struct cmd *c)
{
	_cleanup_(cas_writer_free_p) struct cas_writer *w = NULL;
	int home = cmd_home(c), r;

	if (home < 0)
		return home;
	if (strcmp(c->argv[0], "path") == 0)
		return print_path(c);
	r = cas_writer_open(&w, home, &c->diag);
	if (r < 0)
		return r;
	if (strcmp(c->argv[0], "info") == 0)
		return info(c, w);
	return strcmp(c->argv[0], "verify") == 0 ? verify(c, w) : list(c, w);
}
