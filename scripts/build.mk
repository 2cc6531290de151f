# SPDX-License-Identifier: GPL-2.0-or-later
# The build engine. Reads the Kbuild file of every folder, which holds only lists:
#
#   subdir-y    folders to enter
#   lib-y       static archives          lib<name>.a  from <name>-y (objects)
#   prog-y      programs users run       bin/<name>   from <name>-y
#   test-y      programs the tests run   test/<name>  from <name>-y
#   fuzz-y      fuzz harnesses           fuzz/<name>  from <name>-y: libFuzzer with FUZZ=1,
#               otherwise linked with a main() that replays a corpus
#   <name>-deps    archives it links (their own -deps follow)
#   <name>-pkgs    pkg-config packages       <name>-cflags, <name>-ldflags   extra flags
#   <name>-embed   files whose bytes are linked in, as EMBED_<path with _> (see prim/embed.h)
#   tool-y      programs that only the build runs        tool/<name>  from <name>-y
#   <name>-made    files that a tool makes, then embedded likewise; made-<suffix> names the tool and
#               made-<suffix>-from the suffix of its input: TOOL INPUT > OUTPUT

# Goals that build nothing themselves, or set up what the build needs first (targets.mk).
ifneq ($(filter-out clean deps check test vm demo bench fuzz uninstall,$(or $(MAKECMDGOALS),all)),)
building := y
endif

O := build$(if $(SAN),/san)$(if $(FAULT),/fault)$(if $(FUZZ),/fuzzing)
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-7s %s\n' $(1) $(2))

ifdef FUZZ
CC := clang
CXX := clang++
endif
PKG_CONFIG ?= pkg-config
BLAKE3 := $(lastword $(sort $(wildcard /usr/share/cargo/registry/blake3-*/c)))
ifdef building
ifeq ($(BLAKE3),)
$(error the BLAKE3 sources are missing: run scripts/deps.sh)
endif
endif

WARN := -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers \
	-Werror=format=2 -Werror=return-type -Werror=uninitialized -Werror=shadow -Werror=undef \
	-Werror=vla -Werror=unused-result -Werror=implicit-fallthrough
CWARN := -Werror=implicit-function-declaration -Werror=incompatible-pointer-types \
	-Werror=int-conversion -Werror=strict-prototypes -Werror=missing-prototypes \
	-Werror=old-style-definition

# A comma that survives inside a call.
, := ,
OPT := $(if $(SAN)$(FUZZ),-O1 -fno-omit-frame-pointer,-O2 -D_FORTIFY_SOURCE=3)
INSTRUMENT := $(if $(SAN),-fsanitize=address$(,)undefined -fno-sanitize-recover=undefined) \
	$(if $(FUZZ),-fsanitize=fuzzer-no-link$(,)address$(,)undefined -fno-sanitize-recover=undefined)
CPPFLAGS_ALL = -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -Iuserspace/include -Iuserspace/lib \
	-Iuserspace -Ifuse-store -I$(BLAKE3) -DCRATONS_VERSION='"$(VERSION)"' \
	$(if $(FAULT),-DCRATONS_FAULT) $(CPPFLAGS)
COMMON = -g $(OPT) -fstack-protector-strong -fPIE -fvisibility=hidden -ffunction-sections \
	-fdata-sections -pthread $(INSTRUMENT) $(WARN)
CFLAGS_ALL = -std=gnu17 $(COMMON) $(CWARN) -include prim/banned.h $(CFLAGS)
CXXFLAGS_ALL = -std=gnu++20 $(COMMON) -fno-rtti $(CXXFLAGS)
LDFLAGS_ALL = -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed -Wl,--gc-sections \
	-static-libstdc++ -static-libgcc $(INSTRUMENT) $(LDFLAGS)
VERSION := $(shell cat scripts/version)

# A change of flags or compiler rebuilds; an unchanged set leaves the stamp's time alone.
ifdef building
$(shell mkdir -p $(O))
flags_now := $(CC) $(CXX) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(CXXFLAGS_ALL) $(LDFLAGS_ALL)
$(file >$(O)/.flags.new,$(flags_now))
$(shell cmp -s $(O)/.flags.new $(O)/.flags && rm -f $(O)/.flags.new || mv $(O)/.flags.new $(O)/.flags)
endif

# The archives that $(1) links, each once, and their packages.
deps_of = $(sort $(call reach,$($(1)-deps),))
reach = $(if $(1),$(call reach,$(filter-out $(2) $(1),$(sort $(foreach x,$(1),$($(x)-deps)))),$(2) $(1)),$(2))
pkgs_of = $(sort $(foreach x,$(1) $(call deps_of,$(1)),$($(x)-pkgs)))
# Asked when something that needs them is made, and once a list.
pkg_config = $(if $(2),$(call remember,pkg $(1) $(2),$(PKG_CONFIG) $(1) $(2)))
remember = $(if $(filter undefined,$(origin $(subst $(space),_,$(1)))),$\
	$(eval $(subst $(space),_,$(1)) := $(shell $(2))))$($(subst $(space),_,$(1)))
space := $(subst ,, )
objs_of = $(addprefix $(O)/obj/$(if $(filter .,$(1)),,$(1)/),$($(2)-y)) \
	$(foreach f,$($(2)-embed),$(O)/obj/embed/$(f).o) $(foreach f,$($(2)-made),$(O)/obj/made/$(f).o)

