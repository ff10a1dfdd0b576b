//! What a linker's garbage collection would do if it knew that some functions do nothing.
//!
//! The standard library and serde format numbers, strings and errors into text that this module never
//! shows. Such functions are cut: they do nothing and say `Ok(())`. All that only they needed, tables
//! included, is then found by the relocations that the linker kept, and taken out.

use std::collections::HashSet;
use std::ops::Range;

use anyhow::{Context, Result, ensure};
use wasmparser::{
    BinaryReader, DataKind, ExternalKind, KnownCustom, Linking, Parser, Payload, RelocationType, SymbolInfo,
    TypeRef, ValType,
};

/// One function or piece of data, and the symbols that it refers to.
struct Symbol {
    name: String,
    kind: Kind,
    refers_to: Vec<usize>,
}

enum Kind {
    Function(u32),
    /// Where it stands in the file.
    Data(Range<usize>),
    Other,
}

/// The parts of a linked module that matter here. Positions are positions in the file.
#[derive(Default)]
struct Linked {
    /// The bodies of the functions, from the first that is not imported.
    bodies: Vec<Range<usize>>,
    imported: u32,
    segments: Vec<Range<usize>>,
    /// Which types return one `i32`, and the types of the functions that are not imported.
    types: Vec<bool>,
    functions: Vec<u32>,
    roots: HashSet<u32>,
    symbols: Vec<Symbol>,
    sections: Vec<Range<usize>>,
    relocations: Vec<(usize, usize)>,
    /// What only linkers read.
    linker_sections: Vec<Range<usize>>,
}

/// Empties, among the functions that return one `i32` as a `fmt::Result` is, those whose demangled names
/// `is_cut` picks out, and everything that is then no longer in use.
pub(crate) fn sweep(wasm: &[u8], is_cut: impl Fn(&str) -> bool) -> Result<Vec<u8>> {
    let mut linked = Linked::parse(wasm)?;
    ensure!(!linked.relocations.is_empty(), "the linker kept no relocations");
    let cut: HashSet<u32> = linked
        .symbols
        .iter()
        .filter(|symbol| is_cut(&format!("{:#}", rustc_demangle::demangle(&symbol.name))))
        .filter_map(|symbol| if let Kind::Function(index) = symbol.kind { Some(index) } else { None })
        .filter(|index| linked.returns_one_i32(*index))
        .collect();
    ensure!(!cut.is_empty(), "there is nothing to cut: have names changed?");
    linked.connect(&cut);
    let used = linked.used();

    let mut swept = wasm.to_vec();
    let mut live_data = vec![false; wasm.len()];
    let mut live_functions = HashSet::new();
    for symbol in linked.symbols.iter().zip(&used).filter_map(|(symbol, used)| used.then_some(symbol)) {
        match &symbol.kind {
            Kind::Function(index) => drop(live_functions.insert(*index)),
            Kind::Data(range) => live_data.get_mut(range.clone()).context("no such data")?.fill(true),
            Kind::Other => {}
        }
    }
    for symbol in &linked.symbols {
        if let Kind::Data(range) = &symbol.kind {
            for at in range.clone() {
                if let (Some(byte), Some(false)) = (swept.get_mut(at), live_data.get(at)) {
                    *byte = 0;
                }
            }
        }
    }
    for (index, body) in (linked.imported..).zip(&linked.bodies) {
        let body = swept.get_mut(body.clone()).context("no such function")?;
        if cut.contains(&index) {
            replace_body(body, &[I32_CONST, 0]);
        } else if !live_functions.contains(&index) {
            replace_body(body, &[UNREACHABLE]);
        }
    }
    let mut at = 0;
    let mut out = Vec::new();
    for section in linked.linker_sections {
        out.extend_from_slice(swept.get(at..section.start).context("sections overlap")?);
        at = section.end;
    }
    out.extend_from_slice(swept.get(at..).context("sections overlap")?);
    Ok(out)
}

const UNREACHABLE: u8 = 0x00;
const NOP: u8 = 0x01;
const END: u8 = 0x0b;
const I32_CONST: u8 = 0x41;

/// Writes a body of the same length: no locals, `code`, and nothing more. A body too short for that is
/// left as it is.
fn replace_body(body: &mut [u8], code: &[u8]) {
    if let [locals, rest @ .., end] = body
        && rest.len() >= code.len()
    {
        rest.fill(NOP);
        rest.iter_mut().zip(code).for_each(|(byte, code)| *byte = *code);
        (*locals, *end) = (0, END);
    }
}

impl Linked {
    fn parse(wasm: &[u8]) -> Result<Self> {
        let mut linked = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            let payload = payload?;
            if let Some((_, range)) = payload.as_section() {
                linked.sections.push(range);
            }
            match payload {
                Payload::TypeSection(types) => {
                    for ty in types.into_iter_err_on_gc_types() {
                        linked.types.push(ty?.results() == [ValType::I32]);
                    }
                }
                Payload::FunctionSection(functions) => {
                    linked.functions = functions.into_iter().collect::<Result<_, _>>()?;
                }
                Payload::ImportSection(imports) => {
                    for import in imports.into_imports() {
                        linked.imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        if export.kind == ExternalKind::Func {
                            linked.roots.insert(export.index);
                        }
                    }
                }
                Payload::StartSection { func, .. } => drop(linked.roots.insert(func)),
                Payload::CodeSectionEntry(body) => linked.bodies.push(body.range()),
                Payload::DataSection(segments) => {
                    for segment in segments {
                        let segment = segment?;
                        ensure!(matches!(segment.kind, DataKind::Active { .. }), "passive data");
                        linked.segments.push(segment.range.end - segment.data.len()..segment.range.end);
                    }
                }
                Payload::CustomSection(custom) => linked.custom(wasm, &custom)?,
                _ => {}
            }
        }
        Ok(linked)
    }

    fn custom(&mut self, wasm: &[u8], custom: &wasmparser::CustomSectionReader<'_>) -> Result<()> {
        match custom.as_known() {
            KnownCustom::Linking(linking) => {
                for subsection in linking.subsections() {
                    if let Linking::SymbolTable(symbols) = subsection? {
                        for symbol in symbols {
                            let symbol = self.symbol(&symbol?)?;
                            self.symbols.push(symbol);
                        }
                    }
                }
            }
            KnownCustom::Reloc(relocations) => {
                let section = self.sections.get(usize::try_from(relocations.section_index())?);
                let start = section.context("relocations of no section")?.start;
                for entry in relocations.entries() {
                    let entry = entry?;
                    if entry.ty != RelocationType::TypeIndexLeb {
                        let at = start + usize::try_from(entry.offset)?;
                        self.relocations.push((at, usize::try_from(entry.index)?));
                    }
                }
            }
            _ => return Ok(()),
        }
        // The section's header is a byte for its kind and up to five for its size, before its range.
        let size_bytes = (1..=5)
            .find(|bytes| {
                let start = custom.range().start - bytes;
                let mut reader = BinaryReader::new(wasm.get(start..).unwrap_or_default(), start);
                reader.read_var_u32().is_ok_and(|size| {
                    usize::try_from(size) == Ok(custom.range().len())
                        && reader.original_position() == custom.range().start
                })
            })
            .context("a section without a size")?;
        self.linker_sections.push(custom.range().start - size_bytes - 1..custom.range().end);
        Ok(())
    }

    fn symbol(&self, symbol: &SymbolInfo<'_>) -> Result<Symbol> {
        let (name, kind) = match symbol {
            SymbolInfo::Func { index, name, .. } => (name.unwrap_or_default(), Kind::Function(*index)),
            SymbolInfo::Data { name, symbol: Some(data), .. } => {
                let segment =
                    self.segments.get(usize::try_from(data.index)?).context("data of no segment")?;
                let start = segment.start + usize::try_from(data.offset)?;
                let end = start + usize::try_from(data.size)?;
                // What is zero at the start takes no room in the file.
                (*name, if end <= segment.end { Kind::Data(start..end) } else { Kind::Other })
            }
            _ => ("", Kind::Other),
        };
        Ok(Symbol { name: name.to_owned(), kind, refers_to: Vec::new() })
    }

    fn returns_one_i32(&self, function: u32) -> bool {
        let ty =
            function.checked_sub(self.imported).and_then(|function| self.functions.get(function as usize));
        ty.and_then(|ty| self.types.get(*ty as usize)).is_some_and(|returns| *returns)
    }

    /// Finds out which symbol each relocation stands in. Functions that are cut refer to nothing.
    fn connect(&mut self, cut: &HashSet<u32>) {
        let mut places: Vec<(Range<usize>, usize)> = Vec::new();
        for (id, symbol) in self.symbols.iter().enumerate() {
            match &symbol.kind {
                Kind::Function(index) if !cut.contains(index) => {
                    let body =
                        index.checked_sub(self.imported).and_then(|index| self.bodies.get(index as usize));
                    places.extend(body.map(|body| (body.clone(), id)));
                }
                Kind::Data(range) => places.push((range.clone(), id)),
                _ => {}
            }
        }
        places.sort_by_key(|(range, _)| range.start);
        for (at, target) in &self.relocations {
            let after = places.partition_point(|(range, _)| range.start <= *at);
            // Symbols may share a place: all that hold the relocation refer to its target.
            for (range, id) in
                places.iter().take(after).rev().take_while(|(range, _)| range.start + (1 << 20) > *at)
            {
                if range.contains(at)
                    && let Some(symbol) = self.symbols.get_mut(*id)
                {
                    symbol.refers_to.push(*target);
                }
            }
        }
    }

    /// For each symbol whether it can be reached from an export.
    fn used(&self) -> Vec<bool> {
        let mut used = vec![false; self.symbols.len()];
        let is_root =
            |symbol: &Symbol| matches!(symbol.kind, Kind::Function(index) if self.roots.contains(&index));
        let mut waiting: Vec<usize> =
            self.symbols.iter().enumerate().filter(|(_, symbol)| is_root(symbol)).map(|(id, _)| id).collect();
        while let Some(id) = waiting.pop() {
            if let (Some(used), Some(symbol)) = (used.get_mut(id), self.symbols.get(id))
                && !std::mem::replace(used, true)
            {
                waiting.extend(&symbol.refers_to);
            }
        }
        used
    }
}
