# Tests. Unit tests and policies build without Kamailio; everything else runs a real one.

LIB_SRC := $(wildcard modules/lib/*.c)
# The policies: every module file that is not glue (checked by check-layers).
POLICY_SRC := $(filter-out %_mod.c %_cmd.c %_rpc.c %_db.c %_pv.c %_dlg.c %_ul.c %_msg.c,$(foreach m,$(MODULES),$(wildcard modules/$(m)/*.c)))
UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
UNIT_NAMES := $(UNIT_SRC:tests/unit/test_%.c=%)
PURE_CFLAGS := -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -pthread
ASAN_FLAGS := -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
T ?= $(UNIT_NAMES)
TSAN_TESTS := callroute_live_threads cells_procs store lease lease_procs ring ring_stress snapshot snapshot_stress statefile

# One set of rules per flavour: plain, asan, tsan.
define unit_flavour
$(BUILD)/unit-$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$$(call say,CC,$$@)
	$(Q)$(CC) $(PURE_CFLAGS) $(2) -Imodules -MMD -MP -c $$< -o $$@
$(BUILD)/unit-$(1)/test_%: $(BUILD)/unit-$(1)/tests/unit/test_%.o $(BUILD)/unit-$(1)/tests/unit/support.o $(patsubst %.c,$(BUILD)/unit-$(1)/%.o,$(LIB_SRC) $(POLICY_SRC))
	$$(call say,LD,$$@)
	$(Q)$(CC) $(PURE_CFLAGS) $(2) $$^ -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc -lcmocka -lical -lmaxminddb -lm -o $$@
-include $$(wildcard $(BUILD)/unit-$(1)/*/*/*.d)
endef
$(eval $(call unit_flavour,plain,))
$(eval $(call unit_flavour,asan,$(ASAN_FLAGS)))
$(eval $(call unit_flavour,tsan,-O1 -fsanitize=thread))
.SECONDARY:

##@ Tests
.PHONY: test-unit test-asan test-tsan
test-unit: $(T:%=$(BUILD)/unit-plain/test_%) ## unit tests (T="cells trie" picks some)
	@for t in $(T); do echo "== $$t"; $(BUILD)/unit-plain/test_$$t; done

test-tsan: $(TSAN_TESTS:%=$(BUILD)/unit-tsan/test_%) ## the tests with threads under ThreadSanitizer
	@for t in $(TSAN_TESTS); do echo "== $$t (tsan)"; $(BUILD)/unit-tsan/test_$$t; done

test-asan: $(T:%=$(BUILD)/unit-asan/test_%) ## the unit tests under ASan and UBSan
	@for t in $(T); do echo "== $$t (asan)"; $(BUILD)/unit-asan/test_$$t; done

# libFuzzer targets; each starts from its folder in tests/fuzz/corpus and keeps what it finds in build/.
FUZZ_NAMES := $(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
F ?= $(FUZZ_NAMES)
FUZZ_SEC ?= 10
FUZZ_FLAGS := -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -pthread -Imodules

$(BUILD)/fuzz/fuzz_%: tests/fuzz/fuzz_%.c $(LIB_SRC) $(POLICY_SRC) $(wildcard modules/*/*.h tests/fuzz/*.h)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang $(FUZZ_FLAGS) $< $(LIB_SRC) $(POLICY_SRC) -lical -lmaxminddb -lm -o $@

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
	$(Q)TOLLGATE_SOAK_RELOADS=$(SOAK_RELOADS) $(PYTHON) -m pytest -q -s tests/integration/test_callroute_soak.py

soak-asan: ## the same with our modules under AddressSanitizer
	$(Q)$(MAKE) --no-print-directory modules BUILD=$(BUILD)/asan MODULE_CFLAGS="-O1 -g -fsanitize=address -fno-omit-frame-pointer"
	$(Q)BUILD=$(BUILD)/asan TOLLGATE_SOAK_PRELOAD=$$($(CC) -print-file-name=libasan.so) \
		TOLLGATE_SOAK_RELOADS=$(SOAK_RELOADS) $(PYTHON) -m pytest -q -s tests/integration/test_callroute_soak.py

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
