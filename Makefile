# Every target installs what it needs into .venv first.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
PORT ?= 8000
SIZE ?= small
SECONDS ?= 60
DATA ?= .gateway
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
GRAPHIQL := src/gateway/web/graphiql
# A file of tests is one process's, and rooms are taken in turn: what is made once for a room is seldom made twice.
SIDE_BY_SIDE := --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help demo test coverage test-slow stress lint types schema bench bench-large docs clean install install-dev

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## Serve a dashboard of made-up data on an embedded PostgreSQL  [PORT=8000 SIZE=small|medium|large DATA=.gateway]
	@exec $(BIN)/gateway demo --port $(PORT) --size $(SIZE) --data $(DATA)

test: install-dev ## Run the tests, on PostgreSQLs and Redises that they start themselves  [WORKERS=2]
	$(BIN)/pytest $(SIDE_BY_SIDE)

coverage: install-dev ## Run the tests and count covered lines, which takes twice as long
	$(BIN)/pytest $(SIDE_BY_SIDE) --cov=gateway --cov=loaders --cov-report=term:skip-covered --cov-fail-under=90

test-slow: install-dev ## Run the long proofs
	$(BIN)/pytest -m slow

stress: install-dev ## Prove rollups and kept answers under writers, old snapshots, faults and kills  [SECONDS=60 SEED=n]
	$(BIN)/python -m tests.stress --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))
	$(BIN)/python -m tests.stress.answers --seconds $(SECONDS) $(if $(SEED),--seed $(SEED))

lint: install-dev ## Check style, formatting and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: install-dev ## Check types
	$(BIN)/mypy

schema: install ## Write schema.graphql from the code
	$(BIN)/gateway schema > schema.graphql

bench: install-dev ## Measure speed beside a plain Strawberry server, the cache beside two of Node; keeps its data in benchmarks/.data
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.costs --data benchmarks/.data
	$(BIN)/python -m benchmarks.rollups

bench-large: install-dev ## Measure rollups over 10 million deals, copied from those of bench; takes 40 GB in benchmarks/.data
	$(BIN)/python -m benchmarks.rollups --size large

docs: install-dev ## Write the generated parts of docs/ from the code
	$(BIN)/python scripts/write_docs.py

clean: ## Remove everything that was installed, built or cached; demo data stays
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov
	rm -rf $(GRAPHIQL)/dist $(GRAPHIQL)/node_modules tests/clients/node_modules tests/web/audits/node_modules benchmarks/peers/node_modules

install: $(VENV)/.installed $(GRAPHIQL)/dist
install-dev: $(VENV)/.installed-dev $(GRAPHIQL)/dist

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements-build.lock requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-build.lock -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(GRAPHIQL)/dist: $(VENV)/.installed $(wildcard $(GRAPHIQL)/src/* $(GRAPHIQL)/src/*/*) $(GRAPHIQL)/package-lock.json $(GRAPHIQL)/build.mjs
	$(BIN)/python scripts/build_graphiql.py
	@touch $@
