# Benchmarks: a module that runs beside the stock ones in a stock Kamailio, and
# programs that measure the library alone. Nothing of it is installed.

BENCH_DIR := $(BUILD)/bench
BENCH_SRC := $(sort $(wildcard tests/bench/tgbench*.c))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BENCH_DIR)/%,$(sort $(wildcard tests/bench/lib_*.c tests/bench/policy_*.c)))
BENCH_OBJ := $(BENCH_SRC:tests/bench/%.c=$(BENCH_DIR)/obj/%.o)

$(BENCH_DIR)/obj/%.o: tests/bench/%.c $(KSR_DEFS)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(KSR_FLAGS) -DMOD_NAME='"tgbench"' -MMD -MP -c $< -o $@

$(BENCH_DIR)/modules/tgbench.so: $(BENCH_OBJ) $(LIB_ARCHIVE) modules/make/exports.map
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(MODULE_CFLAGS) -pthread -Wl,--version-script=modules/make/exports.map -Wl,-Bsymbolic \
		$(BENCH_OBJ) $(LIB_ARCHIVE) $(SRDB1) $(SRDB1:%=-Wl,-rpath,$(dir $(SRDB1))) -Wl,--as-needed $(LIB_LIBS) -ldl -lm -o $@

$(BENCH_DIR)/lib_%: tests/bench/lib_%.c tests/bench/libbench.h $(LIB_ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(PURE_FLAGS) $< $(LIB_ARCHIVE) -Wl,--as-needed $(LIB_LIBS) -lical -lmaxminddb -lm -o $@

# A policy needs no Kamailio.
$(BENCH_DIR)/policy_load: tests/bench/policy_load_rows.h
CALLROUTE_POLICY := $(call pure_src,callroute)
$(BENCH_DIR)/policy_%: tests/bench/policy_%.c $(CALLROUTE_POLICY) $(LIB_ARCHIVE)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(PURE_FLAGS) $< $(CALLROUTE_POLICY) $(LIB_ARCHIVE) -Wl,--as-needed $(LIB_LIBS) -lical -lmaxminddb -lm -o $@
-include $(wildcard $(BENCH_DIR)/obj/*.d)

##@ Benchmarks
.PHONY: bench bench-all
# The packages first, in a make of its own, as for `make test`; a misspelt part before all.
PARTS ?=
bench: ## side by side with the stock modules (PARTS="decision calls" picks some); installs what is missing, and says so
	@$(if $(PARTS),BUILD=$(BUILD) $(PYTHON) tests/bench/bench.py --check $(PARTS))
	@tests/packages.sh build run test bench
	@$(MAKE) --no-print-directory bench-all

bench-all: modules db-sql $(BENCH_DIR)/modules/tgbench.so $(BENCH_PROGRAMS)
	@BUILD=$(BUILD) $(PYTHON) tests/bench/bench.py $(PARTS)
