# List the recipes.
default:
    @just --list

# Format and lints.
check:
    cargo fmt --all --check && cargo clippy --workspace --all-targets --locked -- -D warnings

# The tests that need neither PostgreSQL nor Node nor a browser.
quick:
    cargo nextest run --workspace --locked --profile quick

# Every test and doc test. Those whose programs are not installed are reported as ignored.
test:
    cargo test --workspace --locked

# What a change must pass before it is merged. Installs what is missing, as root on Debian.
ci:
    bash .ci/run

# What a request costs, in instructions. Needs valgrind.
bench:
    cargo bench --package todo-tests --bench instructions --locked

# Serve on http://localhost:3002/mcp.
run *ARGS:
    cargo run -- {{ARGS}}

# The documentation of all crates, private items included.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items --locked
