# Each target does its own set-up; what is up to date is not done again. ARGS="…" is handed to demo, the tests and bench.
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest -n auto --dist loadgroup
BUILT := server/grapevine/built/widget/manifest.json
SOURCES := build.py server/grapevine/__init__.py $(shell find widget/src widget/icons widget/translations widget/channels.json widget/build -type f ! -name '*.pyc')
APT := export DEBIAN_FRONTEND=noninteractive; apt-get update -qq </dev/null && \
       apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends
CAN_APT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null
CHROMIUM := command -v chromium || command -v chromium-browser || command -v google-chrome
ENGINES := firefox-esr webkit2gtk-driver xvfb

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: help demo test test-fast test-slow test-engines check bench build setup browser engines clean
.DELETE_ON_ERROR:

help:
	@echo "make demo | test-fast | test | test-slow | test-engines | check | bench | build | clean"

demo: setup $(BUILT)
	@$(VENV)/bin/grapevine demo $(ARGS)

test: setup $(BUILT) browser
	@$(PYTEST) -m "not slow" --durations=25 $(ARGS)

test-fast: setup $(BUILT)
	@$(PYTEST) -m "not browser and not process and not postgres and not slow" $(ARGS)

test-slow: setup $(BUILT)
	@$(PYTEST) -m slow $(ARGS)

test-engines: setup $(BUILT) browser engines
	@GRAPEVINE_TEST_ENGINES=all $(PYTEST) tests/engines $(ARGS)

check: setup
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

bench: setup $(BUILT)
	@$(PY) -m tests.bench $(ARGS)

build: setup $(BUILT)

setup: $(VENV)/.installed

$(VENV)/.created:
	@python=; for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "Grapevine needs Python 3.11 or newer, for instance: apt-get install python3 python3-venv" >&2; exit 1; fi; \
	if ! $$python -c 'import ensurepip' 2>/dev/null; then \
	  if $(CAN_APT); then $(APT) python3-venv </dev/null >/dev/null; \
	  else echo "$$python cannot make environments yet, run: sudo apt-get install python3-venv" >&2; exit 1; fi; fi; \
	echo "Setting up $(VENV) with $$($$python --version)" && $$python -m venv $(VENV)
	@$(PY) -m pip install -q --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.created
	@$(PY) -m pip install -q --group dev
	@$(PY) -m pip install -q --no-build-isolation -e .
	@touch $@

$(BUILT): $(SOURCES) | $(VENV)/.installed
	@$(PY) build.py

browser:
	@if ! ($(CHROMIUM)) >/dev/null; then \
	  if $(CAN_APT); then echo "Installing Chromium for the browser tests" && $(APT) chromium </dev/null >/dev/null; \
	  else echo "The browser tests need Chromium, run: sudo apt-get install chromium" >&2; exit 1; fi; fi

engines: $(VENV)/.engines
	@if ! (command -v firefox-esr && command -v WebKitWebDriver && command -v Xvfb) >/dev/null; then \
	  if $(CAN_APT); then echo "Installing Firefox and WebKit for their tests" && $(APT) $(ENGINES) </dev/null >/dev/null; \
	  else echo "The tests of every engine need them, run: sudo apt-get install $(ENGINES)" >&2; exit 1; fi; fi

$(VENV)/.engines: pyproject.toml $(VENV)/.installed
	@$(PY) -m pip install -q --group engines
	@touch $@

clean:
	rm -rf $(VENV) dist server/grapevine/built .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
