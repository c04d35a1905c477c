# Tsunagi: everything a newcomer types. `make` alone prints this list.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=
# one more than there are cores: a test that waits for a process or a browser leaves its core to another
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1); [ $$n -gt 5 ] && n=5; expr $$n + 1)

# a hub is several processes of the same modules, started again and again: compiled once, they start sooner
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo play test test-unit pictures sure format lint types contracts bench lock clean

help: ## print this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

# ── setting up: nothing but hashed packages, into a folder of our own ──
# --no-deps: the hashed files name everything, and pip's resolver must not look for newer releases of what an
# extra names (an older pip then refuses the whole file); a gap in them is found by `pip check`.
$(VENV)/run.stamp: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Tsunagi needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 …") if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.txt $(VENV)/run.stamp
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip check --quiet --disable-pip-version-check
	@touch $@

# ── seeing it work ──
demo: $(VENV)/run.stamp ## a hub and four agencies from nothing; two stories step by step; stays up
	@$(BIN)/python -m deploy.demo $(ARGS)

play: $(VENV)/run.stamp ## play a scenario: make play SCENARIO=FILE [ARGS=--json]
	@$(BIN)/python -m deploy.play "$(SCENARIO)" $(ARGS)

# ── testing ──
test: $(VENV)/dev.stamp ## every test
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope $(ARGS)

test-unit: $(VENV)/dev.stamp ## the tests that need no server
	@$(BIN)/python -m pytest -n $(WORKERS) tests/consent tests/house $(ARGS)

pictures: $(VENV)/dev.stamp ## look at every page closely and keep a picture of each: var/pages/index.html
	@TSUNAGI_LOOK_CLOSELY=1 $(BIN)/python -m pytest -n 1 tests/pages/test_every_page.py tests/pages/test_console.py tests/pages/test_intake_form.py tests/journeys/test_thirteen_steps.py $(ARGS)

sure: format lint types contracts test ## format, lint, types, contracts, tests

format: $(VENV)/dev.stamp ## put the code in order
	@$(BIN)/ruff format .

lint: $(VENV)/dev.stamp ## read the code for mistakes
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .

types: $(VENV)/dev.stamp ## mypy, strict
	@$(BIN)/mypy

contracts: $(VENV)/dev.stamp ## who may import whom
	@$(BIN)/lint-imports

bench: $(VENV)/dev.stamp ## measure; see docs/performance.md
	@$(BIN)/python -m bench $(ARGS)

# ── housekeeping ──
lock: $(VENV)/dev.stamp ## write the hashed requirements anew (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --extra hub --extra agency --extra desk --extra embedded --output-file requirements.txt pyproject.toml requirements.in
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" --extra hub --extra agency --extra desk --extra embedded --group dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml requirements.in

clean: ## remove what was made here
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .demo
