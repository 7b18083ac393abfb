# One line for every target: `make` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
FUZZ_SECONDS ?= 30
BENCH_OPTIONS ?=
GATEHOUSE := .build/release/gatehouse
CHECKED := --explicit-target-dependency-import-check error

# What is done here is done to this folder, also on a machine where the package is installed.
export GATEHOUSE_CONFIG :=

.PHONY: help run dev build deb test lint format fuzz bench db-migrate db-reset db-shell env-check install-hooks clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-14s %s\n", $$1, $$2 }'

run: build ## Install what is missing, build the release binary, and serve on http://127.0.0.1:8080
	exec $(GATEHOUSE) serve $$(scripts/env-file)

dev: ## Build for debugging, and serve with readable logs
	scripts/require-swift
	scripts/install-packages build
	swift build --product gatehouse $(CHECKED)
	exec .build/debug/gatehouse serve $$(scripts/env-file) --log-format text --log-level debug

build: ## Leave the stripped release binary at .build/release/gatehouse
	scripts/build-release

deb: build ## Make the Debian package, dist/gatehouse_VERSION_ARCH.deb
	scripts/build-deb

test: ## Prove everything: lint, unit and scenario tests, the release binary from outside
	scripts/test

lint: ## Check formatting, scripts and Python, and that the imports go down only
	scripts/lint

format: ## Format the Swift sources in place
	swift format --in-place --parallel --recursive Package.swift Sources Tests Benchmarks Fuzzing

fuzz: ## Fuzz every parser of outside input, FUZZ_SECONDS (30) each
	scripts/require-swift
	scripts/install-packages build
	scripts/fuzz $(FUZZ_SECONDS)

bench: build ## Measure against PocketBase, nginx, Caddy, Traefik and itself, and write the tables into Benchmarks/README.md
	scripts/install-packages bench
	Benchmarks/run $(BENCH_OPTIONS)

db-migrate: build ## Bring the database of the configuration to the newest schema
	$(GATEHOUSE) migrate up $$(scripts/env-file)

db-reset: ## Delete the development database in ./gatehouse-data (asks first)
	scripts/db-reset

db-shell: ## Open the development database in sqlite3, read-only
	scripts/install-packages test
	sqlite3 -readonly -header -column "$${GATEHOUSE_DATA_DIR:-gatehouse-data}/gatehouse.db"

env-check: build ## Check the configuration and .env: every fault at once
	$(GATEHOUSE) check $$(scripts/env-file)

install-hooks: ## Lint before every commit from now on
	scripts/install-hooks

clean: ## Delete what was built; data stays
	rm -rf .build .build-fuzz .venv .venv-bench Benchmarks/results dist
	find . -name __pycache__ -prune -exec rm -rf {} +
