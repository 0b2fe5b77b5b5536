# make demo   sets everything up and runs the main job on a clip made on the spot
# make test   sets everything up and passes the tests
# make bench  times kernels, record passing and decoding against what users would use instead

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin
DEMO ?= demo

.PHONY: demo test bench clean
.DELETE_ON_ERROR:

# Done again when the list of dependencies changes. Only pip's own complaints are shown.
$(VENV)/.installed: pyproject.toml
	@test -x $(BIN)/python || "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or later is needed, found '$(PYTHON)': make PYTHON=/path/to/python3.11" >&2; exit 1; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

demo: $(VENV)/.installed
	@VTK=$(BIN)/vtk PYTHON=$(BIN)/python bash examples/demo.sh $(DEMO)

# Files go to processes in the order of tests/conftest.py. Where a process dies, that ends the run: with another in its
# place pytest-xdist 3.8 waits for ever behind the last test. Ray leaves handlers of signals, hooks and libraries in the
# process that started it: its tests have one of their own.
test: $(VENV)/.installed
	$(BIN)/python -m pytest tests/engines/test_ray.py
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile \
		--no-loadscope-reorder --max-worker-restart 0 --ignore tests/engines/test_ray.py

bench: $(VENV)/.installed
	$(BIN)/python -m vtk.kernels.bench --quick
	$(BIN)/python -m vtk.driver.bench
	@mkdir -p $(DEMO)
	$(BIN)/python examples/make_clip.py $(DEMO)/street.mp4
	$(BIN)/python -m vtk.media.bench $(DEMO)/street.mp4

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info .pytest_cache .hypothesis
