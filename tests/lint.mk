# Checks of the source itself: layers, headers, formatting, static analysis.

C_FILES := $(sort $(wildcard modules/*/*.[ch] modules/*/*/*.[ch] tests/unit/*.[ch] tests/unit/*/*.[ch] tests/unit/*/*/*.[ch] tests/fuzz/*.[ch] tests/bench/*.[ch] tests/oracle/*.[ch] tests/support/*.[ch]))
SH_FILES := $(sort $(wildcard modules/make/*.sh tests/*.sh cfg/*.sh tests/*/*.sh) .ci/run)
PURE_HEADERS := $(wildcard modules/lib/*/*.h) $(foreach m,$(MODULES),modules/$(m)/$(m).h $(wildcard $(PURE_ROOMS:%=modules/$(m)/%/*.h)))
KSR_HEADERS := $(wildcard modules/glue/*.h) $(foreach m,$(MODULES),$(wildcard modules/$(m)/kamailio/*.h))

# Static analysis of the C files that have no Kamailio in them.
define analyse
	$(Q)cppcheck --quiet --error-exitcode=1 --std=c11 --inline-suppr --enable=warning,portability,performance \
		--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches -Imodules $(1)
	$(Q)printf '%s\n' $(1) | xargs -P "$$(nproc)" -n 4 sh -c 'clang-tidy --quiet --warnings-as-errors="*" "$$@" -- \
		-std=c11 -D_GNU_SOURCE -Imodules 2>&1 || exit 255' tidy | { grep -vE 'warnings? generated|Processing file' || true; }
endef

##@ Checks
.PHONY: check-layers check-headers lint lint-files quick hooks
quick: ## what can be known of a change in a minute: before each commit (BASE=origin/main)
	$(Q)tests/quick.sh

hooks: ## have git run `make quick` before each commit
	$(Q)tests/hooks.sh

check-layers: modules ## rooms need only what lies below them, no file needs itself, nothing but kamailio/ and glue/ sees Kamailio
	$(Q)$(PYTHON) tests/check_layers.py --cc $(CC) --objects $(BUILD)/obj $(MODULES)

check-headers: $(KSR_DEFS) ## every header compiles alone
	$(Q)for h in $(PURE_HEADERS); do \
		$(CC) $(PURE_CFLAGS) -Wno-unused -Imodules -fsyntax-only -x c "$$h" || exit 1; done
	$(Q)for h in $(KSR_HEADERS); do \
		$(CC) $(KSR_FLAGS) -Wno-unused -fsyntax-only -x c "$$h" || exit 1; done
	@echo "$(words $(PURE_HEADERS) $(KSR_HEADERS)) headers compile alone"

lint: $(KSR_DEFS) ## clang-format, cppcheck, clang-tidy, shellcheck, flake8, file lengths
	$(Q)tests/format.sh $(C_FILES)
	$(call analyse,$(LIB_SRC) $(PURE_SRC))
	$(Q)shellcheck $(SH_FILES)
	$(Q)flake8 --max-line-length 120 tests db modules/make
	$(Q)tests/check-length.sh
	@echo "lint is clean"

lint-files:
	$(if $(filter $(LIB_SRC) $(PURE_SRC),$(FILES)),$(call analyse,$(filter $(LIB_SRC) $(PURE_SRC),$(FILES))))
