//! How large a component may be before anyone compiles it.

/// Bounds on a component. Compiling takes time and memory in proportion to what is inside, and it cannot be interrupted, so
/// that what comes from a stranger is measured first.
///
/// `--extension-max-size` sets [`size`](Bounds::size); what grows with the size grows with it ([`Bounds::of_size`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Size of the file in bytes. Default: 64 MiB. A guest in a compiled language has 30 kB to 2 MB; an interpreter with its
    /// library has 29 MB (CPython), so that 32 MiB would leave it no room to grow.
    pub size: u64,
    /// Functions of all core modules together. Default: 100,000. An interpreter has some 15,000; a compiler needs about
    /// 0.1 ms for each on one processor, so that this many are ten seconds.
    pub functions: u64,
    /// Size of one function in bytes. Default: 2 MiB. Time and memory for compiling grow faster than a function's size; the
    /// interpreter loop of CPython, the largest function known, has a few hundred kB.
    pub function_size: u64,
    /// Locals of one function and values that its blocks take or return, times ten for each of its loops and one for each branch,
    /// each end of a block and each entry of its jump tables. Default: 4,000,000, for which a compiler needs up
    /// to 500 MB: it keeps what a value is for every place where ways of control flow meet. 100 kB of code can be made to need
    /// 10 GB. The largest of CPython's functions comes to some 300,000.
    pub function_joins: u64,
    /// The same of all functions together. Default: 40,000,000, which take up to half a minute.
    pub joins: u64,
    /// Types, imports, exports, aliases and instances of all modules and components together, in bytes. Default: 4 MiB. All
    /// of that is kept in memory while a file is read, at up to some 40 times its size.
    pub declarations: u64,
    /// Core modules. Default: 64. One that a compiler has built becomes three; an interpreter's comes with one for each of its
    /// shared libraries.
    pub modules: u64,
    /// Memories that core modules define. Default: 16. Compiled guests and interpreters have one.
    pub memories: u64,
    /// Tables that core modules define. Default: 64, as many as modules.
    pub tables: u64,
    /// How deep components may lie in components. Default: 1, which is what the interface's types need: each exported
    /// interface is wrapped once.
    pub depth: u64,
    /// Whether a component inside the component may contain code: whether it was composed of several. Default: no. Calls
    /// between composed components are compiled into adapters that most security advisories of such engines are about, and
    /// no compiler of a single extension makes any.
    pub composed: bool,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            size: 64 << 20,
            functions: 100_000,
            function_size: 2 << 20,
            function_joins: 4_000_000,
            joins: 40_000_000,
            declarations: 4 << 20,
            modules: 64,
            memories: 16,
            tables: 64,
            depth: 1,
            composed: false,
        }
    }
}

impl Bounds {
    /// Bounds for files of up to `size` bytes. What a larger file has more of is allowed in proportion; smaller files are held
    /// to the defaults.
    pub fn of_size(size: u64) -> Bounds {
        let default = Bounds::default();
        let grown = |value: u64| {
            let scaled = u128::from(value) * u128::from(size) / u128::from(default.size);
            u64::try_from(scaled).unwrap_or(u64::MAX).max(value)
        };
        Bounds {
            size,
            functions: grown(default.functions),
            function_size: grown(default.function_size),
            function_joins: grown(default.function_joins),
            joins: grown(default.joins),
            declarations: grown(default.declarations),
            ..default
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_grows_with_the_size_grows_with_it() {
        let bounds = Bounds::of_size(128 << 20);
        assert_eq!(bounds.size, 128 << 20);
        assert_eq!(bounds.functions, 200_000);
        assert_eq!(bounds.memories, Bounds::default().memories);
    }

    #[test]
    fn a_smaller_size_lowers_nothing_else() {
        assert_eq!(Bounds::of_size(1 << 20), Bounds { size: 1 << 20, ..Bounds::default() });
        assert_eq!(Bounds::of_size(u64::MAX).size, u64::MAX);
    }
}
