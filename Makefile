# The commands of this repository. `make help` lists them.
PYTHON ?= python3
VENV := .venv
PEERS_VENV := .venv-bench
BIN := $(VENV)/bin
NODE := tests/clients/node
FUZZ ?= 200
ROUNDS ?= 1
KEEP ?=

.PHONY: help run test fuzz cluster bench check postman postman-collection packages clean pins

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

run: $(VENV)/runtime ## start the service: tables, keys, first administrator, then gunicorn in the foreground
	@$(BIN)/flask --app wsgi prepare && exec $(BIN)/gunicorn -c config/gunicorn.py

test: packages $(VENV)/development $(VENV)/node ## every test, with a PostgreSQL of its own
	@$(BIN)/python -m pytest -n auto --dist loadgroup

fuzz: packages $(VENV)/development ## ask every operation for things by chance, at length: FUZZ=500 of each
	@FUZZ=$(FUZZ) $(BIN)/python -m pytest tests/security/test_fuzzing.py

cluster: packages $(VENV)/development ## authsvc on a PostgreSQL cluster whose primary is killed under load: ROUNDS=3 of it; KEEP=1 keeps it up
	@ROUNDS=$(ROUNDS) KEEP=$(KEEP) $(BIN)/python -m tests.cluster

bench: $(VENV)/development $(PEERS_VENV)/peers ## measure it beside its peers (25 minutes) and write docs/benchmarks.md
	@PYTHON="$(PYTHON)" .ci/packages wrk
	@$(BIN)/python -m bench

check: $(VENV)/development ## lint, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

postman: $(VENV)/development $(VENV)/node ## run the Postman collection against a fresh service, in both transports
	@$(BIN)/python -m tests.postman

postman-collection: $(VENV)/runtime ## write the Postman collection from its source
	@$(BIN)/python -m clients.postman.source

packages: ## install the Debian packages that tests need, where they are missing
	@PYTHON="$(PYTHON)" .ci/packages

pins: $(VENV)/development ## pin the newest versions of everything, with hashes
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --universal --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --quiet pyproject.toml -o requirements.txt
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --universal --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --quiet --group dev -c requirements.txt -o requirements-dev.txt
	@UV_PYTHON_DOWNLOADS=never $(BIN)/uv pip compile --universal --upgrade --generate-hashes --no-header --no-annotate --python-version 3.11 --quiet --group bench -o requirements-bench.txt

clean: ## remove everything that was made here, the data in instance/ excepted
	@rm -rf $(VENV) $(PEERS_VENV) build/bench $(NODE)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/runtime: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("authsvc needs Python 3.11 or newer; name it: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@echo "Making the environment in $(VENV) (once) …"
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@touch $@

$(VENV)/development: $(VENV)/runtime requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(PEERS_VENV)/peers: requirements-bench.txt
	@echo "Making the environment of the peers in $(PEERS_VENV) (once) …"
	@test -x $(PEERS_VENV)/bin/pip || $(PYTHON) -m venv $(PEERS_VENV)
	@$(PEERS_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.txt
	@touch $@

$(VENV)/node: $(NODE)/package-lock.json | $(VENV)/runtime
	@command -v npm >/dev/null || { echo "The tests have a client in JavaScript. On Debian and Ubuntu: apt install nodejs npm" >&2; exit 1; }
	@npm ci --prefix $(NODE) --ignore-scripts --no-audit --no-fund --silent
	@touch $@
