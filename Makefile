# Each target does its own set-up; what is up to date is not done again. ARGS="…" is handed to demo, the tests and bench.
VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest -n auto
BUILT := server/grapevine/built/widget/manifest.json
SOURCES := build.py server/grapevine/__init__.py $(shell find widget/src widget/icons widget/translations widget/earlier widget/channels.json widget/secret_parameters.json widget/build -type f ! -name '*.pyc')
APT := export DEBIAN_FRONTEND=noninteractive; apt-get update -qq </dev/null && \
       apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends
CAN_APT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null
ENGINES := firefox-esr webkit2gtk-driver xvfb

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Tests start hundreds of Python processes: each would compile the whole package and all that it imports.
unexport PYTHONDONTWRITEBYTECODE

# Requirements of running and of build.py, one a line: the pip that comes with Python 3.11 knows no dependency groups.
REQUIREMENTS := import tomllib; data = tomllib.load(open("pyproject.toml", "rb")); \
                print(*data["project"]["dependencies"], *data["dependency-groups"]["build"], sep="\n")

.PHONY: help demo test test-fast test-slow test-engines check bench screenshots release-check build setup setup-dev browser routers engines clean
.DELETE_ON_ERROR:

help: ## Prints this list
	@awk -F ' ## ' '/^[a-z-]+:.* ## / {sub(/:.*/, "", $$1); printf "make %-14s%s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: setup $(BUILT) ## Runs a server and a demo site that embeds it; prints their addresses
	@echo "Starting the demo"
	@$(VENV)/bin/grapevine demo $(ARGS)

test: setup-dev $(BUILT) browser routers ## Runs every test but the slow ones; installs Chromium and PostgreSQL for them
	@$(PYTEST) -m "not slow" --durations=25 $(ARGS)

test-fast: setup-dev $(BUILT) ## Runs the tests that need no browser, no other process and no PostgreSQL
	@$(PYTEST) -m "not browser and not process and not postgres and not long and not slow" $(ARGS)

test-slow: $(VENV)/.release $(BUILT) ## Runs the slow tests, a hundred kills of the server among them
	@$(PYTEST) -m slow $(ARGS)

test-engines: setup-dev $(BUILT) browser engines routers ## Runs the widget's tests in Chromium, Firefox and WebKit
	@GRAPEVINE_TEST_ENGINES=all $(PYTEST) tests/engines $(ARGS)

check: setup-dev ## Checks format, lint and types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy

bench: setup-dev $(BUILT) ## Runs the benchmarks; ARGS names one
	@$(PY) -m tests.bench $(ARGS)

screenshots: setup-dev $(BUILT) browser ## Draws the pictures of README and docs from a demo; ARGS names some of them
	@$(PY) -m tests.screenshots $(ARGS)

release-check: $(VENV)/.release $(BUILT) ## Builds what a release would publish twice, checks it, and prints it
	@$(PY) -m tests.release

build: setup $(BUILT) ## Builds the widget and the server's data

setup: $(VENV)/.installed ## Installs what running needs into .venv

setup-dev: $(VENV)/.installed-dev ## Installs what tests and checks need, too

$(VENV)/.created:
	@python=; for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "Grapevine needs Python 3.11 or newer, for instance: apt-get install python3 python3-venv" >&2; exit 1; fi; \
	if ! $$python -c 'import ensurepip' 2>/dev/null; then \
	  if $(CAN_APT); then $(APT) python3-venv </dev/null >/dev/null; \
	  else echo "$$python cannot make environments yet, run: sudo apt-get install python3-venv" >&2; exit 1; fi; fi; \
	echo "Making the environment $(VENV) with $$($$python --version)" && $$python -m venv $(VENV)
	@touch $@

# Without compiling what is never imported; the editable install builds the widget, too.
$(VENV)/.installed: pyproject.toml $(VENV)/.created
	@echo "Installing what running needs"
	@$(PY) -c '$(REQUIREMENTS)' > $(VENV)/requirements.txt
	@$(PY) -m pip install -q --no-compile -r $(VENV)/requirements.txt
	@echo "Building the widget"
	@$(PY) -m pip install -q --no-compile --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.installed
	@echo "Installing what tests and checks need"
	@$(PY) -m pip install -q --upgrade 'pip>=25.1'
	@$(PY) -m pip install -q --group dev
	@touch $@

$(BUILT): $(SOURCES) | $(VENV)/.installed
	@$(PY) build.py

# The headless shell is the same engine in a third of the time; without it the tests take the whole browser.
browser:
	@if ! (command -v chromium && command -v chromium-headless-shell) >/dev/null; then \
	  if $(CAN_APT); then echo "Installing Chromium for the browser tests" && \
	    ($(APT) chromium chromium-headless-shell || $(APT) chromium) </dev/null >/dev/null; \
	  elif ! command -v chromium >/dev/null; then \
	    echo "The browser tests need Chromium, run: sudo apt-get install chromium chromium-headless-shell" >&2; exit 1; fi; fi

# The routers behind which the widget is tested, from the npm registry without Node. Their tests fail without them.
routers: setup-dev
	-@$(PY) -m tests.support.npm_packages

engines: $(VENV)/.engines
	@if ! (command -v firefox-esr && command -v WebKitWebDriver && command -v Xvfb) >/dev/null; then \
	  if $(CAN_APT); then echo "Installing Firefox and WebKit for their tests" && $(APT) $(ENGINES) </dev/null >/dev/null; \
	  else echo "The tests of every engine need them, run: sudo apt-get install $(ENGINES)" >&2; exit 1; fi; fi

$(VENV)/.release: pyproject.toml $(VENV)/.installed-dev
	@$(PY) -m pip install -q --group release
	@touch $@

$(VENV)/.engines: pyproject.toml $(VENV)/.installed-dev
	@$(PY) -m pip install -q --group engines
	@touch $@

clean: ## Deletes everything that the other targets made
	rm -rf $(VENV) .cache dist server/grapevine/built .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
