//! Small scenarios in a directory of their own, and the binary to run them with.

use assert_cmd::Command;
use camelid_core::primitives::{decode, encode};
use camelid_sim::trace::Frame;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// Bytes before the first frame: magic number and version.
const PREFIX_BYTES: usize = 10;
/// Bytes of the check behind each frame.
const CHECK_BYTES: usize = 8;

/// An empty directory in which the binary runs.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).expect("a directory");
        fs::write(path, content).expect("a file");
    }

    /// Runs `camelid sim ARGS` (words).
    pub fn sim(&self, args: &str) -> Ran {
        self.camelid(&format!("sim {args}"))
    }

    /// Runs `camelid ARGS` (words).
    pub fn camelid(&self, args: &str) -> Ran {
        let output = Command::cargo_bin("camelid")
            .expect("the binary")
            .current_dir(self.0.path())
            .env("CAMELID_MODELS", self.path("models"))
            .args(args.split_whitespace())
            .output()
            .expect("it runs");
        Ran::from(output)
    }
}

/// What the binary did.
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("not killed by a signal"),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}

/// The page about `camelid rastic`.
pub fn rastic_page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/rastic.md");
    fs::read_to_string(path).expect("the page")
}

/// A scenario in which a worker withholds what it sold; `expect` is more of its last table.
pub fn scenario(name: &str, expect: &str) -> String {
    format!(
        r#"name = "{name}"
about = "One worker withholds what it sold."
shows = ["H5"]

[run]
until_ms = 1_800_000
heal_at_ms = 0

[network]
peers = 1

[[nodes]]
name = "client"
roles = ["client"]
coins = 4

[[nodes]]
name = "worker"
roles = ["worker"]
strategy = "withhold-output"
coins = 4

[[nodes]]
name = "miner"
roles = ["miner"]

[[jobs]]
client = "client"
start_ms = 120_000

[expect]
{expect}
"#
    )
}

/// The scenario with an expectation that holds.
pub fn sound(name: &str) -> String {
    scenario(name, r#"sometimes = [{ event = "attack:withhold-output" }]"#)
}

/// The frames of a trace.
pub fn frames_of(trace: &[u8]) -> Vec<Frame> {
    let mut rest = &trace[PREFIX_BYTES..];
    let mut frames = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (payload, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        frames.push(decode(payload, usize::MAX).expect("a frame"));
        rest = &after[CHECK_BYTES..];
    }
    frames
}

/// A second implementation of the format: each check is the start of
/// `SHA-256(previous hash ‖ length ‖ payload)`. The trace lends its magic number and version.
pub fn resealed(trace: &[u8], frames: &[Frame]) -> Vec<u8> {
    let prefix = &trace[..PREFIX_BYTES];
    let mut bytes = prefix.to_vec();
    let mut chain = Sha256::digest(prefix);
    for frame in frames {
        let payload = encode(frame);
        chain = Sha256::new()
            .chain_update(chain)
            .chain_update((payload.len() as u64).to_le_bytes())
            .chain_update(&payload)
            .finalize();
        bytes.extend(u32::try_from(payload.len()).expect("a short frame").to_le_bytes());
        bytes.extend(&payload);
        bytes.extend(&chain[..CHECK_BYTES]);
    }
    bytes
}
