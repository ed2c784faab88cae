# The edge on loopback; cfg/README.md lists the variables.

##@ Run
.PHONY: run
run: ## start rtpengine and Kamailio on loopback, in the foreground
	@BUILD=$(abspath $(BUILD)) PYTHON=$(PYTHON) cfg/run.sh
