# Every target sets up what it needs: Python 3.11 to 3.13 with venv, a C compiler and make suffice.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.placet-setup

.PHONY: setup serve demo test deep check fix bench lock clean

setup: $(STAMP)

# The last durable-rules release builds on 3.13 but imports only with this flag; it is harmless before.
$(STAMP): requirements-build.txt requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "placet needs Python 3.11, 3.12 or 3.13"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-build.txt
	CPPFLAGS="-DPyEval_CallObject=PyObject_CallObject" \
		$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps --editable .
	$(BIN)/python -c 'import durable.engine'
	$(BIN)/python -m compileall -q engine api $(VENV)/lib || true
	@touch $@

serve: setup
	$(BIN)/placet serve

demo: setup
	$(BIN)/placet decide scenarios/h200-article/last-twenty-thousand.yaml --lang both
	$(BIN)/placet decide scenarios/h200-article/last-twenty-thousand.yaml --lang both \
		--set order.quantity=20001 --set payment.prepaid=540027000.00 --set review.state=deny
	$(BIN)/placet decide scenarios/h200-article/last-twenty-thousand.yaml --lang both \
		--set review.state=null --set pledge.signed_on=null
	$(BIN)/placet decide scenarios/bis-2026/racks-in-johor.yaml --lang both

test: setup
	$(BIN)/placet check
	$(BIN)/placet test
	$(BIN)/python -m pytest -n auto

deep: setup
	$(BIN)/python -m pytest -n auto -m deep

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fix: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup requirements-bench.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-build-isolation --require-hashes -r requirements-bench.txt
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.growth
	$(BIN)/python -m tests.bench.live
	$(BIN)/python -m tests.bench.cold_start
	$(BIN)/python -m tests.bench.http
	$(BIN)/python -m tests.bench.cases
	$(BIN)/python -m tests.bench.map

# Needs uv; writes the requirement files again, with hashes and without any index address.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-annotate
lock:
	$(LOCK) --group build -o requirements-build.txt
	$(LOCK) pyproject.toml --group dev --group build -o requirements-dev.txt
	$(LOCK) pyproject.toml --extra postgres --group build -c requirements-dev.txt -o requirements-run.txt
	$(LOCK) pyproject.toml --group bench --group build -c requirements-dev.txt -o requirements-bench.txt

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
