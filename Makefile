# Two commands do everything, set-up included: `make demo` and `make test`. `make` alone lists the others.

SHELL := /bin/bash
PYTHON := .venv/bin/python
TRAIN_PYTHON := .venv-train/bin/python

# QGIS finds its Python through PATH, so it gets a PATH without anybody's environments; the worker's is told in full.
QGIS_ENV := env -u VIRTUAL_ENV -u PYTHONHOME -u PYTHONPATH PATH=/usr/local/bin:/usr/bin:/bin
QGIS_TESTS := $(QGIS_ENV) QT_QPA_PLATFORM=offscreen GFM_WORKER_PYTHON=$(CURDIR)/$(PYTHON) \
	$(CURDIR)/.venv-qgis/bin/python -m pytest tests/qgis
# Said last, where it is seen; CI is no exception.
SAY_WITHOUT_QGIS = [ ! -f .venv-qgis/absent ] || echo "QGIS tests skipped: $$(cat .venv-qgis/absent)"

.DEFAULT_GOAL := help
.PHONY: help setup demo docs plugin translations wheelhouse test test-qgis test-long fuzz lint checkpoint sample
.PHONY: screenshots clean

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r target text; do \
		printf '  make %-12s %s\n' "$$target" "$$text"; done

# An environment is made again when what it is made from changes, so a second call starts at once.
.venv/.ready: pyproject.toml setup_environments.sh
	@./setup_environments.sh core

.venv-train/.ready: pyproject.toml setup_environments.sh
	@./setup_environments.sh train

# A machine without QGIS (exit code 3) is no failure: everything else works there.
.venv-qgis/.ready: pyproject.toml setup_environments.sh
	@./setup_environments.sh qgis || [ $$? = 3 ]

.venv-docs/.ready: pyproject.toml setup_environments.sh
	@./setup_environments.sh docs

setup: .venv/.ready .venv-train/.ready .venv-qgis/.ready  ## make the environments .venv, .venv-train and .venv-qgis

demo: .venv/.ready  ## embed and classify the sample scene into demo/
	@.venv/bin/gfm demo demo/
	@.venv/bin/gfm doctor --for-qgis || true

plugin: .venv/.ready  ## the QGIS plugin: dist/jepa_gfm-VERSION.zip
	@$(PYTHON) build_plugin.py --tools && $(PYTHON) build_plugin.py

translations: .venv/.ready  ## every language of the plugin in step with its sentences, and compiled
	@$(PYTHON) build_plugin.py --tools && $(PYTHON) build_translations.py

# Not with --quiet, which hides warnings from --strict. The variable silences news of its makers.
docs: .venv-docs/.ready  ## the documentation as a site: site/index.html
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict

wheelhouse: .venv/.ready  ## all packages as wheels for this kind of computer: dist/wheelhouse, for a set-up offline
	@$(PYTHON) build_wheelhouse.py

# All suites always run; the exit code tells whether any failed.
test: setup  ## all tests but the long ones
	@status=0; \
	$(PYTHON) -m pytest || status=1; \
	$(TRAIN_PYTHON) -m pytest -m "train and not long" || status=1; \
	if [ -f .venv-qgis/.ready ]; then $(MAKE) --no-print-directory test-qgis || status=1; fi; \
	$(SAY_WITHOUT_QGIS); \
	exit $$status

test-qgis: .venv-qgis/.ready plugin  ## the tests inside QGIS alone
	@rm -rf tests/qgis/.qgis-settings  # pytest-qgis keeps the profile of its last run
	@if [ -f .venv-qgis/.ready ]; then $(QGIS_TESTS); else $(SAY_WITHOUT_QGIS); fi

test-long: setup  ## the tests that take minutes
	@status=0; \
	$(PYTHON) -m pytest -m "long and not train" || status=1; \
	$(TRAIN_PYTHON) -m pytest -m "train and long" || status=1; \
	if [ -f .venv-qgis/.ready ]; then \
		$(QGIS_TESTS)/test_everywhere.py -m "long or not long" || status=1; \
		$(QGIS_TESTS) -m long --ignore=tests/qgis/test_everywhere.py || status=1; \
	fi; \
	exit $$status

fuzz: .venv/.ready  ## 10 000 damaged inputs for every reader of ours (minutes)
	GFM_FUZZ=10000 $(PYTHON) -m pytest tests/faults/test_fuzz.py

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

screenshots: .venv-qgis/.ready .venv/.ready  ## pictures of QGIS with the sample's map: docs/pictures/qgis_*.png
	@$(PYTHON) docs/pictures/qgis_screenshots.py

clean:  ## remove the environments and everything made
	rm -rf .venv .venv-train .venv-qgis .venv-docs build dist site demo *.egg-info .mypy_cache .ruff_cache \
		.pytest_cache .hypothesis .import_linter_cache tests/qgis/.pytest_cache tests/qgis/.qgis-settings \
		qgis_plugin/i18n/*.qm
