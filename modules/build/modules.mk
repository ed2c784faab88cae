# The three modules, built out of tree against the installed Kamailio. Each .so holds its own copy of
# modules/lib and modules/glue, with only Kamailio's four symbols visible, so that the modules load
# together and alone.

KAMAILIO ?= kamailio
export KAMAILIO KSR CC
KSR_DEFS := $(BUILD)/kamailio.defs

MODULE_CFLAGS ?= -O2 -g
MODULE_WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wno-unused-parameter
MODULE_FLAGS = -std=gnu11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -pthread $(MODULE_WARN) $(MODULE_CFLAGS) -Imodules @$(KSR_DEFS)
# lib sees no Kamailio and is compiled once; a module takes from the archive what it uses.
LIB_FLAGS = -std=c11 -D_GNU_SOURCE -fPIC -fvisibility=hidden -pthread $(MODULE_WARN) $(MODULE_CFLAGS) -Imodules
# Linked only where something of it is used.
LIB_LIBS := -lical -lmaxminddb
LIB_ARCHIVE := $(BUILD)/obj/libtollgate.a
LIB_OBJECTS := $(patsubst modules/%.c,$(BUILD)/obj/%.o,$(wildcard modules/lib/*.c))
MODULE_SO := $(MODULES:%=$(BUILD)/modules/%.so)
module_src = $(wildcard modules/glue/*.c modules/$(1)/*.c)

##@ Build
.PHONY: all modules
all: modules ## build the three modules (KSR=/path/to/kamailio-source to choose the source)
modules: $(MODULE_SO)

# Made anew when another Kamailio is installed.
$(KSR_DEFS): modules/build/kamailio-source.sh modules/build/kamailio-flags.sh $(wildcard /usr/sbin/kamailio)
	@mkdir -p $(@D)
	@tree=$$(modules/build/kamailio-source.sh); modules/build/kamailio-flags.sh "$$tree" $@

# srdb1 is a library of its own up to 5.8 and part of the server from 6.0 on: linked where it exists.
SRDB1 = $(firstword $(wildcard /usr/lib/*/kamailio/libsrdb1.so.1 /usr/lib/kamailio/libsrdb1.so.1 /usr/local/lib*/kamailio/libsrdb1.so.1))

$(BUILD)/obj/lib/%.o: modules/lib/%.c
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(LIB_FLAGS) -MMD -MP -c $< -o $@

$(LIB_ARCHIVE): $(LIB_OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

# glue is compiled once a module: MOD_NAME is what log lines start with.
define module_rule
$(BUILD)/obj/$(1)/%.o: modules/%.c $(KSR_DEFS)
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$(CC) $$(MODULE_FLAGS) -DMOD_NAME='"$(1)"' -fmacro-prefix-map=modules/= -MMD -MP -c $$< -o $$@

$(BUILD)/modules/$(1).so: $(patsubst modules/%.c,$(BUILD)/obj/$(1)/%.o,$(call module_src,$(1))) $(LIB_ARCHIVE) modules/build/exports.map
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) -shared $(MODULE_CFLAGS) -pthread -Wl,--version-script=modules/build/exports.map -Wl,-Bsymbolic \
		-Wl,-z,relro,-z,now $$(filter %.o,$$^) $(LIB_ARCHIVE) $$(SRDB1) $$(SRDB1:%=-Wl,-rpath,$$(dir $$(SRDB1))) -Wl,--as-needed $(LIB_LIBS) -lm -o $$@
endef
$(foreach m,$(MODULES),$(eval $(call module_rule,$(m))))
-include $(wildcard $(BUILD)/obj/*/*/*.d $(BUILD)/obj/lib/*.d)

# Where the distribution's Kamailio looks: beside its own modules and its own SQL files.
MODULE_DIR = $(firstword $(wildcard /usr/lib/*/kamailio/modules /usr/lib64/kamailio/modules /usr/lib/kamailio/modules \
	/usr/local/lib*/kamailio/modules))
SHARE_DIR = $(firstword $(wildcard /usr/share/kamailio /usr/local/share/kamailio))
CFG_DIR = /etc/kamailio/tollgate

.PHONY: install
install: modules db-sql ## put modules, schema and cfg where the installed Kamailio looks (DESTDIR=)
	@test -n "$(MODULE_DIR)" || { echo "install: no folder of Kamailio modules found: set MODULE_DIR=" >&2; exit 1; }
	install -d $(DESTDIR)$(MODULE_DIR) $(DESTDIR)$(CFG_DIR)/routes $(DESTDIR)$(CFG_DIR)/minimal
	install -m 644 $(MODULE_SO) $(DESTDIR)$(MODULE_DIR)
	install -m 644 $(wildcard cfg/*.cfg) cfg/local.cfg.sample $(DESTDIR)$(CFG_DIR)
	install -m 644 cfg/routes/*.cfg $(DESTDIR)$(CFG_DIR)/routes
	install -m 644 cfg/minimal/*.cfg $(DESTDIR)$(CFG_DIR)/minimal
	for d in sqlite mysql; do \
		install -d $(DESTDIR)$(or $(SHARE_DIR),/usr/share/kamailio)/tollgate/$$d && \
		install -m 644 $(BUILD)/db/$$d/*.sql $(DESTDIR)$(or $(SHARE_DIR),/usr/share/kamailio)/tollgate/$$d || exit 1; done
