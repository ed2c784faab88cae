# The three modules, built out of tree against a Kamailio that is installed. Each .so holds its own copy of
# modules/lib and modules/glue, with only Kamailio's four symbols visible, so that the modules load
# together and alone.

KAMAILIO ?= kamailio
export KAMAILIO KSR CC
KSR_DEFS := $(BUILD)/kamailio.defs

MODULE_CFLAGS ?= -O2 -g
MODULE_WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wno-unused-parameter
COMMON_FLAGS = -D_GNU_SOURCE -fPIC -fvisibility=hidden -pthread $(MODULE_WARN) $(MODULE_CFLAGS) -Imodules
# What sees Kamailio: glue, and the room kamailio/ of each module.
KSR_FLAGS = -std=gnu11 $(COMMON_FLAGS) @$(KSR_DEFS)
# The rest has no Kamailio on its include path and is compiled once.
PURE_FLAGS = -std=c11 $(COMMON_FLAGS)
# Linked only where something of it is used.
LIB_LIBS := -lical -lmaxminddb

PURE_ROOMS := live decide build
LIB_SRC := $(sort $(wildcard modules/lib/*/*.c))
GLUE_SRC := $(sort $(wildcard modules/glue/*.c))
pure_src = $(sort $(wildcard $(PURE_ROOMS:%=modules/$(1)/%/*.c)))
ksr_src = $(sort $(wildcard modules/$(1)/kamailio/*.c))
PURE_SRC := $(foreach m,$(MODULES),$(call pure_src,$(m)))
KSR_SRC := $(GLUE_SRC) $(foreach m,$(MODULES),$(call ksr_src,$(m)))

object = $(1:modules/%.c=$(BUILD)/obj/%.o)
# glue is compiled once a module: MOD_NAME is what log lines start with.
glue_objects = $(GLUE_SRC:modules/%.c=$(BUILD)/obj/$(1)/%.o)
LIB_ARCHIVE := $(BUILD)/obj/libtollgate.a
MODULE_SO := $(MODULES:%=$(BUILD)/modules/%.so)

##@ Build
.PHONY: all modules
all: modules ## build the three modules (KAMAILIO=/path/sbin/kamailio KSR=/path/its/source: for a server of your own)
modules: $(MODULE_SO)

# Changes with the server that is built for: its path, its date, the source that was named.
KSR_WHICH := $(BUILD)/kamailio.which
WHERE := modules/make/kamailio-where.sh
.PHONY: FORCE
FORCE:
$(KSR_WHICH): FORCE
	@mkdir -p $(@D)
	@bin=$$($(WHERE) bin); now="$$bin $$(stat -L -c %Y "$$bin") $(KSR)"; \
		[ "$$(cat $@ 2>/dev/null)" = "$$now" ] || printf '%s\n' "$$now" >$@

$(KSR_DEFS): $(KSR_WHICH) modules/make/kamailio-source.sh modules/make/kamailio-flags.sh $(WHERE)
	@mkdir -p $(@D)
	@tree=$$(modules/make/kamailio-source.sh); modules/make/kamailio-flags.sh "$$tree" $@

# srdb1 is a library of its own up to 5.8 and part of the server from 6.0 on: linked where it exists.
SRDB1 = $(wildcard $(dir $(shell $(WHERE) modules))libsrdb1.so.1)

$(BUILD)/obj/%.o: modules/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(PURE_FLAGS) -MMD -MP -c $< -o $@

$(LIB_ARCHIVE): $(call object,$(LIB_SRC))
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

define module_rule
$(call glue_objects,$(1)): $(BUILD)/obj/$(1)/%.o: modules/%.c $(KSR_DEFS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$(CC) $$(KSR_FLAGS) -DMOD_NAME='"$(1)"' -fmacro-prefix-map=modules/= -MMD -MP -c $$< -o $$@

$(call object,$(call ksr_src,$(1))): $(BUILD)/obj/$(1)/%.o: modules/$(1)/%.c $(KSR_DEFS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$(CC) $$(KSR_FLAGS) -DMOD_NAME='"$(1)"' -fmacro-prefix-map=modules/= -MMD -MP -c $$< -o $$@

$(BUILD)/modules/$(1).so: $(call object,$(call pure_src,$(1)) $(call ksr_src,$(1))) $(call glue_objects,$(1)) $(LIB_ARCHIVE) modules/make/exports.map
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) -shared $(MODULE_CFLAGS) -pthread -Wl,--version-script=modules/make/exports.map -Wl,-Bsymbolic \
		-Wl,-z,relro,-z,now $$(filter %.o,$$^) $(LIB_ARCHIVE) $$(SRDB1) $$(SRDB1:%=-Wl,-rpath,$$(dir $$(SRDB1))) -Wl,--as-needed $(LIB_LIBS) -lm -o $$@
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))
-include $(patsubst %.o,%.d,$(call object,$(LIB_SRC) $(PURE_SRC) $(foreach m,$(MODULES),$(call ksr_src,$(m)))) $(foreach m,$(MODULES),$(call glue_objects,$(m))))
install uninstall: export BUILD := $(BUILD)
install uninstall: export DESTDIR := $(DESTDIR)
install uninstall: export MODULE_DIR := $(MODULE_DIR)
install uninstall: export SHARE_DIR := $(SHARE_DIR)
install uninstall: export CFG_DIR := $(CFG_DIR)
.PHONY: install uninstall
install: modules db-sql ## modules, SQL files and routing scripts, where the installed Kamailio looks (DESTDIR=, MODULE_DIR=, SHARE_DIR=, CFG_DIR=)
	$(Q)modules/make/install.sh install

uninstall: ## remove what `make install` put there, but for what was edited since
	$(Q)modules/make/install.sh uninstall
