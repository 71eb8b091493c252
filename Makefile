.DEFAULT_GOAL := help
PY := .venv/bin/python
.PHONY: help setup setup-dev run demo test check bench clean

help:
	@echo "make run    set up, then a whole Carepost with the sandbox world"
	@echo "make demo   the main job on a throwaway home, under a minute"
	@echo "make test   set up, then every test (SQLite and PostgreSQL)"
	@echo "make check  format, lint, types, imports, sizes, migrations, fast tests"
	@echo "make bench  Carepost against Postfix, in one run"

.venv/core.stamp: requirements/core.txt pyproject.toml
	@sh tools/setup.sh core
.venv/dev.stamp: requirements/dev.txt pyproject.toml
	@sh tools/setup.sh dev

setup: .venv/core.stamp
setup-dev: .venv/dev.stamp

run: setup
	@.venv/bin/carepost up --sandbox
demo: setup
	@.venv/bin/carepost demo
test: setup-dev
	@sh tools/test.sh
check: setup-dev
	@sh tools/check.sh
bench: setup-dev
	@$(PY) bench/run.py
clean:
	rm -rf .venv build
