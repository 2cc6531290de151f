// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine/sandbox/sandbox-priv.h"

int sandbox_doctor(struct arena *a, struct sandbox_check **ret, size_t *ret_n)
{
	*ret = NULL;
	*ret_n = 0;
	return 0;
}
