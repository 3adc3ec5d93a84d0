# Everything a developer does. Each target makes what it needs: Python 3.11 or newer and make are enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# SERVE=0 ends the demo after its last check instead of serving.
SERVE ?= 1
# More words for pytest (make test ARGS="-k margin -x") or for the benchmark (make bench-write ARGS=--quick)
ARGS ?=
# Where the pictures of the console are written to.
TO ?= build/screenshots
# The tests and the demo start hundreds of processes: what those import is compiled once, also where the environment
# says that Python may not write what it has compiled.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo serve test check screenshots bench-write bench-read bench-risk bench-console format venv clean
.DEFAULT_GOAL := test

demo: $(INSTALLED)
	$(BIN)/ledger demo $(if $(filter 0 no false,$(SERVE)),--no-serve)

serve: $(INSTALLED)
	$(BIN)/ledger serve

test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house

screenshots: $(INSTALLED)
	$(BIN)/python -m tests.api.browser.screenshots $(TO) $(ARGS)

bench-write: $(INSTALLED)
	$(BIN)/python -m benchmarks.write_path $(ARGS)

bench-risk: $(INSTALLED)
	$(BIN)/python -m benchmarks.risk $(ARGS)

bench-read: $(INSTALLED)
	$(BIN)/python -m benchmarks.read_side $(ARGS)

bench-console: $(INSTALLED)
	$(BIN)/python -m benchmarks.console $(ARGS)

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

venv: $(INSTALLED)

$(INSTALLED): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: no $(PYTHON) found: install Python 3.11 or newer, or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: $$($(PYTHON) --version) is too old: Python 3.11 or newer is needed; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "make: $(PYTHON) cannot make virtual environments: install its venv package (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
