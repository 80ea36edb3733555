# Two commands for a fresh machine with Python 3.11 or newer: `make demo` and `make test`.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	if command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$p; break; fi; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: vscode cases deck fuzz fuzz-text demo test test-all check bench bench-peers experiments format goldens clean

demo: $(STAMP)
	$(BIN)/unroll demo --out unroll-demo

test: $(STAMP)
	$(BIN)/python -m pytest -q -n 2 -m "not slow"

test-all: $(STAMP)
	$(BIN)/python -m pytest -q -n 2

# ten thousand random well-typed programs through all that is made of a program: an hour on two cores
COUNT ?= 10000
fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz --count $(COUNT)

# inputs that were once answered wrongly: the answer as it was, and as it is
cases: $(STAMP)
	$(BIN)/python -m tests.cases

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)
	$(BIN)/python -m benchmarks

# damaged pages through `check --static`: no traceback, no answer later than two seconds; finds go to build/fuzz-text
MINUTES ?= 5
fuzz-text: $(STAMP)
	$(BIN)/python -m tests.fuzz_text --minutes $(MINUTES)

# trained from scratch: tens of minutes on two cores; what has been stopped goes on
# those of images want data that do not come along, and say so where there are none
DATA ?= ../shared/data
experiments: $(STAMP)
	$(BIN)/python -m experiments gregor_lecun
	$(BIN)/python -m experiments sparse_recovery
	$(BIN)/python -m experiments ista_net_plus --data $(DATA)
	$(BIN)/python -m experiments admm_net --data $(DATA)

# fifteen networks from four objectives, on one page; figures with the authors' weights take minutes, and want data
# that does not come along
deck: $(STAMP)
	$(BIN)/unroll deck --out build/deck --data $(DATA) --force

# the extension for VS Code: build/unroll-VERSION.vsix; without npm it colours pages, and nothing more
vscode: $(STAMP)
	$(BIN)/python editors/vscode/build.py --out build

# deepinv without its dependencies, which would draw in another torch, beside the environment
PEERS := build/peers
bench-peers: $(STAMP)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --target $(PEERS) --upgrade \
		deepinv==0.5.0 einops natsort tqdm requests torchmetrics lightning_utilities \
		charset_normalizer urllib3 certifi idna
	PYTHONPATH=$(PEERS) $(BIN)/python -m benchmarks peers

goldens: $(STAMP)
	$(BIN)/python -m pytest -q tests/conformance --update-goldens
	$(BIN)/unroll explain --all --write docs/errors

# torch first and by its pin, so that no other build of it is drawn in by another package
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "unroll_dsl needs Python 3.11 or newer on the PATH"; exit 1; }
	@echo "Setting up $(VENV) (a few minutes the first time)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt torch
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[demo,test,lint]'
	@touch $@

clean:
	rm -rf $(VENV) build dist unroll-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
