//! What `inspect` tells of components, and why it refuses files.

use crate::support::{component, module, source, world_module};
use rally_component::{Bound, Bounds, Capability, Digest, InspectError, Role, Version, encode, inspect};

fn refused(bytes: &[u8]) -> InspectError {
    inspect(bytes, &Bounds::default()).expect_err("refused")
}

#[test]
fn a_component_tells_what_it_asks_for_and_what_it_offers() {
    let bytes = source();
    let facts = inspect(&bytes, &Bounds::default()).expect("a component");
    assert_eq!(facts.size, bytes.len() as u64);
    assert_eq!(facts.digest, Digest::of(&bytes));
    assert_eq!(facts.wit_version, Version::new(0, 1, 0));
    assert_eq!(facts.roles, [Role::ParamSources]);
    let imports: Vec<&str> = facts.imports.iter().map(|import| import.interface.as_str()).collect();
    assert_eq!(imports, ["assets", "bodies", "clock", "files", "log", "race", "types"]);
    assert!(facts.capabilities().any(|capability| capability == Capability::Clock));
    assert!(!facts.capabilities().any(|capability| capability == Capability::Client));
    assert_eq!(facts.ignored_exports, Vec::<String>::new());
    assert!(facts.counts.functions > 0 && facts.counts.code > 0 && facts.counts.memories == 1);
    assert!(facts.producers.iter().any(|producer| producer.name == "wit-component"), "{:?}", facts.producers);
}

#[test]
fn all_roles_are_found() {
    let exports: Vec<&str> =
        ["extension"].into_iter().chain(Role::ALL.iter().map(|role| role.interface())).collect();
    let bytes = component(&module("0.1.0", &["client", "data", "corpora"], &exports));
    let facts = inspect(&bytes, &Bounds::default()).expect("a component");
    assert_eq!(facts.roles, Role::ALL);
}

#[test]
fn an_encoded_module_is_accepted_and_the_same_each_time() {
    let module = module("0.1.0", &["client"], &["extension", "runners"]);
    let bytes = encode(&module).expect("encoded");
    assert_eq!(bytes, encode(&module).expect("encoded"));
    let facts = inspect(&bytes, &Bounds::default()).expect("a component");
    assert!(facts.capabilities().any(|capability| capability == Capability::Client));
}

#[test]
fn other_files_are_not_webassembly() {
    let said = |bytes: &[u8]| match refused(bytes) {
        InspectError::NotWasm(what) => what,
        other => panic!("{other}"),
    };
    assert!(said(b"").contains("empty"));
    assert!(said(b"{\"track\": 1}").contains("{\\\"track"));
    assert!(said(b" (component)").contains("text form"));
    assert!(said(b"\x7fELF\x02").contains("ship the .wasm"));
    assert!(said(b"\0as").contains("\\x00as"));
}

#[test]
fn a_file_that_was_cut_short_says_where() {
    let bytes = source();
    for size in [4, 7, 9, bytes.len() / 2, bytes.len() - 1] {
        let error = refused(&bytes[..size]);
        assert!(
            matches!(error, InspectError::Truncated { size: said, .. } if said == size as u64),
            "{size}: {error}"
        );
    }
}

#[test]
fn damaged_bytes_say_where() {
    let mut bytes = source();
    bytes[8] = 0x7f;
    let error = refused(&bytes);
    assert!(matches!(error, InspectError::Malformed { .. }), "{error}");
    assert!(error.to_string().contains("damaged at byte"), "{error}");
}

#[test]
fn a_core_module_is_told_how_to_become_a_component() {
    let error = refused(&module("0.1.0", &["log"], &["extension", "runners"]));
    assert_eq!(error, InspectError::CoreModule);
    assert!(error.to_string().contains("rally extension build"));
}

#[test]
fn a_large_file_is_refused_before_it_is_read() {
    let bytes = source();
    let bounds = Bounds { size: 100, ..Bounds::default() };
    let error = inspect(&bytes, &bounds).expect_err("too large");
    let InspectError::TooLarge { bound: Bound::Size, count, limit: 100 } = error else { panic!("{error}") };
    assert_eq!(count, bytes.len() as u64);
    assert!(error.to_string().contains("--extension-max-size"), "{error}");
}

