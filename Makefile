# SPDX-License-Identifier: GPL-2.0-or-later
# make · make demo · make check · make test · make vm · make bench · make install · make clean
#
#   V=1        show the commands          SAN=1    AddressSanitizer and UBSan, under build/san
#   CC=clang   another compiler           FAULT=1  fault injection points, under build/fault
#
# What is built is listed in the Kbuild files; how, in scripts/build.mk.

all:
.PHONY: all

include scripts/build.mk
include scripts/targets.mk
