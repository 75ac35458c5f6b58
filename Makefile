# Two commands matter: `make demo` and `make test`. Both need only Python 3.11, git and make.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed

.DEFAULT_GOAL := help
.PHONY: help demo test test-attacks bench lint format lock docs clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

demo: $(STAMP) ## the main job on real data: three marked copies, a leak, its holder named
	rm -rf copyhold-demo  # what an earlier run left
	$(BIN)/copyhold demo

test: $(STAMP) lint ## every check and test that fits in minutes; says what it leaves out
	$(BIN)/python -m pytest -n 2 -m "not attack"

test-attacks: $(STAMP) ## the long attack, crash and tampering runs
	$(BIN)/python -m pytest -m attack

bench: $(STAMP) ## speed, memory and power of the evidence, each beside a floor or a peer
	$(BIN)/python -m bench

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: ## pin every dependency with its hashes (needs uv)
	uv pip compile pyproject.toml --extra dev --extra postgres --generate-hashes --universal --python-version 3.11 \
		--no-emit-index-url --no-annotate --no-header -o requirements.lock

docs: $(STAMP) ## write the generated pages of docs/ again
	$(BIN)/python -m docs.generate

clean:
	rm -rf $(VENV) build dist *.egg-info src/*.egg-info