#[test]
fn too_many_of_anything_is_refused() {
    let bytes = source();
    let counts = inspect(&bytes, &Bounds::default()).expect("a component").counts;
    let default = Bounds::default();
    for (bound, bounds) in [
        (Bound::Functions, Bounds { functions: counts.functions - 1, ..default.clone() }),
        (Bound::FunctionSize, Bounds { function_size: counts.largest_function - 1, ..default.clone() }),
        (Bound::Modules, Bounds { modules: counts.modules - 1, ..default.clone() }),
        (Bound::Memories, Bounds { memories: counts.memories - 1, ..default.clone() }),
        (Bound::Declarations, Bounds { declarations: 64, ..default.clone() }),
    ] {
        let error = inspect(&bytes, &bounds).expect_err("too much");
        assert!(matches!(error, InspectError::TooLarge { bound: said, .. } if said == bound), "{error}");
    }
    let tables =
        wat::parse_str("(component (core module (table 1 funcref) (table 1 funcref)))").expect("WAT");
    let error = inspect(&tables, &Bounds { tables: 1, ..default }).expect_err("too many");
    assert!(matches!(error, InspectError::TooLarge { bound: Bound::Tables, count: 2, limit: 1 }), "{error}");
}

/// A component with functions of so many locals, nested loops and entries of a jump table.
fn with_joins(functions: usize, locals: usize, loops: usize, entries: usize) -> Vec<u8> {
    let function = format!(
        "(func (local {}) {} (br_table {} (i32.const 0)) {})",
        "i32 ".repeat(locals),
        "loop ".repeat(loops),
        "0 ".repeat(entries + 1),
        "end ".repeat(loops)
    );
    wat::parse_str(format!("(component (core module {}))", function.repeat(functions))).expect("WAT")
}

#[test]
fn small_code_that_takes_a_compiler_gigabytes_is_refused() {
    for (bytes, bound, count) in [
        (with_joins(1, 10_000, 500, 1), Bound::FunctionJoins, 55_020_000),
        (with_joins(1, 2_000, 1, 50_000), Bound::FunctionJoins, 100_024_000),
        (with_joins(11, 1_000, 350, 100), Bound::Joins, 43_461_000),
    ] {
        let InspectError::TooLarge { bound: said, count: counted, .. } = refused(&bytes) else {
            panic!("not too large")
        };
        assert_eq!((said, counted), (bound, count));
    }
    let values = "i32 ".repeat(1_000);
    let pushed = "i32.const 0 ".repeat(1_000);
    let dropped = "drop ".repeat(1_000);
    let with_values = |blocks: &str| {
        let types = format!("(type $t (func (param {values}) (result {values})))");
        let function = format!("(func (param i32) {pushed} {blocks} {dropped})");
        wat::parse_str(format!("(component (core module {types} {function}))")).expect("WAT")
    };
    let locals = "i32 ".repeat(2_000);
    let branches = format!("(func (local {locals}) block {} end)", "local.get 0 br_if 0 ".repeat(3_000));
    for (what, bytes) in [
        (
            "loops with parameters",
            with_values(&format!(
                "{} {}",
                "loop (type $t) ".repeat(100),
                "local.get 0 br_if 0 end ".repeat(100)
            )),
        ),
        (
            "blocks with parameters",
            with_values(&format!("{} {}", "block (type $t) ".repeat(200), "end ".repeat(200))),
        ),
        ("conditions with parameters", with_values(&"local.get 0 if (type $t) else end ".repeat(200))),
        ("branches", wat::parse_str(format!("(component (core module {branches}))")).expect("WAT")),
    ] {
        let error = refused(&bytes);
        assert!(
            matches!(error, InspectError::TooLarge { bound: Bound::FunctionJoins, .. }),
            "{what}: {error}"
        );
    }
    // What is left is refused for another reason: it exports nothing.
    assert!(matches!(refused(&with_joins(5, 1_000, 350, 100)), InspectError::NoExtension { .. }));
}

#[test]
fn imports_that_no_rally_offers_are_all_named() {
    let bytes = wat::parse_str(
        r#"(component
            (import "wasi:cli/environment@0.2.0" (instance))
            (import "rally:track/log@0.1.0" (instance))
            (import "rally:track/shell@0.1.0" (instance))
            (import "secret" (func)))"#,
    )
    .expect("WAT");
    let error = refused(&bytes);
    let InspectError::Imports { names } = &error else { panic!("{error}") };
    assert_eq!(names, &["wasi:cli/environment@0.2.0", "rally:track/shell@0.1.0", "secret"]);
    assert!(error.to_string().contains("wasm32-unknown-unknown"), "{error}");
}

#[test]
fn a_component_that_does_not_say_what_it_is_is_no_extension() {
    let error = refused(&component(&module("0.1.0", &["log"], &["runners"])));
    assert!(matches!(error, InspectError::NoExtension { .. }), "{error}");
    assert!(error.to_string().contains("it exports rally:track/runners@0.1.0"), "{error}");
    assert!(refused(&wat::parse_str("(component)").expect("WAT")).to_string().contains("it exports nothing"));
}

