// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A minimal /etc: who the one user is, how names are looked up, and of the host's own what programs
 * in its /usr need to start. Names of the host's users, hosts and services stay outside.
 */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/limits.h>
#include <sys/stat.h>

#define RESOLV_CONF_MAX (64u << 10)

static const char nsswitch[] = "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n"
			       "protocols: files\n";

/* The loader's cache and the links of /usr/bin to what was chosen; settings that programs do not
 * start without (Debian's Java keeps its in /etc); fonts for what renders. */
static const char *const host_parts[] = { "/etc/ld.so.cache", "/etc/alternatives",
	"/etc/java-*-openjdk", "/etc/maven", "/etc/fonts" };
/* What only a container that reaches the network has a use for. */
static const char *const net_parts[] = { "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/services",
	"/etc/protocols" };

static int add_file(struct plan *p, const char *target, const char *text)
{
	if (!text)
		return -ENOMEM;
	return plan_bind(p, (struct sandbox_bind){ SANDBOX_BIND_FILE, text, target });
}

static int add_user(struct plan *p)
{
	const char *user = p->s->user ? p->s->user : "user", *home = p->s->home ? p->s->home : "/";
	unsigned uid = p->s->uid, gid = p->s->gid;
	struct str passwd, group;
	int r;

	passwd = arena_fmt(&p->arena, "%s:x:%u:%u::%s:/bin/sh\n%s%s", user, uid, gid, home,
		uid == 0 ? "" : "root:x:0:0:root:/:/bin/sh\n",
		uid == 65534 ? "" : "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n");
	group = arena_fmt(&p->arena, "%s:x:%u:\n%s%s", user, gid, gid == 0 ? "" : "root:x:0:\n",
		gid == 65534 ? "" : "nogroup:x:65534:\n");
	r = add_file(p, "/etc/passwd", passwd.p);
	return r < 0 ? r : add_file(p, "/etc/group", group.p);
}

/* With its own name: programs look for the address of the machine that they are on. */
static int add_hosts(struct plan *p)
{
	return add_file(p, "/etc/hosts", arena_fmt(&p->arena, "127.0.0.1\tlocalhost %s\n"
		"::1\tlocalhost ip6-localhost\n", p->hostname).p);
}

/* Copied, not bound: programs of the host replace it by renaming, and its target is often in /run. */
static int add_resolv_conf(struct plan *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = file_slurp(AT_FDCWD, "/etc/resolv.conf", &b, RESOLV_CONF_MAX);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return add_file(p, "/etc/resolv.conf", arena_str(&p->arena, buf_str(&b)).p);
}

static int add_resolver(struct plan *p)
{
	if (p->s->net == SANDBOX_NET_HOST)
		return add_resolv_conf(p);
	return p->s->net == SANDBOX_NET_NONE ? 0 : add_file(p, "/etc/resolv.conf",
		arena_fmt(&p->arena, "nameserver %s\n", p->s->door->resolver).p);
}

static int add_host_hosts(struct plan *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	int r = file_slurp(AT_FDCWD, "/etc/hosts", &b, RESOLV_CONF_MAX);

	return r < 0 ? add_hosts(p) : add_file(p, "/etc/hosts", arena_str(&p->arena, buf_str(&b)).p);
}

/* A pattern may match nothing, and a host may lack any of them. */
static int add_parts(struct plan *p, const char *const *patterns, size_t n)
{
	glob_t found = { 0 };
	int r = 0;

	for (size_t i = 0; i < n; i++)
		if (glob(patterns[i], i ? GLOB_APPEND : 0, NULL, &found) == GLOB_NOSPACE)
			r = -ENOMEM;
	for (size_t i = 0; i < found.gl_pathc && r == 0; i++) {
		const char *path = arena_str(&p->arena, str_from(found.gl_pathv[i])).p;

		r = path ? plan_bind(p, (struct sandbox_bind){ SANDBOX_BIND_RO, path, path }) : -ENOMEM;
	}
	globfree(&found);
	return r;
}

static int add_localtime(struct plan *p)
{
	char target[PATH_MAX];
	ssize_t n = readlink("/etc/localtime", target, sizeof(target));

	if (n < 0 || (size_t)n == sizeof(target))
		return plan_bind(p, (struct sandbox_bind){ SANDBOX_BIND_RO, "/etc/localtime",
			"/etc/localtime", .optional = true });
	return plan_bind(p, (struct sandbox_bind){ SANDBOX_BIND_SYMLINK,
		arena_str(&p->arena, str_of(target, (size_t)n)).p, "/etc/localtime" });
}

/* Of a root with an /etc of its own what is about the network, not about its programs, is replaced; of a
 * bare one only who is asked for names, where that is us. */
static int etc_of_foreign(struct plan *p)
{
	bool host = p->s->net == SANDBOX_NET_HOST;
	int r;

	if (p->s->root.bare)
		return host ? 0 : add_resolver(p);
	r = add_file(p, "/etc/hostname", arena_fmt(&p->arena, "%s\n", p->hostname).p);
	if (r == 0)
		r = host ? add_host_hosts(p) : add_hosts(p);
	return r < 0 ? r : add_resolver(p);
}

static int etc_of_host(struct plan *p)
{
	bool host = p->s->net == SANDBOX_NET_HOST, net = p->s->net != SANDBOX_NET_NONE;
	int r = add_user(p);

	if (r == 0)
		r = add_file(p, "/etc/nsswitch.conf", nsswitch);
	if (r == 0)
		r = host ? add_host_hosts(p) : add_hosts(p);
	if (r == 0)
		r = add_resolver(p);
	if (r == 0)
		r = add_parts(p, host_parts, ARRAY_SIZE(host_parts));
	if (r == 0 && net)
		r = add_parts(p, net_parts, ARRAY_SIZE(net_parts));
	return r < 0 ? r : add_localtime(p);
}

int etc_prepare(struct plan *p, struct diag *d)
{
	return p->s->root.kind == SANDBOX_ROOT_HOST ? etc_of_host(p) : etc_of_foreign(p);
}
