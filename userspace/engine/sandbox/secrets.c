// SPDX-License-Identifier: GPL-2.0-or-later
/* Secrets: handed in on the caller's side, kept out of what comes back by the supervisor. */
#include "engine/sandbox/sandbox-priv.h"

#include "prim/err.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static const char *bad_length(struct str value)
{
	return value.n < MASK_VALUE_MIN ? "it is shorter than 8 bytes: what is so short is part of much else, "
		"and cannot be kept out of the output" :
		value.n > MASK_VALUE_MAX ? "it is longer than 32 KiB" : NULL;
}

/* Programs end a file with a line's end, and print what is in it without. */
static struct str printed(struct str value)
{
	while (value.n && (value.p[value.n - 1] == '\n' || value.p[value.n - 1] == '\r'))
		value.n--;
	return value;
}

static int make_mask(struct plan *p, struct diag *d)
{
	const struct sandbox *s = p->s;
	struct str values[SANDBOX_SECRETS_MAX];
	int r;

	if (s->nsecrets > ARRAY_SIZE(values))
		return diag_fail(d, -ERR_LIMIT, "more than %d secrets", SANDBOX_SECRETS_MAX);
	for (size_t i = 0; i < s->nsecrets; i++) {
		const char *why;

		values[i] = printed(s->secrets[i].value);
		why = bad_length(values[i]);
		if (why)
			return diag_fail(d, -ERR_USAGE, "the secret %s cannot be used: %s",
				s->secrets[i].name, why);
		if (memchr(values[i].p, '\0', values[i].n))
			return diag_fail(d, -ERR_USAGE, "the secret %s cannot be used: it is no text",
				s->secrets[i].name);
	}
	r = mask_new(&p->mask, values, s->nsecrets);
	return r < 0 ? diag_fail(d, r, "the secrets are too long together to be kept out of the output") : 0;
}

static int add_variables(struct plan *p)
{
	const struct sandbox *s = p->s;
	const char **extra = arena_newn(&p->arena, const char *, s->nsecrets + 1);
	size_t n = 0;

	for (size_t i = 0; extra && i < s->nsecrets; i++) {
		struct str value = printed(s->secrets[i].value);

		if (s->secrets[i].file)
			continue;
		extra[n] = arena_fmt(&p->arena, "%s=%.*s", s->secrets[i].name, STR_ARG(value)).p;
		if (!extra[n++])
			return -ENOMEM;
	}
	return extra ? sandbox_env_add(&p->arena, s->env, extra, &p->with_secrets.env) : -ENOMEM;
}

int secrets_apply(struct plan *p, struct diag *d)
{
	int r;

	if (!p->s->nsecrets)
		return 0;
	p->with_secrets = *p->s;
	r = make_mask(p, d);
	if (r < 0)
		return r;
	r = add_variables(p);
	if (r < 0)
		return diag_errno(d, r, "cannot hand in the secrets");
	if (p->s->stdio == SANDBOX_STDIO_INHERIT)
		p->with_secrets.stdio = SANDBOX_STDIO_STREAMS;
	p->s = &p->with_secrets;
	return 0;
}

/* After all that the caller binds: nothing covers them. */
int secrets_bind(struct plan *p)
{
	int r = 0;

	for (size_t i = 0; i < p->s->nsecrets && r == 0; i++) {
		const struct sandbox_secret *s = &p->s->secrets[i];

		if (!s->file)
			continue;
		r = plan_bind(p, (struct sandbox_bind){ SANDBOX_BIND_FILE, arena_str(&p->arena, s->value).p,
			arena_fmt(&p->arena, SANDBOX_SECRETS "/%s", s->name).p, .mode = 0400 });
	}
	return r;
}

/* A terminal is replaced in any case. What a socket is sent on does not pass us. */
int secrets_stdin(struct plan *p, struct diag *d)
{
	struct stat st;

	if (!p->mask || p->terminal.is[0] || (fcntl(0, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return 0;
	if (fstat(0, &st) == 0 && S_ISSOCK(st.st_mode)) {
		diag_fail(d, -ERR_CONTAINER, "standard input is a socket, to which secrets could be written");
		return diag_hint(d, "give it by a pipe, as in: cat | cratons ...; or </dev/null");
	}
	p->stdio[0] = open("/proc/self/fd/0", O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return p->stdio[0] < 0 ? diag_errno(d, -errno, "cannot open standard input for reading") : 0;
}
