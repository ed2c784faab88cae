# Tests. Unit tests and policies build without Kamailio; everything else runs a real one.

# A unit test is named by its place: tests/unit/lib/table/test_cells.c is lib/table/cells. T picks some by a room
# (T=callroute/live), a name (T=cells) or both.
UNIT_SRC := $(sort $(wildcard tests/unit/*/*/test_*.c))
UNIT_NAMES := $(subst /test_,/,$(UNIT_SRC:tests/unit/%.c=%))
PURE_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -pthread
ASAN_FLAGS := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
T ?= $(UNIT_NAMES)
picked = $(sort $(foreach t,$(T),$(or $(filter $(t) $(t)/% %/$(t),$(UNIT_NAMES)),$(error no unit test is named $(t) or lies in a room of that name))))
TSAN_TESTS := callroute/live/live_threads $(addprefix lib/table/,cells_procs store store_procs lease lease_procs) \
	$(addprefix lib/share/,ring ring_stress snapshot snapshot_stress statefile statefile_write)
# NAMES of tests -> their programs of a flavour
unit_programs = $(foreach t,$(2),$(BUILD)/unit-$(1)/tests/unit/$(dir $(t))test_$(notdir $(t)))
# Runs the programs of a flavour, each under its test's name.
run_unit = for t in $(2); do echo "== $$t$(3)"; $(BUILD)/unit-$(1)/tests/unit/$${t%/*}/test_$${t\#\#*/}; done

# One set of rules per flavour: plain, asan, tsan.
define unit_flavour
$(BUILD)/unit-$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$(CC) $(PURE_CFLAGS) $(2) -Imodules -Itests -MMD -MP -c $$< -o $$@
$(BUILD)/unit-$(1)/tests/unit/%: $(BUILD)/unit-$(1)/tests/unit/%.o $(BUILD)/unit-$(1)/tests/unit/support.o $(patsubst %.c,$(BUILD)/unit-$(1)/%.o,$(LIB_SRC) $(PURE_SRC))
	$$(call say,LD,$$@)
	$(Q)$(CC) $(PURE_CFLAGS) $(2) $$^ -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc -lcmocka -lical -lmaxminddb -lm -o $$@
-include $$(patsubst %.c,$(BUILD)/unit-$(1)/%.d,$(LIB_SRC) $(PURE_SRC) $(UNIT_SRC))
endef
$(eval $(call unit_flavour,plain,))
$(eval $(call unit_flavour,asan,$(ASAN_FLAGS)))
$(eval $(call unit_flavour,tsan,-O1 -fsanitize=thread))
.SECONDARY:

##@ Tests
.PHONY: test-unit test-asan test-tsan
test-unit: $(call unit_programs,plain,$(picked)) ## unit tests (T="cells callroute/live" picks some)
	@$(call run_unit,plain,$(picked),)

test-tsan: $(call unit_programs,tsan,$(TSAN_TESTS)) ## the tests with threads under ThreadSanitizer
	@$(call run_unit,tsan,$(TSAN_TESTS), (tsan))

test-asan: $(call unit_programs,asan,$(picked)) ## the unit tests under ASan and UBSan
	@$(call run_unit,asan,$(picked), (asan))

# libFuzzer targets; each starts from its folder in tests/fuzz/corpus and keeps what it finds in build/.
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
F ?= $(FUZZ_NAMES)
FUZZ_SEC ?= 10
FUZZ_FLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -pthread -Imodules

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(LIB_SRC) $(PURE_SRC) $(wildcard modules/*/*/*.h modules/*/*.h tests/fuzz/*.h)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang $(FUZZ_FLAGS) $< $(LIB_SRC) $(PURE_SRC) -lical -lmaxminddb -lm -o $@

.PHONY: fuzz
fuzz: $(F:%=$(BUILD)/fuzz/fuzz_%) ## each fuzz target for FUZZ_SEC=10 seconds (F="trie" picks some)
	$(Q)for t in $(F); do echo "== fuzz $$t"; mkdir -p $(BUILD)/fuzz/corpus/$$t; \
		$(BUILD)/fuzz/fuzz_$$t -max_total_time=$(FUZZ_SEC) -print_final_stats=1 -verbosity=0 \
			-artifact_prefix=$(BUILD)/fuzz/$$t- $(BUILD)/fuzz/corpus/$$t tests/fuzz/corpus/$$t 2>&1 | \
			grep -E 'executed_units|ERROR|SUMMARY' ; done

# Everything that runs a real Kamailio; K="hijack or fraud" picks tests as pytest's -k does. Most of the
# time a test waits for a timer: JOBS files run side by side, each test in a folder and on ports of its own.
JOBS ?= 4
.PHONY: test test-all test-integration test-debian13 demo
test-integration: modules ## calls, attacks, bad input on loopback (K=expression picks some)
	$(Q)tests/alone.sh $(PYTHON) -m pytest -q -n $(JOBS) --dist loadfile $(if $(K),-k "$(K)") tests/integration

# The same test runs within test-integration, with 150 reloads.
SOAK_RELOADS ?= 10000
.PHONY: soak soak-asan
soak: modules ## SOAK_RELOADS=10000 reloads under calls: none is lost, no memory stays behind
	$(Q)TOLLGATE_SOAK_RELOADS=$(SOAK_RELOADS) $(PYTHON) -m pytest -q -s tests/integration/callroute/test_soak.py

soak-asan: ## the same with our modules under AddressSanitizer
	$(Q)$(MAKE) --no-print-directory modules BUILD=$(BUILD)/asan MODULE_CFLAGS="-O1 -g -fsanitize=address -fno-omit-frame-pointer"
	$(Q)BUILD=$(BUILD)/asan TOLLGATE_SOAK_PRELOAD=$$($(CC) -print-file-name=libasan.so) \
		TOLLGATE_SOAK_RELOADS=$(SOAK_RELOADS) $(PYTHON) -m pytest -q -s tests/integration/callroute/test_soak.py

# The packages first, in a make of its own: what they bring is looked for when make starts.
test: ## everything that needs no container engine; installs what is missing, and says so
	@tests/packages.sh build run test lint
	@$(MAKE) --no-print-directory test-all

test-all: test-unit fuzz check-layers check-headers lint test-integration

test-debian13: ## build, load and test on Debian 13's Kamailio 6.0, in a container
	$(Q)tests/docker/run.sh trixie

##@ Run
demo: ## a real call, a stopped fraud, a stopped hijack; installs what is missing, and says so
	@tests/packages.sh build run demo
	@$(MAKE) --no-print-directory -j$$(nproc) modules
	@$(PYTHON) tests/demo/demo.py
