# make up, make test; everything else is convenience.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCKS := deploy/locks/service.txt deploy/locks/embedded.txt
# pip installs torch, so that whatever pip is told about CPU builds holds; uv installs the rest, ten times as fast, and
# takes no file whose SHA-256 is not in the lock.
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-compile --no-deps
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps

# Python's own cache of compiled modules, also where the machine turns it off: without it every start takes a minute more.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: up demo test check format lock sbom clean-state help

help:  ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

up: $(VENV)/.service  ## Start everything; Ctrl-C stops it
	@exec $(BIN)/nightbake up

demo: $(VENV)/.service  ## The whole loop once, unattended, in a temporary state folder
	@exec $(BIN)/nightbake demo

test: $(VENV)/.dev  ## Format, lint, types, and every test
	@exec ./.ci/check

check: $(VENV)/.dev  ## Format, lint and types only
	@exec ./.ci/check --static

format: $(VENV)/.dev  ## Put the code into the one format
	$(BIN)/ruff check --fix . && $(BIN)/ruff format .

lock:  ## Pin what is installed in .venv, with hashes
	$(BIN)/python deploy/lock.py

sbom: $(VENV)/.dev  ## Write the software bill of materials, sbom.json (CycloneDX)
	@cat deploy/locks/torch.txt $(LOCKS) | $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml -o sbom.json -
	@echo "sbom.json: $$(grep -c '"bom-ref"' sbom.json) components"

clean-state:  ## Remove the state folder: database, models, adapters, logs
	rm -rf $${NIGHTBAKE_HOME:-.nightbake}

$(BIN)/uv: deploy/locks/build.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	  || { echo "expected Python 3.11, got $$($(PYTHON) --version); name one with make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r deploy/locks/build.txt

$(VENV)/.service: $(LOCKS) deploy/locks/torch.txt pyproject.toml | $(BIN)/uv
	@echo "installing torch (190 MB)"
	@$(PIP) -r deploy/locks/torch.txt
	@echo "installing $$(cat $(LOCKS) | grep -c ==) pinned packages (a minute, seconds from a warm cache)"
	@$(UV) --require-hashes $(addprefix -r ,$(LOCKS))
	@$(UV) --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: deploy/locks/dev.txt $(VENV)/.service
	@echo "installing what the tests need"
	@$(UV) --require-hashes -r deploy/locks/dev.txt
	@touch $@
