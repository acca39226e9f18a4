//! Makes sure that ggml is compiled the way its declared numerics say, and notes the compiler.

use std::env;
use std::path::Path;
use std::process::Command;

/// What `.cargo/config.toml` has to hand to ggml's own build script.
const SWITCHES: &[(&str, &str)] = &[
    ("LLAMA_LIB_PROFILE", "Release"),
    ("GGML_SSE42", "ON"),
    ("GGML_AVX", "ON"),
    ("GGML_AVX2", "ON"),
    ("GGML_BMI2", "ON"),
    ("GGML_FMA", "ON"),
    ("GGML_F16C", "ON"),
    ("GGML_AVX_VNNI", "OFF"),
    ("GGML_AVX512", "OFF"),
    ("GGML_LLAMAFILE", "OFF"),
    ("GGML_BLAS", "OFF"),
    ("GGML_ACCELERATE", "OFF"),
    ("GGML_METAL", "OFF"),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for (name, wanted) in SWITCHES {
        println!("cargo:rerun-if-env-changed={name}");
        let found = env::var(name).unwrap_or_else(|_| "nothing".into());
        assert!(
            found == *wanted,
            "\n{name} has to be {wanted} and is {found}: the numerics of ggml would not be the declared ones.\n\
             .cargo/config.toml of the workspace sets it; run cargo inside the workspace, with no {name} in \
             the environment.\n"
        );
    }
    println!("cargo:rustc-env=GGML_COMPILER={}", compiler());
}

/// The C++ compiler's name and version: how it contracts and orders operations decides bits too.
fn compiler() -> String {
    let compiler = cc::Build::new().cpp(true).get_compiler();
    let name = compiler
        .path()
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let version = Command::new(Path::new(compiler.path())).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = version.unwrap_or_default();
    let target = env::var("TARGET").unwrap_or_default();
    format!(
        "{} {} for {target}",
        name.unwrap_or_default(),
        version.lines().next().unwrap_or("of unknown version")
    )
}
