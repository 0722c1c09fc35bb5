# The one door for every task. `make run` and `make test` work on a fresh clone with Python 3.11+,
# Node 20+ and make; stamp files in .stamps/ make every later call start in seconds.

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
STAMPS := .stamps
FRONT := model_heritage_frontend
PNPM := npx -y pnpm@12.21.0 -C $(FRONT)
FRONT_SOURCES := $(shell find $(FRONT) -path $(FRONT)/node_modules -prune -o -path $(FRONT)/dist -prune -o -path $(FRONT)/dist-report -prune -o -type f -print 2>/dev/null)

POSTGRES_TESTS := tests/models tests/jobs tests/services tests/routes tests/client tests/test_app.py \
	tests/test_migrations.py tests/test_scale_out.py tests/test_object_storage.py \
	tests/test_security.py tests/test_contract.py
# What needs no server, and the other half, which waits for one most of the time. The longest come
# last: a slow machine may leave them out.
ENGINE_TESTS := tests/clustering tests/fingerprints tests/weights tests/interop tests/scanning tests/benchmarks
LONG_TESTS := tests/browser tests/chaos tests/test_contract.py
SERVER_TESTS := $(filter-out $(ENGINE_TESTS) $(LONG_TESTS) tests/cache tests/__pycache__, \
	$(wildcard tests/test_*.py) $(patsubst %/,%,$(wildcard tests/*/))) $(LONG_TESTS)

.DEFAULT_GOAL := help
.PHONY: help setup run dev wheel test test-back test-engine test-server test-postgres test-front chaos-short lint audit bench bench-accuracy bench-unrelated bench-speed bench-scale-out bench-page bench-tree demo clean

help: ## Show what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: $(STAMPS)/python-dev $(STAMPS)/front ## Only install, for running, testing and developing

.PHONY: prepare
prepare: setup $(STAMPS)/dist # Everything that tests stand on

run: $(STAMPS)/python $(STAMPS)/dist ## Serve UI and API on http://localhost:5001
	@$(PY) run_server.py

dev: $(STAMPS)/python $(STAMPS)/front ## Serve the API on 5001 and the UI with live reload on 5173
	@trap 'kill 0' EXIT INT TERM; $(PY) run_server.py & $(PNPM) run dev

wheel: $(STAMPS)/python $(STAMPS)/dist ## Build dist/model_heritage-*.whl, the interface in it
	rm -rf build
	$(PY) -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

test: test-back test-front ## All tests, back and front

test-back: test-engine test-server

test-engine: $(STAMPS)/python-dev $(STAMPS)/dist
	$(PY) -m pytest $(ENGINE_TESTS)

test-server: $(STAMPS)/python-dev $(STAMPS)/dist
	$(PY) -m pytest $(SERVER_TESTS)

test-postgres: $(STAMPS)/python-dev ## The tests that touch the database, on a real PostgreSQL
	MODEL_HERITAGE_TEST_DATABASE=postgresql $(PY) -m pytest $(POSTGRES_TESTS)

test-front: $(STAMPS)/front
	$(PNPM) run test

lint: $(STAMPS)/python-dev $(STAMPS)/front ## Style, types and import contracts
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(PNPM) run lint

audit: $(STAMPS)/python-dev ## Known vulnerabilities of dependencies, where the advisories can be reached
	$(PY) .ci/audit

bench: $(STAMPS)/python-dev ## Speed and size beside peers and limits: ARGS="--models 100000 --parts lakes"
	$(PY) -m benchmarks.scale $(ARGS)

bench-accuracy: $(STAMPS)/python-dev ## Accuracy beside MoTHer on trained zoos: SEEDS="81 82" KINDS="wild missing"
	$(PY) -m benchmarks.accuracy $(if $(SEEDS),--seeds $(SEEDS)) $(if $(KINDS),--kinds $(KINDS))

bench-unrelated: $(STAMPS)/python-dev ## False family links among 100,000 unrelated pairs
	$(PY) -m benchmarks.unrelated

bench-speed: $(STAMPS)/python-dev ## Seconds for one more model and for a family of 1,000
	$(PY) -m benchmarks.speed

bench-scale-out: $(STAMPS)/python-dev $(STAMPS)/dist ## Two servers and two workers under 32 uploads at once
	$(PY) -m benchmarks.scale_out

bench-page: $(STAMPS)/python $(STAMPS)/dist ## First paint and interactions with 10,000 models in the lake
	$(PY) -m benchmarks.page

bench-tree: $(STAMPS)/front ## Drawing family trees of 1,000 to 20,000 beside vis-network and React Flow
	node $(FRONT)/bench/run.mjs

.PHONY: chaos
chaos-short: $(STAMPS)/python-dev ## Twenty random deaths of a server, as in CI
	CHAOS_SHORT=1 $(PY) -m pytest tests/chaos/test_campaign.py

chaos: $(STAMPS)/python-dev ## Kill the server 200 times while 16 clients use it, and judge it after every restart
	CHAOS=full $(PY) -m pytest tests/chaos
	$(PY) -m tests.chaos $(KILLS)

.PHONY: soak
soak: $(STAMPS)/python-dev ## 20,000 random operations by 8 clients, memory and open files recorded
	$(PY) -m tests.chaos.soak $(SOAK)

demo: $(STAMPS)/python ## Fill the running server with a small real family and show its tree
	$(PY) -m benchmarks.demo

.PHONY: settings
settings: $(STAMPS)/python ## Write the tables of settings into README.md and docs/settings.md
	PYTHONPATH=. $(PY) docs/site/write_settings.py

.PHONY: docs
docs: $(STAMPS)/python-dev ## Build the documentation in site/, without a network
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet

clean: ## Remove what was installed and built (never the data in uploads/)
	rm -rf $(VENV) $(STAMPS) $(FRONT)/node_modules $(FRONT)/dist $(FRONT)/dist-report

.PHONY: uninstall
uninstall: ## Remove what was installed and built, and say what is left (the data, above all)
	@if [ -x $(PY) ]; then $(PY) -m model_heritage_backend.cli.uninstall; fi
	@$(MAKE) --no-print-directory clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(STAMPS)/python: requirements.txt constraints.txt | $(VENV)/bin/python
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/python-dev: requirements-dev.txt $(STAMPS)/python
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/front: $(FRONT)/package.json $(FRONT)/pnpm-lock.yaml
	$(PNPM) install --frozen-lockfile
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/dist: $(STAMPS)/front $(FRONT_SOURCES)
	$(PNPM) run build
	@mkdir -p $(STAMPS) && touch $@
