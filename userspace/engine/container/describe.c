// SPDX-License-Identifier: GPL-2.0-or-later
/* The record of a container that is about to be made. */
#include "engine/container/container-priv.h"

#include "base/inet.h"

#include <errno.h>
#include <time.h>

static const char *copy(struct supervised *c, const char *text)
{
	return text ? arena_str(&c->arena, str_from(text)).p : NULL;
}

static int describe_grants(struct supervised *c, const struct container_spec *s)
{
	const char **words;
	size_t n = 0;

	if (s->sandbox.net != SANDBOX_NET_DOOR)
		return 0;
	words = arena_newn(&c->arena, const char *, s->grants->v.n + 1);
	if (!words)
		return -ENOMEM;
	vec_foreach(g, &s->grants->v) {
		words[n] = arena_str(&c->arena, g->text).p;
		if (!words[n++])
			return -ENOMEM;
	}
	c->rec.grants = words;
	return 0;
}

/* As `--publish` takes it. */
static int describe_published(struct supervised *c, const struct container_spec *s)
{
	const char **words = arena_newn(&c->arena, const char *, s->npublish + 1);

	if (!words)
		return -ENOMEM;
	for (size_t i = 0; i < s->npublish; i++) {
		const struct sockaddr *host = (const struct sockaddr *)&s->publish[i].host;
		struct in6_addr address = IN6ADDR_ANY_INIT;
		char text[INET_TEXT];
		uint16_t port = 0;
		int r = inet_from_sockaddr(host, &address, &port);

		if (r < 0)
			return r;
		inet_text(&address, text);
		words[i] = arena_fmt(&c->arena, strchr(text, ':') ? "[%s]:%u:%u" : "%s:%u:%u", text, port,
			s->publish[i].port).p;
		if (!words[i])
			return -ENOMEM;
	}
	c->rec.published = s->npublish ? words : NULL;
	return 0;
}

/* What of the host's files is seen: "ro:SOURCE:TARGET". */
static int describe_binds(struct supervised *c, const struct sandbox *s)
{
	static const char *const kinds[] = {
		[SANDBOX_BIND_RO] = "ro",
		[SANDBOX_BIND_RW] = "rw",
		[SANDBOX_BIND_TREE] = "tree",
		[SANDBOX_BIND_OVERLAY] = "overlay",
	};
	const char **words = arena_newn(&c->arena, const char *, s->nbinds + 1);
	size_t n = 0;

	if (!words)
		return -ENOMEM;
	for (size_t i = 0; i < s->nbinds; i++) {
		const struct sandbox_bind *b = &s->binds[i];

		if (b->kind >= ARRAY_SIZE(kinds))
			continue;
		words[n] = arena_fmt(&c->arena, "%s:%s:%s", kinds[b->kind], b->source, b->target).p;
		if (!words[n++])
			return -ENOMEM;
	}
	c->rec.binds = n ? words : NULL;
	return 0;
}

int container_describe(struct supervised *c, const struct container_spec *s)
{
	static const char *const nets[] = { "none", "host", "grants" };
	char boot[37] = "";
	struct container_record *rec = &c->rec;
	int r;

	if (process_boot_id(boot) < 0)
		return -errno;
	*rec = (struct container_record){
		.name = s->name,
		.profile = s->profile,
		.package = s->package,
		.root = s->root,
		.cwd = s->sandbox.cwd,
		.hostname = s->sandbox.hostname,
		.net = nets[s->sandbox.net],
		.argv = s->sandbox.argv,
		.status = CONTAINER_CREATED,
		.supervisor = getpid(),
		.boot_id = copy(c, boot),
		.created_ms = clock_ms(CLOCK_REALTIME),
		.limits = s->limits,
		.stop_seconds = s->stop_seconds ? s->stop_seconds : CONTAINER_STOP_SECONDS,
		.logs = s->detach,
		.remove = s->remove,
		.seccomp = s->sandbox.seccomp,
		.user = s->sandbox.user,
		.home = s->sandbox.home,
		.tcp_connect = s->sandbox.tcp_connect,
		.tcp_listen = s->sandbox.tcp_listen,
		.uid = s->sandbox.uid,
		.gid = s->sandbox.gid,
		.rlimits = s->sandbox.limits,
		.more = (struct sandbox_rlimit *)s->sandbox.rlimits,
		.nmore = s->sandbox.nrlimits,
		.oci = s->oci,
		.env = s->keep_env ? s->sandbox.env : NULL,
	};
	process_start(rec->supervisor, &rec->supervisor_start);
	r = rec->boot_id ? describe_grants(c, s) : -ENOMEM;
	if (r == 0)
		r = describe_published(c, s);
	return r < 0 ? r : describe_binds(c, &s->sandbox);
}
