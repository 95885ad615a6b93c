# `make demo` and `make test` are the only set-up commands: they fetch their own tools into .venv, pinned by hash.
.DEFAULT_GOAL := help
.PHONY: help demo test test-all check docs chaos bench build wheel clean
PYTHON ?= python3
BIN := .venv/bin
UV := .venv/uv/bin/uv --quiet
ARGS ?=
AREA ?= house
SECONDS ?= 3600
export UV_PYTHON_DOWNLOADS = never
export PYTHONDONTWRITEBYTECODE = 1
LOCK = $(if $(wildcard .venv/.dev),requirements-dev.lock,requirements.lock)
FRONT := $(shell find webui/frontend -path '*/node_modules' -prune -o -type f -print 2>/dev/null)
PYTEST := $(BIN)/python -m pytest

help:
	@echo "make demo      a whole consultation on this machine, then serve it (Ctrl-C stops)"
	@echo "make test      the fast tests; as root on Debian it installs what they need and says so first"
	@echo "make check     lint, types, contracts, licences      make test-all   every test"
	@echo "make docs      writes what docs/models.md says of roles, operations, the case and templates"
	@echo "make chaos SECONDS=3600   processes and database killed at random, on each database for so long"
	@echo "make bench AREA=house      figures into build/bench/ (areas: house, quality)"

demo: .venv/.run build
	$(BIN)/lianyi demo $(ARGS)

test: .venv/.dev build
	@sh .ci/debian chromium fonts-noto-cjk dcmtk poppler-utils
	$(PYTEST) -n 2 --dist loadgroup -q -m "not slow" $(ARGS)

test-all: test
	$(PYTEST) -n 2 --dist loadgroup -q -m slow $(ARGS)

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo
	$(PYTEST) -q tests/checks

docs: .venv/.dev
	$(BIN)/python tests/checks/test_check_models_doc.py

chaos: .venv/.dev
	LIANYI_STORM_SECONDS=$(SECONDS) $(PYTEST) -s tests/chaos/test_chaos_storm.py $(ARGS)

bench: .venv/.dev build
	@mkdir -p build/bench
	$(BIN)/python tests/benchmarks/$(AREA).py build/bench/$(AREA).json

build: webui/static/dist/.vite/manifest.json

wheel: .venv/.dev build
	$(BIN)/python -m hatchling build -t wheel -d build/wheel

.venv/uv/bin/uv:
	@echo "[1/4] tools (about 5 s)"
	@$(PYTHON) -m venv .venv
	@$(PYTHON) -m venv .venv/uv
	@.venv/uv/bin/pip install -q --disable-pip-version-check uv==0.13.9

.venv/.run: requirements.lock pyproject.toml | .venv/uv/bin/uv
	@echo "[2/4] Python packages (about 15 s on a fast line)"
	@$(UV) pip sync --python $(BIN)/python --require-hashes $(LOCK)
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: requirements-dev.lock pyproject.toml | .venv/uv/bin/uv
	@echo "[2/4] Python packages, with those for tests (about 20 s on a fast line)"
	@$(UV) pip sync --python $(BIN)/python --require-hashes requirements-dev.lock
	@$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@ .venv/.run

webui/static/dist/.vite/manifest.json: $(FRONT) | .venv/uv/bin/uv
	@echo "[3/4] front end (about 15 s)"
	@sh .ci/front-end
	@touch $@

clean:
	rm -rf .venv build webui/static/dist webui/frontend/node_modules integrations/pdf/fonts/*.ttf
