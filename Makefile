# Every target works on a fresh checkout: the first one makes .venv from the locked requirements. The locks are whole,
# so pip resolves nothing (--no-deps): a release made after the lock cannot change or break an installation.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STUDIO := .venv-studio
# Real sound in real time on a machine shared with others: what failed is played once more, and both are told. A broken
# promise is not, nor are more than eight.
ACCEPT = $(BIN)/pytest tests/acceptance --reruns 1 --max-suite-reruns 8 --rerun-except PromiseBroken --rerun-show-tracebacks
ARGS ?=
COMPILE := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
  --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help call test acceptance check line worker rescue studio bench bench-voice crash lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Holdfast needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/runtime.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/holdfast fit
	touch $@

$(VENV)/.voice: $(VENV)/.runtime requirements/voice.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/voice.txt
	touch $@

# LangGraph's server and LiveKit want protobufs that exclude each other: Studio has an environment of its own.
$(STUDIO)/.ready: requirements/studio.txt pyproject.toml
	$(PYTHON) -m venv $(STUDIO)
	$(STUDIO)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/studio.txt
	$(STUDIO)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.dev: $(VENV)/.voice requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.txt
	touch $@

$(VENV)/.system: tests/system.sh | $(VENV)/.runtime
	@if tests/system.sh; then touch $@; fi

call: $(VENV)/.runtime ## a call in the terminal, embedded Postgres, no keys; ARGS="--language es --from +15035550127"
	@$(BIN)/holdfast call $(ARGS)

test: $(VENV)/.dev $(VENV)/.system $(STUDIO)/.ready ## everything that must pass
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest --ignore tests/acceptance -n 2 $(ARGS)
	$(ACCEPT) $(ARGS)

acceptance: $(VENV)/.dev $(VENV)/.system ## of these, the whole calls over WebRTC alone
	$(ACCEPT) $(ARGS)

check: $(VENV)/.dev ## the fast part: format, lint, types, imports, unit tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/unit -n 2 $(ARGS)

line: $(VENV)/.voice ## the whole line on this machine, and a page to call from; no keys needed; ARGS="--port 8090"
	@$(BIN)/holdfast line $(ARGS)

worker: $(VENV)/.voice ## answer the calls that LiveKit sends; needs the keys of .env.example
	@$(BIN)/holdfast worker

rescue: $(VENV)/.voice ## beside the workers: callers whose worker died get another
	@$(BIN)/holdfast rescue $(ARGS)

studio: $(STUDIO)/.ready ## the graph in LangGraph Studio, offline, on http://127.0.0.1:2024
	LANGGRAPH_CLI_NO_ANALYTICS=1 LANGSMITH_TRACING=false LANGGRAPH_NO_VERSION_CHECK=true \
	$(STUDIO)/bin/langgraph dev --no-browser --no-reload --host 127.0.0.1 --port 2024 --config langgraph.json $(ARGS)

bench: $(VENV)/.dev ## milliseconds from utterance to reply: one call, and 100 at once in one process
	$(BIN)/python -m bench.turns $(ARGS)

bench-voice: $(VENV)/.dev ## a voice call's greeting, response, barge-in, processor and memory, beside a stock agent
	$(BIN)/python -m bench.voice $(ARGS)

crash: $(VENV)/.dev ## kill, freeze, cancel and cut off scripted calls at every boundary (an hour); ARGS="--loop kill --every 9"
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m tests.crash $(ARGS)

lock: ## resolve pyproject.toml into requirements/*.txt (names, versions, hashes; no addresses); needs uv
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) --extra voice -c requirements/runtime.txt pyproject.toml -o requirements/voice.txt
	$(COMPILE) --extra studio -c requirements/runtime.txt pyproject.toml -o requirements/studio.txt
	$(COMPILE) --extra voice --extra dev -c requirements/voice.txt pyproject.toml -o requirements/dev.txt

clean: ## forget .venv and caches
	rm -rf $(VENV) $(STUDIO) .mypy_cache .ruff_cache .pytest_cache .hypothesis .langgraph_api
