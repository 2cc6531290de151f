// SPDX-License-Identifier: GPL-2.0-or-later
/* A valid manifest takes an edit, or says that it does not; what it asks for otherwise stays the same. */
#include "engine/manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t others(const struct manifest *m)
{
	size_t n = 0;

	for (size_t i = 0; i < m->ndependencies; i++)
		n += !str_is(m->dependencies[i].name, "new") && !str_is(m->dependencies[i].name, "a");
	return n;
}

static void check_edit(struct str text, const struct manifest *m)
{
	static const char *const names[] = { "a", "new" };

	for (size_t i = 0; i < 2 * ARRAY_SIZE(names); i++) {
		_cleanup_buf_ struct buf out = BUF_INIT;
		_cleanup_(manifest_free_p) struct manifest *after = NULL;
		struct str name = str_from(names[i / 2]);
		int r = i % 2 ? manifest_set_dependency(text, "fuzz", (enum dependency_kind)(text.n % 3),
					STR("npm"), name, STR("^9"), &out, NULL)
			      : manifest_remove_dependency(text, "fuzz", STR("npm"), name, &out, NULL);

		if (r < 0)
			continue;
		if (manifest_parse(&after, buf_str(&out), "fuzz", NULL) < 0 ||
				others(after) != others(m) || after->nscripts != m->nscripts ||
				after->nregistries != m->nregistries)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(manifest_free_p) struct manifest *m = NULL;
	_cleanup_diag_ struct diag d = DIAG_INIT;
	struct str text = str_of(data, size);

	if (manifest_parse(&m, text, "fuzz", &d) < 0) {
		if (d.code == 0 || d.where.len == 0)
			abort();
		return 0;
	}
	(void)manifest_graph_digest(m);
	check_edit(text, m);
	return 0;
}
