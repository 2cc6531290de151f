/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that lose lengths, errors or thread safety do not compile (the idea is git's banned.h). */
#ifndef CRATONS_PRIM_BANNED_H
#define CRATONS_PRIM_BANNED_H

#ifndef __ASSEMBLER__
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

/* With clang, glibc's fortified forms of these are macros. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison strtok strtok_r atoi atol atoll atof
#pragma GCC poison gmtime localtime ctime asctime
#pragma GCC poison mktemp tmpnam tempnam rand srand
#endif

#endif
