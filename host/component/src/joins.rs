//! How hard a function is to compile.

use wasmparser::{BlockType, FunctionBody, Operator};

/// What a loop counts for each local, where a branch counts 1. Measured: a compiler keeps some 1.3 kB for each local of each loop
/// around it, and 40 bytes for each local at each entry of a jump table.
const LOOP: u64 = 10;

/// Parameters and results of a function or block.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Signature {
    pub(crate) params: u64,
    pub(crate) results: u64,
}

/// What the functions of a module take and return.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    /// By type index.
    pub(crate) types: Vec<Signature>,
    /// Type indices of the functions that have code, in the order of their code.
    pub(crate) functions: Vec<u32>,
    /// Functions whose code was read.
    read: usize,
}

impl Signatures {
    fn of_type(&self, index: u32) -> Signature {
        self.types.get(index as usize).copied().unwrap_or_default()
    }

    fn of_block(&self, block: BlockType) -> Signature {
        match block {
            BlockType::Empty => Signature::default(),
            BlockType::Type(_) => Signature { params: 0, results: 1 },
            BlockType::FuncType(index) => self.of_type(index),
        }
    }

    /// The joins of the next function: a compiler has to find out what a local is wherever ways of control flow meet, so that its
    /// time and memory grow with the product of locals and such places, which can be huge in a small file. Locals are those of the
    /// function, its parameters, and each value that a block takes or returns (measured: 42 bytes for each such value of each
    /// loop, for each loop). Places are branches, entries of jump tables and ends of blocks, and loops [`LOOP`] times.
    ///
    /// # Errors
    /// Where the function's code is malformed.
    pub(crate) fn joins(&mut self, body: &FunctionBody<'_>) -> wasmparser::Result<u64> {
        let own = self.functions.get(self.read).map_or(Signature::default(), |index| self.of_type(*index));
        self.read += 1;
        let mut locals = own.params;
        for declared in body.get_locals_reader()? {
            locals = locals.saturating_add(u64::from(declared?.0));
        }
        let (mut meetings, mut values, mut passed) = (0_u64, 0_u64, 0_u64);
        // How many values a branch to each enclosing block carries, the innermost last.
        let mut labels = vec![own.results];
        let carried = |labels: &[u64], depth: u32| {
            let place = labels.len().checked_sub(1 + depth as usize);
            place.map_or(0, |place| labels[place])
        };
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            match operators.read()? {
                Operator::Loop { blockty } => {
                    let block = self.of_block(blockty);
                    meetings += LOOP;
                    values += block.params + block.results;
                    labels.push(block.params);
                }
                Operator::Block { blockty } | Operator::If { blockty } => {
                    let block = self.of_block(blockty);
                    values += block.params + block.results;
                    labels.push(block.results);
                }
                Operator::End => {
                    meetings += 1;
                    labels.pop();
                }
                Operator::Br { relative_depth } | Operator::BrIf { relative_depth } => {
                    meetings += 1;
                    passed += carried(&labels, relative_depth);
                }
                Operator::BrTable { targets } => {
                    meetings += u64::from(targets.len());
                    passed += carried(&labels, targets.default());
                    for depth in targets.targets() {
                        passed += carried(&labels, depth?);
                    }
                }
                _ => {}
            }
        }
        Ok(locals.saturating_add(values).saturating_mul(meetings).saturating_add(passed))
    }
}
