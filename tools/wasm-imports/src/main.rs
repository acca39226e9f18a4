//! `wasm-imports FILE MIN_CODE_BYTES` fails when the WebAssembly module in FILE imports anything,
//! or when it has less code than that: a probe whose calls were optimised away proves nothing.

mod module;

use module::Module;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(summary) => {
            eprintln!("{summary}");
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            eprintln!("wasm-imports: {complaint}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, String> {
    let [file, minimum] = arguments else {
        return Err("usage: wasm-imports FILE MIN_CODE_BYTES".into());
    };
    let minimum: usize = minimum
        .parse()
        .map_err(|error| format!("MIN_CODE_BYTES `{minimum}`: {error}"))?;
    let bytes = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let module = Module::parse(&bytes).map_err(|error| format!("{file}: {error}"))?;
    judge(&module, minimum).map_err(|complaint| format!("{file}: {complaint}"))?;
    Ok(format!("{file}: no imports, {} bytes of code", module.code_bytes))
}

fn judge(module: &Module, minimum: usize) -> Result<(), String> {
    if !module.imports.is_empty() {
        return Err(format!("imports {}", module.imports.join(", ")));
    }
    if module.code_bytes < minimum {
        return Err(format!(
            "{} bytes of code, expected at least {minimum}",
            module.code_bytes
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_self_contained_module_with_enough_code_passes() {
        let module = |imports: &[&str], code_bytes| Module {
            imports: imports.iter().map(ToString::to_string).collect(),
            code_bytes,
        };
        assert_eq!(judge(&module(&[], 100), 100), Ok(()));
        assert_eq!(
            judge(&module(&[], 99), 100),
            Err("99 bytes of code, expected at least 100".into())
        );
        assert_eq!(
            judge(&module(&["env.now"], 100), 100),
            Err("imports env.now".into())
        );
    }
}
