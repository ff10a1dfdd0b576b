//! wasm-bindgen, in the version that `Cargo.lock` names, and what it leaves to be gained in size.

use std::fs;

use anyhow::{Context, Result, ensure};
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;

use crate::build::Instance;
use crate::run::root;
use crate::sweep::sweep;

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
pub(crate) fn generate(instance: &Instance) -> Result<()> {
    let compiled = instance.compiled();
    let wasm = fs::read(root().join(&compiled)).with_context(|| format!("{compiled} is missing"))?;
    let wasm = sweep(&wasm, formats)?;
    let mut output = Bindgen::new()
        .input_bytes(instance.name, wasm)
        .web(true)?
        .omit_default_module_path(true)
        .reset_state_function(true)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen failed")?;
    // The name by which the instance imports its JavaScript.
    let module = format!("./{}_bg.js", instance.name);
    let renamed = shorten_imports(output.wasm_mut(), &module);
    let bound = root().join(instance.bound());
    let directory = bound.parent().context("no folder to write to")?;
    output.emit(directory)?;
    let path = directory.join(format!("{}.js", instance.name));
    let mut script = fs::read_to_string(&path)?.replace(&format!("\"{module}\": import0"), "i: import0");
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
fn shorten_imports(module: &mut Module, imported: &str) -> Vec<(String, String)> {
    let mut renamed = Vec::new();
    for import in module.imports.iter_mut().filter(|import| import.module == imported) {
        let long = std::mem::replace(&mut import.name, format!("i{}", renamed.len()));
        renamed.push((long, import.name.clone()));
        "i".clone_into(&mut import.module);
    }
    renamed
}
