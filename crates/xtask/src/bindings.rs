//! wasm-bindgen, in the version that `Cargo.lock` names, and what it leaves to be gained in size.

use std::fs;

use anyhow::{Context, Result, ensure};
use walrus::{FunctionBuilder, FunctionKind, Module, ValType};
use wasm_bindgen_cli_support::Bindgen;

use crate::build::{BOUND, COMPILED};
use crate::run::root;

/// The name by which the instance imports its JavaScript.
const MODULE: &str = "./qrvey_auth_bg.js";

/// Formatting that the standard library and serde link in. The module itself formats nothing: its own
/// messages are put together from strings, serde's are replaced by ones that name the option, and of
/// a panic only the place is reported. So whatever these write, nobody ever sees it.
const UNSEEN_TEXT: [&str; 10] = [
    "<&str as core::fmt::Debug>::fmt",
    "<char as core::fmt::Debug>::fmt",
    "<core::fmt::Formatter>::pad",
    "<core::ops::range::Range<usize> as core::fmt::Debug>::fmt",
    "<serde_core::de::OneOf as core::fmt::Display>::fmt",
    "<serde_core::de::Unexpected as core::fmt::Display>::fmt",
    "<wasm_bindgen::JsValue as core::fmt::Debug>::fmt",
    "core::fmt::float::float_to_decimal_common_exact",
    "core::fmt::float::float_to_decimal_common_shortest",
    "core::fmt::write",
];

/// Writes the instance and its JavaScript to `target/bindgen`.
pub(crate) fn generate() -> Result<()> {
    let wasm = fs::read(root().join(COMPILED)).with_context(|| format!("{COMPILED} is missing"))?;
    let mut module = Module::from_buffer(&wasm)?;
    leave_out_unseen_text(&mut module)?;
    let mut output = Bindgen::new()
        .input_module("qrvey_auth", module)
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

/// Gives the functions of [`UNSEEN_TEXT`] an empty body that answers `Ok(())`.
fn leave_out_unseen_text(module: &mut Module) -> Result<()> {
    for unseen in UNSEEN_TEXT {
        let found: Vec<_> = module
            .funcs
            .iter()
            .filter(|function| {
                function.name.as_deref().is_some_and(|name| demangled(name).starts_with(unseen))
            })
            .map(walrus::Function::id)
            .collect();
        if found.is_empty() {
            println!("  note: {unseen} is not in the module; another compiler may have inlined it");
        }
        for id in found {
            let ty = module.types.get(module.funcs.get(id).ty());
            let (parameters, results) = (ty.params().to_vec(), ty.results().to_vec());
            ensure!(results == [ValType::I32], "{unseen} does not return a fmt::Result");
            let mut builder = FunctionBuilder::new(&mut module.types, &parameters, &results);
            builder.func_body().i32_const(0);
            let arguments = parameters.iter().map(|ty| module.locals.add(*ty)).collect();
            module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(arguments));
        }
    }
    Ok(())
}

fn demangled(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
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
