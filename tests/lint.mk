# Checks of the source itself: layers, headers, formatting, static analysis.

C_FILES := $(sort $(wildcard modules/*/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] tests/oracle/*.[ch]))
SH_FILES := $(sort $(wildcard modules/build/*.sh tests/*.sh cfg/*.sh tests/*/*.sh) .ci/run)
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/unit-plain/%.o)
PURE_HEADERS := $(wildcard modules/lib/*.h) $(filter-out %_mod.h %_db.h,$(foreach m,$(MODULES),$(wildcard modules/$(m)/*.h)))
GLUE_HEADERS := $(wildcard modules/glue/*.h) $(foreach m,$(MODULES),$(wildcard modules/$(m)/*_mod.h modules/$(m)/*_db.h))

##@ Checks
.PHONY: check-layers check-headers lint
check-layers: $(LIB_OBJ) $(POLICY_SRC:%.c=$(BUILD)/unit-plain/%.o) ## lib and policies know no Kamailio, no clock, no log, no other module
	$(Q)LIB_OBJ="$(LIB_OBJ)" tests/check-layers.sh $(MODULES)

check-headers: $(KSR_DEFS) ## every header compiles alone
	$(Q)for h in $(PURE_HEADERS); do \
		$(CC) $(PURE_CFLAGS) -Wno-unused -Imodules -fsyntax-only -x c "$$h" || exit 1; done
	$(Q)for h in $(GLUE_HEADERS); do \
		$(CC) $(MODULE_FLAGS) -Wno-unused -fsyntax-only -x c "$$h" || exit 1; done
	@echo "$(words $(PURE_HEADERS) $(GLUE_HEADERS)) headers compile alone"

lint: $(KSR_DEFS) ## clang-format, cppcheck, clang-tidy, shellcheck, flake8, file lengths
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,portability,performance \
		--suppress=missingIncludeSystem -Imodules $(LIB_SRC) $(POLICY_SRC)
	$(Q)clang-tidy --quiet --warnings-as-errors='*' $(LIB_SRC) $(POLICY_SRC) -- -std=c11 -D_GNU_SOURCE -Imodules 2>&1 | \
		{ grep -v 'warnings generated' || true; }
	$(Q)shellcheck $(SH_FILES)
	$(Q)flake8 --max-line-length 120 tests db modules/build
	$(Q)tests/check-length.sh
	@echo "lint is clean"
