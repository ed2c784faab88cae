# The routing decision as a program for tests/oracle/*.py, plain and under ASan and UBSan.
# Read once, whether the Makefile includes it or it is named beside the Makefile.
ifndef ORACLE_SRC
ORACLE_SRC := tests/oracle/decide.c tests/oracle/lookups.c tests/oracle/rows.c
ORACLE_CASES ?= 100000

define oracle_flavour
$(BUILD)/oracle/decide-$(1): $(patsubst %.c,$(BUILD)/unit-$(1)/%.o,$(ORACLE_SRC) $(LIB_SRC) $(PURE_SRC))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$(Q)$(CC) $(PURE_CFLAGS) $(2) $$^ -lical -lmaxminddb -lm -o $$@
endef
$(eval $(call oracle_flavour,plain,))
$(eval $(call oracle_flavour,asan,$(ASAN_FLAGS)))

##@ Tests
.PHONY: test-oracle test-oracle-asan
test-oracle: $(BUILD)/oracle/decide-plain ## routing decisions against an oracle in Python (ORACLE_CASES=100000)
	$(Q)cd tests && $(PYTHON) -m oracle.compare --cases $(ORACLE_CASES) --decide $(abspath $<)

test-oracle-asan: $(BUILD)/oracle/decide-asan ## the same under ASan and UBSan
	$(Q)cd tests && $(PYTHON) -m oracle.compare --cases $(ORACLE_CASES) --decide $(abspath $<)
endif
