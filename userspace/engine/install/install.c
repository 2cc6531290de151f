// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/install/install-priv.h"

#include "base/fd.h"
#include "engine/mount/mount.h"
#include "prim/err.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#define TEXT_MAX	((size_t)64 << 20)
#define POOL_QUEUE_MAX	4096

/*
 * The whole way. A step returns 0 to go on, INSTALL_DONE to stop early, or an error.
 */
static const struct {
	const char *name;
	int (*run)(struct installation *i);
} steps[] = {
	{ "reading the project", step_read },
	{ "looking for what is there", step_look },
	{ "opening the store", step_open },
	{ "locking", step_lock },
	{ "fetching", step_fetch },
	{ "writing the lockfile", step_write_lock },
	{ "building", step_build },
	{ "composing", step_compose },
	{ "recording", step_record },
};

static int read_text(struct installation *i, const char *name, struct buf *ret)
{
	int r = file_slurp(i->project->fd, name, ret, TEXT_MAX);

	if (r == -ENOENT)
		return r;
	if (r < 0) {
		diag_errno(i->diag, r, "cannot read %s", name);
		return diag_where(i->diag, "%s/%s", i->project->path, name);
	}
	return 0;
}

int step_read(struct installation *i)
{
	int r = read_text(i, MANIFEST_NAME, &i->manifest_text);

	if (r == -ENOENT) {
		diag_fail(i->diag, -ERR_NO_MANIFEST, "there is no " MANIFEST_NAME " in %s",
			i->project->path);
		return diag_hint(i->diag, "'cratons init' makes one");
	}
	if (r < 0)
		return r;
	r = read_text(i, LOCKFILE_NAME, &i->lock_text);
	i->lock_there = r == 0;
	if (r == -ENOENT && i->options->frozen) {
		diag_fail(i->diag, -ERR_LOCK_STALE, "there is no " LOCKFILE_NAME
			", and --frozen does not make one");
		return diag_hint(i->diag, "run 'cratons install' and commit " LOCKFILE_NAME);
	}
	return r == -ENOENT ? 0 : r;
}

/* With both texts as they were when an environment was made of them, that environment is it. */
int step_look(struct installation *i)
{
	_cleanup_(cas_free_p) struct cas *c = NULL;
	struct environment_fact fact;
	struct digest key;

	if (!i->lock_there || i->options->update_all || i->options->nupdate ||
			mount_damage_known(i->project->home_fd))
		return 0;
	if (cas_open(&c, i->project->home_fd, NULL) < 0)
		return 0;
	key = environment_key(buf_str(&i->manifest_text), buf_str(&i->lock_text),
		i->options->production);
	if (environment_find(c, &key, &fact) < 0 || !root_holds(c, i->project->path, &fact.tree) ||
			(fact.left_out && !i->options->as_it_is))
		return 0;
	i->result.environment = fact.tree;
	i->result.node = fact.node;
	i->result.packages = fact.packages;
	i->result.scripts_waiting = fact.scripts_waiting;
	i->result.left_out = fact.left_out;
	i->result.nothing_to_do = true;
	return INSTALL_DONE;
}

static int heal(struct installation *i)
{
	const struct install_options *o = i->options;
	_cleanup_buf_ struct buf text = BUF_INIT;
	unsigned n;
	int r = mount_damage_heal(i->writer, i->project->home_fd, &n, i->diag);

	if (r == 0 && n && o->warn && buf_addf(&text, "%u damaged part%s of the store put aside: what is "
			"missing now is fetched again", n, n == 1 ? " was" : "s were") == 0)
		o->warn(o->data, buf_text(&text));
	return r;
}

int step_open(struct installation *i)
{
	int r = manifest_parse(&i->manifest, buf_str(&i->manifest_text), MANIFEST_NAME, i->diag);

	if (r == 0)
		r = cas_writer_open(&i->writer, i->project->home_fd, i->diag);
	return r < 0 ? r : heal(i);
}

