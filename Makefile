# tollgate: `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules

BUILD ?= build
PYTHON ?= /usr/bin/python3
ifeq ($(origin CC),default)
CC := gcc
endif
MODULES := callroute fraudguard regguard

# One short line a step; V=1 shows the commands.
Q := $(if $(V),,@)
say = @$(if $(V),:,printf '  %-5s %s\n' $(1) $(2))

include modules/make/modules.mk
include db/db.mk
include cfg/run.mk
include tests/tests.mk
include tests/oracle/oracle.mk
include tests/lint.mk
include tests/bench/bench.mk

##@ General
.PHONY: help clean
help: ## this list
	@awk -f modules/make/help.awk $(MAKEFILE_LIST)

clean: ## remove everything that was built
	rm -rf $(BUILD)
