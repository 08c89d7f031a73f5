# Show the recipes.
default:
    @just --list

# Format the code and sort imports.
fmt:
    ruff format .
    ruff check --fix .

# Check format and lint; change nothing.
lint:
    ruff format --check .
    ruff check .

# Check types.
types:
    mypy

# Run the tests; more arguments go to pytest.
test *arguments:
    pytest {{arguments}}

# Print what becomes of every fault, as a table.
faults *groups:
    PYTHONPATH=tests python -m faults {{groups}}

# All that CI checks.
check: lint types test

# Measure speed and memory against a plain transcode.
bench *arguments:
    python benchmarks/speed.py {{arguments}}