int installation_credentials(struct installation *i)
{
	const struct project *settings = i->options->settings ? i->options->settings : i->project;

	if (i->credentials)
		return 0;
	return credentials_load(&i->credentials, settings->fd, i->manifest, i->diag);
}

/* The network, the workers and what is built on them. What the user wrote is read before the jail is
 * entered, and the ring is made; the workers, and every byte that a registry sends, come after. */
int installation_go_online(struct installation *i)
{
	const struct install_options *o = i->options;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned jobs = o->jobs ? o->jobs : (unsigned)MAX(processors, 1);
	struct fetch_options fo = { .retries = UINT_MAX, .offline = o->network == INSTALL_OFFLINE };
	struct archives_options ao = {
		.allow_missing_integrity = i->manifest->allow_missing_integrity,
		.offline = fo.offline,
		.warn = o->warn,
		.data = o->data,
	};
	int r;

	r = installation_credentials(i);
	if (r == 0)
		r = loop_new(&i->loop, o->backend, i->diag);
	if (r == 0)
		r = store_io_new(&i->store_io, i->loop, i->writer);
	if (r == 0)
		r = installation_jail(i);
	if (r == 0)
		r = pool_new(&i->pool, i->loop, jobs, POOL_QUEUE_MAX);
	if (r == 0)
		r = fetcher_new(&i->fetcher, i->loop, i->credentials, &fo, i->diag);
	if (r == 0)
		r = metadata_new(&i->metadata, i->loop, i->pool, i->fetcher, i->credentials,
			i->writer, o->network, i->diag);
	if (r == 0)
		r = archives_new(&i->archives, i->loop, i->pool, i->fetcher, i->writer, &ao,
			i->diag);
	return r;
}

void installation_done(struct installation *i)
{
	apart_end(&i->apart);
	credentials_free(i->credentials);
	cas_writer_free(i->writer);
	manifest_free(i->manifest);
	lockfile_free(i->before);
	lockfile_free(i->lock);
	free(i->selected);
	free(i->built);
	free(i->failed);
	buf_done(&i->manifest_text);
	buf_done(&i->lock_text);
	install_result_done(&i->result);
}

void install_result_done(struct install_result *r)
{
	lockfile_free(r->lockfile);
	*r = (struct install_result){ 0 };
}

static int install_once(const struct project *p, const struct install_options *o,
	struct install_result *ret, struct diag *d)
{
	_cleanup_(installation_done) struct installation i = {
		.project = p,
		.options = o,
		.diag = d,
	};
	int r = 0;

	for (size_t s = 0; s < ARRAY_SIZE(steps) && r == 0; s++) {
		r = steps[s].run(&i);
		if (r < 0 && d && d->code == 0)
			diag_errno(d, r, "%s", steps[s].name);
	}
	if (r < 0)
		return r;
	*ret = i.result;
	ret->lockfile = TAKE_PTR(i.lock);
	i.result = (struct install_result){ 0 };
	return 0;
}

/* -ESTALE: between looking and entering, gc took what the installation relied on. */
int install(const struct project *p, const struct install_options *o, struct install_result *ret,
	struct diag *d)
{
	int r = -ESTALE;

	for (int attempt = 0; attempt < 3 && r == -ESTALE; attempt++) {
		diag_reset(d);
		r = install_once(p, o, ret, d);
	}
	return r;
}

int install_environment(const struct project *p, struct cas *c, bool production, struct digest *ret)
{
	_cleanup_buf_ struct buf manifest = BUF_INIT, lock = BUF_INIT;
	struct environment_fact fact;
	struct digest key;
	int r = file_slurp(p->fd, MANIFEST_NAME, &manifest, TEXT_MAX);

	if (r == 0)
		r = file_slurp(p->fd, LOCKFILE_NAME, &lock, TEXT_MAX);
	if (r < 0)
		return -ENOENT;
	key = environment_key(buf_str(&manifest), buf_str(&lock), production);
	r = environment_find(c, &key, &fact);
	if (r < 0)
		return r;
	*ret = fact.tree;
	return 0;
}
