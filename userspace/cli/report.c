// SPDX-License-Identifier: GPL-2.0-or-later
#include "report.h"

void report_bytes(struct cmd *c, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double v = (double)bytes;
	size_t unit = 0;

	while (v >= 1000 && unit + 1 < ARRAY_SIZE(units)) {
		v /= 1000;
		unit++;
	}
	cmd_print(c, unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
}

void report_usage_json(struct cmd *c, const struct cas_usage *u)
{
	const struct {
		const char *name;
		uint64_t value;
	} figures[] = {
		{ "trees", u->trees },
		{ "objects", u->objects },
		{ "packs", u->packs },
		{ "largeObjects", u->large },
		{ "bytes", u->bytes },
		{ "stagingBytes", u->staging_bytes },
		{ "quarantineBytes", u->quarantine_bytes },
	};

	json_out_open(&c->json, '{');
	for (size_t i = 0; i < ARRAY_SIZE(figures); i++) {
		json_out_key(&c->json, figures[i].name);
		json_out_int(&c->json, (int64_t)figures[i].value);
	}
	json_out_close(&c->json, '}');
}
