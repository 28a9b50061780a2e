# Two commands: `make run` installs and plays a scenario with the embedded language model; `make test` tests everything.
# Each line can be typed by hand as well: see README.md. `make` alone prints this.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

help:
	@sed -n '1,2p' Makefile | cut -c3-

run: $(VENV)/.run
	$(BIN)/society run scenarios/fishery.yaml

test: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -m 'not slow'

test-long: $(VENV)/.test
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest -q

$(VENV)/.run: $(VENV)/.venv pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[local]'
	$(BIN)/society models install smollm2
	@touch $@

$(VENV)/.test: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --editable '.[local,test,analysis,ray]'
	@touch $@

# A Debian Python comes without the part of venv that brings pip; say so, or mend it where we may.
$(VENV)/.venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "society needs Python 3.11 or later; set PYTHON=..."; exit 2; }
	@$(PYTHON) -m venv $(VENV) 2>/dev/null \
	 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && apt-get install -qq -y python3-venv >/dev/null && $(PYTHON) -m venv $(VENV); } \
	 || { rm -rf $(VENV); echo "Python's venv is not installed here: sudo apt install python3-venv, then make again"; exit 2; }
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache

.PHONY: help run test test-long clean
