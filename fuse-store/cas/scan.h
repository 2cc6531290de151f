/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walking the files of the store. */
#ifndef CRATONS_CAS_SCAN_H
#define CRATONS_CAS_SCAN_H

#include "prim/hash.h"

/* Called for each file <kind>/<xx>/<digest>, in no order; dirfd and name are those of its folder. */
typedef int (*scan_fn)(void *data, const struct digest *digest, int dirfd, const char *name);

/* Stops at the first failure of fn. What is not named as it should be is passed over. */
int scan_kind(int store_fd, const char *kind, scan_fn fn, void *data);

/* Called for each name in a folder of the store, but "." and "..". */
typedef int (*scan_name_fn)(void *data, int dirfd, const char *name);
int scan_folder(int dirfd, const char *path, scan_name_fn fn, void *data);

/* Moves a file that failed its digest to quarantine/ (replacing an earlier one of that name). */
int scan_put_aside(int store_fd, int dirfd, const char *name);

#endif
