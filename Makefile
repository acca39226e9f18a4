# Every target is a plain cargo command after a check that its tools are there.

ENSURE := tools/ensure toolchain cc c++
# What is built with models compiles ggml.
ENSURE_GGML := $(ENSURE) cmake libclang
TARGET_DIR := $(or $(CARGO_TARGET_DIR),target)
WASM := wasm32-unknown-unknown
# The probe has 1.2 MB of code, an empty program 15 kB: far less means that calls were optimised away.
WASM_MIN_CODE_BYTES := 1000000

SEEDS ?= 0..10000

# What `make fuzz` looks at, and for how long.
TARGET ?= decoders
FUZZ_SECONDS ?= 300

# The part of all mutants that `make mutants` tries, from 0.
SHARD ?= 0/40

# Of the ignored tests these are none: they write files that others read, on request.
NOT_WRITERS := --skip extract_rows --skip write_fuzz_seeds

HOLES := docs/src/holes-and-attacks.md
DIFFICULTY := docs/src/difficulty.md

.PHONY: help run demo swarm holes difficulty model claims test bench inference overhead madsim lint fmt doc probe deny traces fuzz mutants nightly

help:     ## this list
	@sed -n 's/^\([a-z-]*\): *## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run:      ## build, run the adversarial suite in scenarios/ and print who was caught
	@$(ENSURE_GGML)
	cargo run --release -p camelid -- sim run scenarios

demo:     ## build, and let a worker cheat in a live network on this machine
	@$(ENSURE_GGML)
	cargo run --release -p camelid -- demo

swarm:    ## run the scenarios that 10,000 seeds draw; SEEDS=A..B for others
	@$(ENSURE_GGML)
	cargo run --release -p camelid -- sim run --swarm --seeds $(SEEDS)

holes:    ## measure each hole and attack over 20 seeds and write the page about them anew
	@$(ENSURE_GGML)
	cargo run --release -p camelid -- sim holes scenarios --seeds 0..20 > $(HOLES).new
	mv $(HOLES).new $(HOLES)

difficulty: ## measure the rule for targets and write the page about it anew
	@$(ENSURE_GGML)
	cargo run --release -p camelid -- sim difficulty > $(DIFFICULTY).new
	mv $(DIFFICULTY).new $(DIFFICULTY)

model:    ## fetch SmolLM2-135M-Instruct (98 MB) and add it to the store of models
	@$(ENSURE_GGML) pip
	tools/fetch-model

claims:   ## measure what checks find in claims, on the embedded model and SmolLM2, and print the tables (an hour)
	@$(ENSURE_GGML) pip
	cargo build --release -p camelid
	tools/claims-table "The embedded model=embedded" "SmolLM2-135M-Instruct=$$(tools/fetch-model)"

test:     ## the whole test suite
	@$(ENSURE_GGML)
	cargo test --workspace

bench:    ## chain primitives beside Bitcoin's crates, with floors; the engine beside madsim
	@$(ENSURE)
	cargo run --release -p camelid-bench --bin chain
	RUSTFLAGS="--cfg madsim" cargo run --release -p camelid-bench --bin engine --target-dir target/madsim

inference: ## ggml: our generation loop beside the bare one, and what checking costs; MODEL=FILE for another model
	@$(ENSURE_GGML)
	cargo bench -p camelid-inference-ggml

overhead: ## what a job through the network costs beside the same generation done directly, on SmolLM2
	@$(ENSURE_GGML) pip
	cargo build --release -p camelid
	tools/job-overhead "$$(tools/fetch-model)"

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

fuzz:     ## TARGET=decoders|scripts|branches|gguf: inputs that break it, for FUZZ_SECONDS; needs nightly
	@$(ENSURE) nightly cargo-fuzz
	@mkdir -p fuzz/corpus/$(TARGET)
	cargo +nightly fuzz run $(TARGET) fuzz/corpus/$(TARGET) fuzz/seeds/$(TARGET) -- -max_total_time=$(FUZZ_SECONDS)

mutants:  ## SHARD=n/m: changes to transactions, blocks, chain and jobs that no test notices
	@$(ENSURE) cargo-mutants
	cargo mutants --shard $(SHARD) --output target

nightly:  ## hours: many more property cases and seeds
	@$(ENSURE_GGML)
	PROPTEST_CASES=20000 cargo test --release --workspace -- --include-ignored $(NOT_WRITERS)
	RUSTFLAGS="--cfg madsim" MADSIM_TEST_NUM=1000 cargo test -p camelid-io --target-dir target/madsim
	cargo run --release -p camelid -- sim run scenarios --seeds 0..2000
	$(MAKE) swarm
	for target in decoders scripts branches gguf; do $(MAKE) fuzz TARGET=$$target FUZZ_SECONDS=1800 || exit; done
	$(MAKE) mutants SHARD=0/1
	$(MAKE) claims
