# tollgate: `make help` lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules

BUILD ?= build
PYTHON ?= /usr/bin/python3
CC ?= gcc
MODULES := callroute fraudguard regguard

include modules/build/modules.mk
include db/db.mk
include tests/tests.mk

##@ General
.PHONY: help clean
help: ## this list
	@awk -f modules/build/help.awk $(MAKEFILE_LIST)

clean: ## remove everything that was built
	rm -rf $(BUILD)
