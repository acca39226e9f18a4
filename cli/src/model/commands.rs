//! `camelid model`.

use super::args::{AddArgs, ListArgs, ModelCommand, OneArgs, QuantizeArgs};
use super::file::beside;
use super::record::{InspectRecord, ModelRecord, RootRecord};
use super::source::{EMBEDDED_NAME, embedded_root, find_model, load};
use super::store::{Added, Store, chunks_of};
use crate::color::ColorWhen;
use crate::exit::{Exit, Failure};
use crate::ggml::engine_failure;
use crate::sim::{new_table, print_json};
use camelid_inference_ggml::{CHUNK_BYTES, EMBEDDED, quantize};
use comfy_table::{Cell, CellAlignment};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write, stdout};
use std::path::Path;

/// Does what `command` says.
///
/// # Errors
/// [`Failure`].
pub fn model(command: &ModelCommand, color: ColorWhen) -> Result<Exit, Failure> {
    match command {
        ModelCommand::Add(args) => add(args),
        ModelCommand::List(args) => list(args, color),
        ModelCommand::Inspect(args) => inspect(args),
        ModelCommand::Root(args) => root(args),
        ModelCommand::Quantize(args) => quantize_model(args),
    }
    .map(|()| Exit::Success)
}

fn add(args: &AddArgs) -> Result<(), Failure> {
    if let Some(expected) = &args.sha256 {
        check_sha256(&args.file, expected)?;
    }
    let store = Store::default_place()?;
    let name = args
        .file
        .to_str()
        .ok_or_else(|| Failure::load(&args.file, "has a name that is not UTF-8", "rename it"))?;
    // A file of that name is meant even if it looks like a root.
    let name = if name.contains('/') {
        name.into()
    } else {
        format!("./{name}")
    };
    let source = find_model(&name)?;
    let engine = load(&source.path)?;
    let limit_bytes = args.limit_gib.saturating_mul(1 << 30);
    let (added, about) = store.add(&args.file, &engine.model().description(), limit_bytes)?;
    if args.json {
        return print_json(&ModelRecord::from(about));
    }
    if matches!(added, Added::Known) {
        eprintln!("camelid: the model was in the store already");
    }
    Ok(writeln!(stdout(), "{}", about.root)?)
}

fn check_sha256(path: &Path, expected: &str) -> Result<(), Failure> {
    let mut hasher = Sha256::new();
    let unreadable = |error: io::Error| {
        Failure::load(
            path,
            format!("cannot be read: {error}"),
            "name a file that exists",
        )
    };
    let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
    loop {
        let read = file.fill_buf().map_err(unreadable)?;
        if read.is_empty() {
            break;
        }
        hasher.update(read);
        let count = read.len();
        file.consume(count);
    }
    let found: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    let hint = "it is not the file that was meant: fetch it again";
    Err(Failure::load(
        path,
        format!("has the SHA-256 {found}, not {expected}"),
        hint,
    ))
}

fn list(args: &ListArgs, color: ColorWhen) -> Result<(), Failure> {
    let embedded = ModelRecord::new(
        embedded_root().to_string(),
        EMBEDDED.len() as u64,
        u32::try_from(EMBEDDED.len().div_ceil(CHUNK_BYTES)).unwrap_or(u32::MAX),
        EMBEDDED_NAME.into(),
        "in this program".into(),
    );
    let stored = Store::default_place()?.list()?;
    let models: Vec<ModelRecord> = std::iter::once(embedded)
        .chain(stored.into_iter().map(ModelRecord::from))
        .collect();
    if args.json {
        return models.iter().try_for_each(print_json);
    }
    let mut table = new_table(&["root", "bytes", "name", "model"], color.on_stdout());
    for model in &models {
        table.add_row(vec![
            Cell::new(&model.root),
            Cell::new(model.bytes).set_alignment(CellAlignment::Right),
            Cell::new(&model.name),
            Cell::new(&model.description),
        ]);
    }
    Ok(writeln!(stdout(), "{table}")?)
}

fn root(args: &OneArgs) -> Result<(), Failure> {
    let path = Path::new(&args.model);
    let chunks = if path.exists() {
        chunks_of(path)?
    } else {
        chunks_of(&find_model(&args.model)?.path)?
    };
    if !args.json {
        return Ok(writeln!(stdout(), "{}", chunks.root)?);
    }
    print_json(&RootRecord {
        schema: "camelid.model.root.v1",
        root: chunks.root.to_string(),
        bytes: chunks.bytes,
        chunks: chunks.count,
    })
}

fn inspect(args: &OneArgs) -> Result<(), Failure> {
    let engine = load(&find_model(&args.model)?.path)?;
    let record = InspectRecord::new(&engine);
    if args.json {
        return print_json(&record);
    }
    Ok(stdout().lock().write_all(in_words(&record).as_bytes())?)
}

fn in_words(record: &InspectRecord) -> String {
    let tensors: Vec<String> = record
        .tensors
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    let ends: Vec<String> = record
        .end_tokens
        .iter()
        .map(|end| format!("{} {:?}", end.id, end.text))
        .collect();
    format!(
        "root        {}\n\
         size        {} bytes in {} chunks\n\
         model       {}, {} parameters\n\
         tensors     {}\n\
         context     {} tokens\n\
         vocabulary  {} tokens, {}\n\
         end tokens  {}\n\
         model id    {}\n\
         profile     {}, {}\n\
         tolerance   {} milli-logits for claims of other profiles, fraud above {}\n\
         golden      {}\n",
        record.root,
        record.bytes,
        record.chunks,
        record.description,
        record.parameters,
        tensors.join(", "),
        record.context,
        record.vocabulary,
        if record.chat_template {
            "with a chat template"
        } else {
            "no chat template"
        },
        ends.join(", "),
        record.model_id,
        record.profile,
        if record.exact { "exact" } else { "tolerant" },
        record.tolerance_milli,
        record.slash_tolerance_milli,
        record.golden,
    )
}

fn quantize_model(args: &QuantizeArgs) -> Result<(), Failure> {
    let source = find_model(&args.model)?;
    let unwritable = |error| Failure::Write {
        path: args.out.clone(),
        error,
    };
    let copy = beside(&args.out).map_err(unwritable)?.into_temp_path();
    quantize(&source.path, &copy, &args.kind, 1).map_err(|error| engine_failure(&source.path, error))?;
    let root = chunks_of(&copy)?.root;
    copy.persist(&args.out).map_err(|error| unwritable(error.error))?;
    Ok(writeln!(stdout(), "{root}")?)
}
