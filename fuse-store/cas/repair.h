/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taking what is damaged, or mostly dead, out of the store. The lock is held in all of these. */
#ifndef CRATONS_CAS_REPAIR_H
#define CRATONS_CAS_REPAIR_H

#include "cas/mark.h"

/* Moves the objects that the index has in a pack, and that are well, to a new pack; those that are
 * not leave the index, with all trees that reach them. The old pack is put aside if it is damaged (or
 * turns out to be), otherwise removed. One transaction. */
int repair_pack(struct cas_writer *w, uint32_t number, bool damaged, struct diag *d);

/* cas_quarantine, with the lock held. */
int repair_one(struct cas_writer *w, const struct digest *what, struct diag *d);

/* Whether a large object is what its name says: 0, -ERR_DIGEST, -ENOENT or another error. */
int check_large(int store_fd, const struct digest *d);

#endif
