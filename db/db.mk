# The database. SQLite in one file, or a MySQL/MariaDB server; see db/README.md.
DB ?= sqlite
DB_PATH ?= $(BUILD)/run/tollgate.sqlite
DEMO ?= 1
DEMO_DOMAIN ?= 127.0.0.1
DEMO_TRUNK_DEAD ?= sip:127.0.0.1:5091
DEMO_TRUNK_GOOD ?= sip:127.0.0.1:5090
export DB DB_PATH DB_HOST DB_PORT DB_SOCKET DB_USER DB_PASSWORD_FILE DB_NAME FORCE KAMAILIO_SQL

DB_DEMO_1 = --demo --set domain=$(DEMO_DOMAIN) --set trunk_dead=$(DEMO_TRUNK_DEAD) --set trunk_good=$(DEMO_TRUNK_GOOD)
DB_SCHEMA := $(wildcard db/schema/*.toml)

##@ Database
.PHONY: db db-check db-sql
db: ## create the database with demo data (DB=sqlite|mysql, DEMO=0, FORCE=1)
	@$(PYTHON) db/create.py $(DB_DEMO_$(DEMO))

db-check: ## does the database fit this release?
	@$(PYTHON) db/create.py --check

db-sql: $(BUILD)/db/stamp ## the SQL of our tables alone, for an existing Kamailio database
$(BUILD)/db/stamp: db/schema/generate.py $(DB_SCHEMA)
	$(PYTHON) db/schema/generate.py --out $(BUILD)/db
	@touch $@
