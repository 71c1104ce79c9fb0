# Two commands do everything, set-up included: `make demo` and `make test`. `make` alone lists the others.

SHELL := /bin/bash
PYTHON := .venv/bin/python
TRAIN_PYTHON := .venv-train/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long lint checkpoint sample clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do \
		printf '  make %-11s %s\n' "$$target" "$$text"; done

# An environment is made again when what it is made from changes, so a second call starts at once.
.venv/.ready: pyproject.toml setup_environments.sh
	@./setup_environments.sh core

.venv-train/.ready: pyproject.toml setup_environments.sh
	@./setup_environments.sh train

setup: .venv/.ready .venv-train/.ready  ## make the environments .venv and .venv-train

demo: .venv/.ready  ## embed and classify the sample scene into demo/
	@.venv/bin/gfm demo demo/

# Both suites always run; the exit code tells whether either failed.
test: setup  ## all tests but the long ones
	@status=0; \
	$(PYTHON) -m pytest || status=1; \
	$(TRAIN_PYTHON) -m pytest -m "train and not long" || status=1; \
	exit $$status

test-long: setup  ## the tests that take minutes
	@status=0; \
	$(PYTHON) -m pytest -m "long and not train" || status=1; \
	$(TRAIN_PYTHON) -m pytest -m "train and long" || status=1; \
	exit $$status

lint: .venv/.ready  ## ruff, mypy, and the import arrows
	@status=0; \
	.venv/bin/ruff check . || status=1; \
	.venv/bin/ruff format --check . || status=1; \
	.venv/bin/mypy || status=1; \
	.venv/bin/lint-imports || status=1; \
	exit $$status

checkpoint: .venv-train/.ready  ## train the default checkpoint (an hour): DATA=folder of rasters, into runs/default
	.venv-train/bin/gfm train $(or $(DATA),../shared/data) --config training/recipes/default.toml -o runs/default

sample: .venv/.ready  ## cut the sample scene again from its source
	$(PYTHON) training/sample/make_sample.py gfm_core/assets/sample

clean:  ## remove the environments and everything made
	rm -rf .venv .venv-train build dist demo *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
