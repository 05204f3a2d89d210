# Every task of this project. `make` alone lists them.
PYTHON ?= python3
export PYTHON
BIN := .venv/bin
JOBS ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
# More words for pytest: make test ARGS='-k refresh -x'
ARGS ?=
PYTEST := $(BIN)/python -m pytest -n $(JOBS)
# libatomic1 is what the program needs that drives Chromium.
TESTED_WITH := chromium libatomic1 curl postgresql nginx
STYLELINT := tests/house/node_modules/.bin/stylelint
LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-header --extra server --extra postgres setup.cfg requirements-build.in

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

.PHONY: help
help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: .venv/run-set ## Make .venv with what the server needs to run
.PHONY: run
run: .venv/run-set ## Start the server for development (PORT and IDP_DATA_DIR are honoured)
	@$(BIN)/idp dev

.PHONY: test
test: .venv/dev-set ## Run the tests, without the slow ones
	@.ci/need $(TESTED_WITH)
	$(PYTEST) -m "not slow" $(ARGS)

.PHONY: test-slow
test-slow: .venv/dev-set ## Run the slow tests: PostgreSQL in full, storms, kills
	@.ci/need $(TESTED_WITH) faketime
	$(PYTEST) -m slow $(ARGS)

.PHONY: check
check: .venv/dev-set $(STYLELINT) ## Lint, types, layers, ceilings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint --lint --quiet templates
	$(STYLELINT) --config tests/house/stylelint.config.mjs "static/**/*.css"
	$(PYTEST) tests/house

.PHONY: format
format: .venv/dev-set ## Format the Python code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: docs
docs: .venv/dev-set ## Write docs/reference/ anew: settings and commands
	$(BIN)/python -m tests.house.reference

.PHONY: translations
translations: .venv/dev-set ## Bring the catalogs of idp/translations up to date
	$(BIN)/python -m tests.house.catalogs

.PHONY: screenshots
screenshots: .venv/dev-set ## Take the pictures of docs/screenshots/ anew
	@.ci/need $(TESTED_WITH)
	DOORWARD_SCREENSHOTS=1 $(BIN)/python -m pytest tests/pages_live $(ARGS)

.PHONY: bench
bench: .venv/dev-set ## Measure the hot endpoints against a bare Flask application
	@.ci/need wrk
	$(BIN)/python -m bench $(ARGS)

.PHONY: compose-test
compose-test: .venv/dev-set ## Build and start docker-compose.yml, sign in, clean up
	tests/compose/run

.PHONY: lock
lock: .venv/dev-set ## Write the lock files anew from setup.cfg and requirements-*.in
	$(LOCK) -o requirements.txt
	$(LOCK) requirements-dev.in -c requirements.txt -o requirements-dev.txt
	@.ci/need npm
	cd tests/house && npm install --package-lock-only --loglevel=error

.PHONY: clean
clean: ## Remove build output and caches (not .venv, not your data)
	rm -rf build dist *.egg-info tests/house/node_modules \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# Two stamps: the server's packages, and on top of them what contributors need.
# The project itself is installed without build isolation, so that nothing unpinned is fetched.
define install
	@echo "Installing $(1) into .venv"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation -e .
	@touch $@
endef

.venv/run-set: requirements.txt setup.cfg | $(BIN)/pip
	$(call install,requirements.txt)

.venv/dev-set: requirements-dev.txt setup.cfg | $(BIN)/pip
	$(call install,requirements-dev.txt)

$(BIN)/pip:
	@.ci/need python
	@$(PYTHON) -m venv .venv

$(STYLELINT): tests/house/package-lock.json
	@.ci/need npm
	@cd tests/house && npm ci --loglevel=error
	@touch $@