all_objs :=
define objects
all_objs += $(call objs_of,$(1),$(2))
$(call objs_of,$(1),$(2)): private OWN = $(value $(2)-cflags) $$(call pkg_config,--cflags,$($(2)-pkgs))
endef

define lib_rule
$(call objects,$(1),$(2))
$(O)/lib/lib$(2).a: $(call objs_of,$(1),$(2)) $(1)/Kbuild
	$$(call say,AR,$$@)
	$(Q)mkdir -p $$(@D) && rm -f $$@ && $(AR) rcsD $$@ $$(filter %.o,$$^)
libs: $(O)/lib/lib$(2).a
endef

# $(1) folder, $(2) name, $(3) output folder, $(4) further objects, $(5) further flags
define prog_rule
$(call objects,$(1),$(2))
$(O)/$(3)/$(2): $(call objs_of,$(1),$(2)) $(4) $(foreach l,$(call deps_of,$(2)),$(O)/lib/lib$(l).a) \
		$(1)/Kbuild $(O)/.flags
	$$(call say,LD,$$@)
	$(Q)mkdir -p $$(@D) && $(CXX) $(LDFLAGS_ALL) $(5) $($(2)-ldflags) -o $$@ $$(filter %.o,$$^) \
		-Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group $$(LIBS)
$(O)/$(3)/$(2): private LIBS = $$(call pkg_config,--libs,$(call pkgs_of,$(2)))
$(3)-all: $(O)/$(3)/$(2)
endef

kbuilds :=
visit = $(foreach v,subdir lib prog test tool fuzz,$(eval $(v)-y :=))$(eval include $(1)/Kbuild)$\
	$(eval kbuilds += $(1)/Kbuild)$\
	$(eval pending += $(foreach l,$(lib-y),lib:$(1):$(l)) $(foreach p,$(prog-y),bin:$(1):$(p)) \
		$(foreach p,$(test-y),test:$(1):$(p)) $(foreach p,$(tool-y),tool:$(1):$(p)) $(foreach p,$(fuzz-y),fuzz:$(1):$(p)))$\
	$(foreach s,$(subdir-y),$(call visit,$(if $(filter .,$(1)),$(s),$(1)/$(s))))
field = $(word $(1),$(subst :, ,$(2)))

# All lists are read before the first rule is made, so that the order of folders does not matter.
pending :=
ifdef building
$(call visit,.)
$(foreach t,$(filter lib:%,$(pending)),$(eval $(call lib_rule,$(call field,2,$t),$(call field,3,$t))))
$(foreach t,$(filter bin:%,$(pending)),$(eval $(call prog_rule,$(call field,2,$t),$(call field,3,$t),bin)))
$(foreach t,$(filter tool:%,$(pending)),$(eval $(call prog_rule,$(call field,2,$t),$(call field,3,$t),tool)))
# Criterion finds its tests in a section of their own that nothing refers to.
$(foreach t,$(filter test:%,$(pending)),$(eval $(call prog_rule,$(call field,2,$t),$(call field,3,$t),test,,\
	-Wl$(,)--no-gc-sections)))
$(foreach t,$(filter fuzz:%,$(pending)),$(eval $(call prog_rule,$(call field,2,$t),$(call field,3,$t),fuzz,$\
	$(if $(FUZZ),,$(O)/obj/tests/fuzz/replay.o),$(if $(FUZZ),-fsanitize=fuzzer))))
endif

$(O)/obj/blake3/%.o: $(BLAKE3)/%.c $(O)/.flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) -O2 -g -fPIE $(if $(FUZZ)$(SAN),-DBLAKE3_NO_AVX512) -c -o $@ $<
$(O)/obj/blake3/%.o: $(BLAKE3)/%.S $(O)/.flags
	$(call say,AS,$@)
	$(Q)mkdir -p $(@D) && $(CC) -c -o $@ $<
$(O)/obj/embed/%.o: % scripts/embed.sh $(O)/.flags
	$(call say,EMBED,$<)
	$(Q)mkdir -p $(@D) && scripts/embed.sh $< $< | $(CC) -c -x assembler -o $@ -
$(O)/obj/made/%.o: $(O)/made/% scripts/embed.sh $(O)/.flags
	$(call say,EMBED,$<)
	$(Q)mkdir -p $(@D) && scripts/embed.sh $* $< | $(CC) -c -x assembler -o $@ -
$(O)/obj/%.o: %.c $(O)/.flags
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(OWN) -MMD -MP -c -o $@ $<
$(O)/obj/%.o: %.cc $(O)/.flags
	$(call say,CXX,$@)
	$(Q)mkdir -p $(@D) && $(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) $(OWN) -MMD -MP -c -o $@ $<

# $(1) suffix of what is made
define made_rule
$(O)/made/%.$(1): %.$(made-$(1)-from) $(O)/tool/$(made-$(1))
	$$(call say,GEN,$$@)
	$(Q)mkdir -p $$(@D) && $(O)/tool/$(made-$(1)) $$< >$$@
endef
$(foreach s,$(made-y),$(eval $(call made_rule,$s)))

-include $(patsubst %.o,%.d,$(all_objs))

.PHONY: libs bin-all test-all fuzz-all
libs bin-all test-all fuzz-all:
all: libs bin-all
.DELETE_ON_ERROR:
.SECONDARY:
