# Two commands do all the set-up on a new machine: `make up` (the main job) and `make test`.
# Each makes .venv from requirements.lock when it is missing or older than the lock file; uv is used when present.

PYTHON ?= python3
BIN := .venv/bin

# Modules are compiled once, not again in each of the many processes that tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: setup up down test check format lock

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml
	@if command -v uv >/dev/null 2>&1; then \
	  test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) .venv; \
	  uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock; \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .; \
	else \
	  echo "setting up .venv (once, about two minutes; uv would be faster)" >&2; \
	  test -x $(BIN)/python || $(PYTHON) -m venv .venv || exit 1; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . ; \
	fi
	@touch $@

# exec: Ctrl-C and the exit code reach harness itself, not a shell in between.
up: setup
	@exec $(BIN)/harness up

down: setup
	@$(BIN)/harness down

test: setup
	$(BIN)/python -m pytest -q -n auto -m "not slow and not docker"
	$(BIN)/python -m pytest -m "slow or docker"
	$(BIN)/python -m pytest contracts

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=domains/kit:domains/orders:domains/stock $(BIN)/lint-imports
	$(BIN)/harness compose --check
	$(BIN)/python -m pytest -q -n auto -m "not slow and not docker"

format: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Needs uv; universal, so that one file serves every platform and Python from 3.11 on.
lock:
	uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes --no-header \
	  pyproject.toml --output-file requirements.lock
	uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-header --no-annotate \
	  --constraints requirements.lock docker/edge.requirements.in --output-file docker/edge.lock
