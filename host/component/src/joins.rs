//! How hard a function is to compile.

use wasmparser::{FunctionBody, Operator};

/// What a loop counts, where an entry of a jump table counts 1. Measured: a compiler keeps some 1.3 kB for each local of
/// each loop around it, and 40 bytes for each local at each entry.
const LOOP: u64 = 10;

/// The joins of a function: its locals, each times the loops and the entries of jump tables. A compiler has to find out what
/// a local is wherever ways of control flow meet, so that its time and memory grow with this product, which can be huge in a
/// small file.
///
/// # Errors
/// Where the function's code is none.
pub(crate) fn joins(body: &FunctionBody<'_>) -> wasmparser::Result<u64> {
    let mut locals = 0_u64;
    for declared in body.get_locals_reader()? {
        locals = locals.saturating_add(u64::from(declared?.0));
    }
    let mut meetings = 0_u64;
    if locals == 0 {
        return Ok(0);
    }
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        match operators.read()? {
            Operator::Loop { .. } => meetings += LOOP,
            Operator::BrTable { targets } => meetings += u64::from(targets.len()),
            _ => {}
        }
    }
    Ok(locals.saturating_mul(meetings))
}
