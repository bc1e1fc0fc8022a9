# Two commands: `make run` and `make test`. `make help` lists the rest.
# The first that really runs: a name on the path may belong to a version manager that lacks it.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && command -v $$p && break; done)
VENV := .venv/bin
# Rounds of the nemesis that `make drill` plays.
ROUNDS ?= 100
# Files of tests that run at the same time.
AT_ONCE := -n 2 --dist loadfile
.DEFAULT_GOAL := help
.PHONY: help run test test-long drill prepare lint types python-test frontend-test e2e lock api bench bench-api bench-data bench-estimates bench-streaming bench-training clean

help:  ## this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

prepare: require-python
	@$(PYTHON) scripts/prepare.py run

.PHONY: require-python
require-python:
	@test -n "$(PYTHON)" || { echo "✖ Python 3.11 or newer is needed and was not found on PATH." >&2; exit 1; }

run: prepare  ## set up what is missing, start the platform, print its address
	@exec $(VENV)/easytune up

test: require-python  ## everything a change needs: linters, types, rules, tests, one browser story
	@$(PYTHON) scripts/prepare.py test
	@$(MAKE) --no-print-directory lint types python-test frontend-test e2e

test-long: require-python  ## drills and measurements that take longer
	@$(PYTHON) scripts/prepare.py test
	$(VENV)/python -m pytest -m "(long or hypothesis) and not drill and not e2e" --hypothesis-profile thorough --timeout 1200 $(AT_ONCE)
	$(VENV)/python -m pytest tests/e2e --timeout 1800 -m "e2e and long"

drill: require-python  ## kill, pause, cut and fill: the fault table with results, ROUNDS=100 of the nemesis
	@$(PYTHON) scripts/prepare.py test
	$(VENV)/python -m tests.drills.run --rounds $(ROUNDS) $(ARGS)

lint:  ## style and import rules
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/lint-imports --no-cache
	npm run --silent lint
	$(VENV)/python scripts/generate.py --check

types:  ## mypy and tsc
	$(VENV)/mypy
	npm run --silent types

python-test:
	$(VENV)/python -m pytest $(AT_ONCE)

frontend-test:
	npm run --silent test

e2e:
	$(VENV)/python -m pytest tests/e2e --timeout 1800 -m "e2e and not long"

api:  ## write what is generated from the code: OpenAPI, browser types, database schema
	$(VENV)/python scripts/generate.py

lock:  ## resolve the dependencies again
	$(VENV)/python scripts/lock.py

bench:  ## the figures in docs/benchmarks.md
	$(VENV)/python benchmarks/web.py

bench-estimates:  ## estimates of memory and time beside what runs took
	$(VENV)/python benchmarks/estimates.py

bench-api:  ## how lists and the overview answer 50 users at once, with 10,000 tasks
	$(VENV)/python benchmarks/api.py $(ARGS)

bench-data:  ## speed of imports, pages and searches of a million rows
	$(VENV)/python benchmarks/data.py $(ARGS)

bench-streaming:  ## floods, many readers and long logs
	$(VENV)/python benchmarks/streaming.py $(ARGS)

bench-training:  ## training speed beside other trainers; docs/performance.md tells how
	$(VENV)/python benchmarks/training.py $(ARGS)

clean:  ## remove environment and builds (never data)
	rm -rf .venv node_modules frontend/dist