#[test]
fn an_extension_without_roles_is_refused() {
    assert_eq!(refused(&component(&module("0.1.0", &["log"], &["extension"]))), InspectError::NoRole);
}

#[test]
fn a_component_for_a_newer_version_says_which() {
    for needed in ["0.1.7", "0.2.0", "1.0.0"] {
        let error = refused(&component(&module(needed, &["log"], &["extension", "runners"])));
        assert_eq!(error, InspectError::Newer { needed: Version::parse(needed).expect("a version") });
        let text = error.to_string();
        assert!(text.contains("up to 0.1.0") && text.contains(&format!("needs {needed}")), "{text}");
    }
}

#[test]
fn a_version_that_was_never_released_is_refused() {
    let error = refused(&component(&module("0.0.9", &["log"], &["extension", "runners"])));
    assert!(matches!(error, InspectError::UnknownVersion { .. }), "{error}");
}

#[test]
fn two_versions_in_one_component_are_refused() {
    let bytes = wat::parse_str(
        r#"(component
            (import "rally:track/log@0.1.0" (instance))
            (import "rally:track/clock@0.2.0" (instance)))"#,
    )
    .expect("WAT");
    let error = refused(&bytes);
    assert!(matches!(error, InspectError::MixedVersions { .. }), "{error}");
    assert!(error.to_string().contains("rally:track/log@0.1.0 and rally:track/clock@0.2.0"), "{error}");
}

#[test]
fn an_interface_without_a_version_is_refused() {
    let bytes = wat::parse_str(r#"(component (import "rally:track/log" (instance)))"#).expect("WAT");
    assert!(matches!(refused(&bytes), InspectError::Unversioned { .. }));
}

#[test]
fn a_component_composed_of_others_is_refused_unless_allowed() {
    let bytes = wat::parse_str("(component (component (core module)))").expect("WAT");
    assert!(matches!(refused(&bytes), InspectError::Composed { .. }));
    let allowed = Bounds { composed: true, ..Bounds::default() };
    assert!(matches!(inspect(&bytes, &allowed), Err(InspectError::NoExtension { .. })));
}

#[test]
fn components_nest_only_as_deep_as_interfaces_need() {
    let bytes = wat::parse_str("(component (component (component)))").expect("WAT");
    assert_eq!(refused(&bytes), InspectError::Nested { depth: 2, limit: 1 });
}

#[test]
fn nesting_without_end_is_refused_in_bounded_memory() {
    // Each level is the header of a component and of the section that holds the next one.
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    let levels = 100_000;
    for level in 0..levels {
        bytes.push(4);
        let rest = (levels - level) as u32 * 14;
        bytes.extend([
            rest as u8 | 0x80,
            (rest >> 7) as u8 | 0x80,
            (rest >> 14) as u8 | 0x80,
            (rest >> 21) as u8 | 0x80,
            0,
        ]);
        bytes.extend(b"\0asm\x0d\0\x01\0");
    }
    assert!(matches!(refused(&bytes), InspectError::Nested { .. } | InspectError::Truncated { .. }));
}

#[test]
fn parts_of_webassembly_that_are_not_offered_are_named() {
    for (wat, word) in [
        ("(component (core module (memory i64 1)))", "memory64"),
        ("(component (core module (memory 1 1 shared)))", "threads"),
        ("(component (core module (type (struct))))", "gc"),
    ] {
        let error = refused(&wat::parse_str(wat).expect("WAT"));
        assert!(matches!(error, InspectError::Feature { .. }), "{wat}: {error}");
        assert!(error.to_string().contains(word), "{wat}: {error}");
    }
}

#[test]
fn names_out_of_a_file_cannot_steer_a_terminal() {
    // The name of the producer of this module has an escape sequence in it.
    let section = b"\x01\x08language\x01\x05R\x1b[2J\x00";
    let mut wasm = source();
    wasm.push(0);
    wasm.push(1 + 9 + section.len() as u8);
    wasm.push(9);
    wasm.extend(b"producers");
    wasm.extend(section);
    let facts = inspect(&wasm, &Bounds::default()).expect("a component");
    assert!(facts.producers.iter().any(|producer| producer.name == "R\\u{1b}[2J"), "{:?}", facts.producers);
}

#[test]
fn other_exports_are_ignored_and_told() {
    let items = "import rally:track/log@0.1.0;\nexport rally:track/extension@0.1.0;\n\
                 export rally:track/runners@0.1.0;\nexport extra: func();\n";
    let bytes = component(&world_module("0.1.0", items));
    assert_eq!(inspect(&bytes, &Bounds::default()).expect("a component").ignored_exports, ["extra"]);
}
