// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/registry/npm/bins.h"

#include <errno.h>

struct bin_link {
	struct str target;
	bool own_name;
};

int npm_bin_add(struct bin_set *s, struct str dir, struct str name, const struct lock_package *p)
{
	for (size_t i = 0; i < p->nbins; i++) {
		const struct lock_bin *bin = &p->bins[i];
		struct str path = arena_fmt(s->arena, "%.*s.bin/%.*s", STR_ARG(dir),
			STR_ARG(bin->name));
		struct bin_link *link = arena_new(s->arena, struct bin_link), *there;
		int r;

		if (!path.p || !link)
			return -ENOMEM;
		link->own_name = str_eq(bin->name, p->name);
		link->target = arena_fmt(s->arena, "../%.*s/%.*s", STR_ARG(name),
			STR_ARG(bin->path));
		if (!link->target.p)
			return -ENOMEM;
		there = map_get(&s->links, path);
		if (there && (there->own_name || !link->own_name))
			continue;
		r = map_put(&s->links, path, link);
		if (r < 0)
			return r;
	}
	return 0;
}

int npm_bin_flush(struct bin_set *s, struct tree_builder *b)
{
	map_foreach(e, &s->links) {
		const struct bin_link *link = e->value;
		int r = tree_builder_symlink(b, e->key, link->target);

		if (r < 0)
			return r;
	}
	return 0;
}

void npm_bin_done(struct bin_set *s)
{
	map_done(&s->links);
}
