# Every target is a plain cargo command after a check that its tools are there.

ENSURE := tools/ensure toolchain cc
# What is built with models compiles ggml.
ENSURE_GGML := $(ENSURE) c++ cmake libclang
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
WASM := wasm32-unknown-unknown
# The probe has 1.2 MB of code, an empty program 15 kB: far less means that calls were optimised away.
WASM_MIN_CODE_BYTES := 1000000

SEEDS ?= 0..10000

HOLES := docs/src/holes-and-attacks.md

.PHONY: help run swarm holes test bench madsim lint fmt doc probe deny traces nightly

help:     ## this list
	@sed -n 's/^\([a-z-]*\): *## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run:      ## build, run the adversarial suite in scenarios/ and print who was caught
	@$(ENSURE_GGML)
	cargo run --release -p camelid -- sim run scenarios

swarm:    ## run the scenarios that 10,000 seeds draw; SEEDS=A..B for others
	@$(ENSURE_GGML)
	cargo run --release -p camelid -- sim run --swarm --seeds $(SEEDS)

holes:    ## measure each hole and attack over 20 seeds and write the page about them anew
	@$(ENSURE_GGML)
	cargo run --release -p camelid -- sim holes scenarios --seeds 0..20 > $(HOLES).new
	mv $(HOLES).new $(HOLES)

test:     ## the whole test suite
	@$(ENSURE_GGML)
	cargo test --workspace

bench:    ## events per second, signature checks and digests, beside madsim
	@$(ENSURE)
	RUSTFLAGS="--cfg madsim" cargo run --release -p camelid-bench --target-dir target/madsim

inference: ## ggml: our generation loop beside the bare one, and what checking costs; MODEL=FILE for another model
	@$(ENSURE_GGML)
	cargo bench -p camelid-inference-ggml

madsim:   ## the driver's tests on madsim's simulated runtime
	@$(ENSURE)
	RUSTFLAGS="--cfg madsim" cargo test -p camelid-io --target-dir target/madsim

lint:     ## formatting and clippy, warnings denied
	@$(ENSURE_GGML)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings

fmt:      ## format the code
	@$(ENSURE)
	cargo fmt --all

doc:      ## API documentation, warnings denied
	@$(ENSURE_GGML)
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps

probe:    ## build the core for wasm32 and show that it imports nothing
	@$(ENSURE) wasm32
	cargo build --release --target $(WASM) -p camelid-wasm-probe
	cargo run -p wasm-imports -- $(TARGET_DIR)/$(WASM)/release/wasm-probe.wasm $(WASM_MIN_CODE_BYTES)

deny:     ## licences, banned crates and sources of every dependency
	@$(ENSURE) cargo-deny
	cargo deny check licenses bans sources

traces:   ## record the corpus of attack traces in scenarios/traces anew
	@$(ENSURE_GGML)
	tools/traces

nightly:  ## hours: many more property cases and seeds
	@$(ENSURE_GGML)
	PROPTEST_CASES=20000 cargo test --release --workspace -- --include-ignored
	RUSTFLAGS="--cfg madsim" MADSIM_TEST_NUM=1000 cargo test -p camelid-io --target-dir target/madsim
	cargo run --release -p camelid -- sim run scenarios --seeds 0..2000
	$(MAKE) swarm
