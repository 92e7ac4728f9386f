# Needs python3 (3.11 to 3.13), its venv module, and a network the first time. Everything else is set up here, in .venv.
#
#   make demo    replay the bundled sample session and show what came out
#   make test    run the tests
#   make lint    ruff, formatting, mypy
#   make bench   benchmarks, beside hftbacktest, in an environment of their own
#   make clean   remove the environments and what tools left behind

PY ?= python3
VENV ?= .venv
BENCH_VENV ?= .venv-bench
BIN := $(VENV)/bin

.PHONY: demo test lint bench clean

demo: $(VENV)/.ready-report
	$(BIN)/replay demo

test: $(VENV)/.ready-test
	$(BIN)/python -m pytest

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(BENCH_VENV)/.ready-bench
	$(BENCH_VENV)/bin/python -m benchmarks

clean:
	rm -rf $(VENV) $(BENCH_VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis

# One stamp per extra. uv follows uv.lock; where uv cannot be had, pip takes the newest that fits.
$(VENV)/.ready-%: pyproject.toml uv.lock | $(VENV)/bin/python
	$(call install,$(VENV),$*)

$(BENCH_VENV)/.ready-%: pyproject.toml uv.lock | $(BENCH_VENV)/bin/python
	$(call install,$(BENCH_VENV),$*)

$(VENV)/bin/python:
	$(call make_venv,$(VENV))

$(BENCH_VENV)/bin/python:
	$(call make_venv,$(BENCH_VENV))

define make_venv
@python=""; \
for name in $(PY) python3.13 python3.12 python3.11; do \
    if $$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then python=$$name; break; fi; \
done; \
if [ -z "$$python" ]; then echo "Python 3.11, 3.12 or 3.13 is needed; name it with: make PY=/path/to/python3.12" >&2; exit 2; fi; \
if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
    echo "$$python has no venv module; on Debian or Ubuntu: sudo apt-get install python3-venv" >&2; exit 2; \
fi; \
echo "making $(1) with $$($$python --version)"; \
$$python -m venv $(1)
endef

define install
@echo "installing ($(2)) into $(1)"; \
python=$(1)/bin/python; \
$$python -m pip --version >/dev/null 2>&1 || $$python -m ensurepip >/dev/null; \
$$python -m pip install --quiet --disable-pip-version-check uv || true; \
if [ -x $(1)/bin/uv ] && env -u VIRTUAL_ENV UV_PROJECT_ENVIRONMENT=$(abspath $(1)) UV_PYTHON_DOWNLOADS=never \
    $(1)/bin/uv sync --quiet --frozen --inexact --python $$python --extra $(2); then :; \
else \
    echo "uv did not do it, falling back to pip"; \
    $$python -m pip install --quiet --disable-pip-version-check -e ".[$(2)]"; \
fi
@touch $@
endef
