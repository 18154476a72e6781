# Every target sets up what it needs first; the second run is quick.
.DEFAULT_GOAL := help
.PHONY: help setup test check demo docs bench clean

# Two workers by default; a test file stays on one of them, so that a process it starts serves the whole file.
JOBS ?= 2
ARGS ?=
PYTEST := .venv/bin/pytest -n $(JOBS) --dist loadfile $(ARGS)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## the environment: Debian packages (as root), .venv, the other stacks that the tests talk to
	@scripts/setup

test: setup ## every test; ARGS="-k words" chooses some, JOBS=4 uses more processes
	$(PYTEST)

check: setup ## the whole gate: format, lint, types, tests
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	$(PYTEST)

demo: setup ## the gateway, three SMSCs and an ESME at work, in about a minute; with HTTPS carriers: ARGS=--carriers
	.venv/bin/smppgw demo $(ARGS)

docs: setup ## the reference of the config, and all of docs/ as a site in site/
	.venv/bin/python scripts/reference.py
	NO_MKDOCS_2_WARNING=1 .venv/bin/mkdocs build --quiet
	@echo "open site/index.html"

bench: setup ## speed and memory, beside other gateways; twenty minutes, or four with QUICK=1; see benchmarks/README.md
	.venv/bin/python -m benchmarks $(if $(QUICK),--quick) $(ARGS)

clean: ## removes what setup and the tests made
	rm -rf .venv tests/interop/node/node_modules build dist data site *.egg-info
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
