# Two commands matter: `make demo` shows what keeptime does, `make test` proves it.
SHELL := /bin/bash
PY ?= python3
BIN := .venv/bin
# The tests wait far more than they compute, so more workers than cores help.
WORKERS ?= 8

.PHONY: help setup servers demo test check bench soak audit presets lock format clean

help:            ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / — /'

setup: .venv/.ready   ## build .venv from the hash-pinned lock

.venv/.ready: requirements.lock pyproject.toml
	@scripts/setup $(PY)

servers:         ## Prometheus, Alertmanager, blackbox_exporter, PostgreSQL, Chromium from Debian's packages
	@scripts/servers

demo: setup      ## a model, a contract, a fault, an alert: two minutes (KEEP=1 leaves it up)
	@$(BIN)/keeptime demo $(if $(KEEP),--keep,)

# First all is compiled, sources and tests, so that neither workers nor the hundreds of processes that tests start do so
# one by one (where Python is told to keep nothing that it compiled, each of them would).
test: setup servers   ## every test
	@$(BIN)/python -m compileall -q -j 0 src examples
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pytest --collect-only -qq >/dev/null 2>&1 || true
	@scripts/again 'not soak and not serial' '-n $(WORKERS) --dist worksteal' $(PYTEST_ARGS)
	@scripts/again 'serial and not soak' '-n 2 --dist loadfile' $(PYTEST_ARGS)

check: setup servers  ## format, lint, strict types, import directions, tests
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory test

bench: setup servers  ## every performance claim beside its peer; writes out/bench/*.json
	@$(BIN)/python -m bench.all $(BENCH_ARGS)

soak: setup servers   ## the tests that take minutes
	@scripts/tools || echo "make soak: no fuzzer; its tests are skipped" >&2
	@$(BIN)/python -m pytest -m soak -s --timeout 3600 $(PYTEST_ARGS)

presets:         ## record the metrics of real model servers anew, where their packages can be had
	@scripts/record-presets

audit: setup     ## known weaknesses of the locked packages (asks the network; not part of test)
	@scripts/tools && $(BIN)/python -m pip_audit --strict --require-hashes --disable-pip --progress-spinner off \
	  -r requirements.lock || { echo "make audit: a weakness was found, or the advisories of a package could not be" \
	  "read (no network, or a mirror without them): then nothing is proven" >&2; exit 1; }

lock: setup      ## pin the newest allowed versions with hashes; names no registry
	@$(BIN)/python -m pip install -q uv && $(BIN)/uv pip compile -q pyproject.toml --group dev --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --custom-compile-command "make lock" -o requirements.lock
	@$(BIN)/uv pip compile -q --group pyproject.toml:tools -c requirements.lock --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" -o requirements.tools.lock

format: setup    ## let ruff write the code the house's way
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean:           ## what the targets above have built
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache out bench/.build
