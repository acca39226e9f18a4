//! `ggml-trial FILE`: loads and runs a model file of unknown origin, for a parent that watches
//! (`camelid_inference_ggml::trial`).

use camelid_inference_ggml::trial::run_in_child;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: ggml-trial FILE");
        return ExitCode::from(2);
    };
    match run_in_child(Path::new(&path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
