//! wasm-bindgen, in the version that `Cargo.lock` names, and what it leaves to be gained in size.

use std::fs;

use anyhow::{Context, Result, ensure};
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;

use crate::build::{BOUND, COMPILED};
use crate::run::root;
use crate::sweep::sweep;

/// The name by which the instance imports its JavaScript.
const MODULE: &str = "./qrvey_auth_bg.js";

/// Whether a function formats text. The module itself formats nothing: its own messages are put
/// together from strings, serde's are replaced by ones that name the option, and of a panic only the
/// place is reported. So whatever such a function would write, nobody ever sees it.
fn formats(name: &str) -> bool {
    name.ends_with("as core::fmt::Debug>::fmt")
        || name.ends_with("as core::fmt::Display>::fmt")
        || name.contains("as core::fmt::Write>::write_")
        || name.starts_with("<core::fmt::Formatter>::")
        || name.starts_with("core::fmt::float::")
        || name.starts_with("core::fmt::write")
}

/// Writes the instance and its JavaScript to `target/bindgen`.
pub(crate) fn generate() -> Result<()> {
    let wasm = fs::read(root().join(COMPILED)).with_context(|| format!("{COMPILED} is missing"))?;
    let wasm = sweep(&wasm, formats)?;
    let mut output = Bindgen::new()
        .input_bytes("qrvey_auth", wasm)
        .web(true)?
        .omit_default_module_path(true)
        .reset_state_function(true)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen failed")?;
    let renamed = shorten_imports(output.wasm_mut());
    let directory = root().join(BOUND);
    let directory = directory.parent().context("no folder to write to")?;
    output.emit(directory)?;
    let path = directory.join("qrvey_auth.js");
    let mut script = fs::read_to_string(&path)?.replace(&format!("\"{MODULE}\": import0"), "i: import0");
    for (long, short) in renamed {
        let shortened = script.replace(&format!(" {long}: "), &format!(" {short}: "));
        ensure!(
            shortened != script,
            "the bindings do not mention {long}: has wasm-bindgen changed its output?"
        );
        script = shortened;
    }
    fs::write(path, script)?;
    Ok(())
}

/// Shortens the names by which the instance and its JavaScript know each other: each carries a hash
/// that no compression can shrink. Returns the old names with the new.
fn shorten_imports(module: &mut Module) -> Vec<(String, String)> {
    let mut renamed = Vec::new();
    for import in module.imports.iter_mut().filter(|import| import.module == MODULE) {
        let long = std::mem::replace(&mut import.name, format!("i{}", renamed.len()));
        renamed.push((long, import.name.clone()));
        "i".clone_into(&mut import.module);
    }
    renamed
}
