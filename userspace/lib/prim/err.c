// SPDX-License-Identifier: GPL-2.0-or-later
#include "prim/err.h"

#include "prim/attr.h"

#include <errno.h>

static const struct {
	const char *name;
	int parent;
	enum exit_status status;
	const char *sentence;
} table[] = {
#define X(name, parent, status, sentence) { #name, parent, status, sentence },
	ERR_TABLE(X)
#undef X
};

static int domain_index(int code)
{
	int positive = code < 0 ? -code : code;

	return positive > ERR_FIRST && positive < ERR_LAST ? positive - ERR_FIRST - 1 : -1;
}

const char *err_sentence(int code)
{
	int i = domain_index(code);
	const char *text;

	if (i >= 0)
		return table[i].sentence;
	text = strerrordesc_np(code < 0 ? -code : code);
	return text ? text : "unknown error";
}

const char *err_name(int code)
{
	int i = domain_index(code);
	const char *text;

	if (i >= 0)
		return table[i].name;
	text = strerrorname_np(code < 0 ? -code : code);
	return text ? text : "UNKNOWN";
}

int err_errno(int code)
{
	int i = domain_index(code);

	if (i >= 0)
		return -table[i].parent;
	return code < 0 ? code : -code;
}

enum exit_status err_exit_status(int code)
{
	int i = domain_index(code);

	if (code >= 0)
		return EXIT_OK;
	return i >= 0 ? table[i].status : EXIT_ERROR;
}
