//! Which modules become components.

use crate::support::{module, source, world_module};
use rally_component::{EncodeError, encode};

#[test]
fn a_module_without_the_interface_does_not_use_the_sdk() {
    let module = wat::parse_str("(module (memory (export \"memory\") 1))").expect("WAT");
    let error = encode(&module).expect_err("no interface");
    assert!(matches!(error, EncodeError::NoInterface), "{error}");
    assert!(error.to_string().contains("does not use the SDK"), "{error}");
}

#[test]
fn a_module_built_for_wasi_is_told_what_to_build_for() {
    let module = with_import("wasi_snapshot_preview1");
    let error = encode(&module).expect_err("WASI");
    assert!(
        matches!(&error, EncodeError::Imports { names } if names == &["wasi_snapshot_preview1"]),
        "{error}"
    );
    assert!(error.to_string().contains("wasm32-unknown-unknown"), "{error}");
}

#[test]
fn a_library_for_browsers_is_named() {
    let error = encode(&with_import("__wbindgen_placeholder__")).expect_err("a browser's import");
    assert!(error.to_string().contains("wasm-bindgen"), "{error}");
}

#[test]
fn a_component_is_not_encoded_again() {
    assert!(matches!(encode(&source()), Err(EncodeError::Component)));
}

#[test]
fn bytes_that_are_no_module_say_where() {
    assert!(matches!(encode(b"\0asm\x01\0\0\0\x99"), Err(EncodeError::Malformed { .. })));
    assert!(matches!(encode(b"hello"), Err(EncodeError::Malformed { .. })));
}

#[test]
fn a_module_that_lacks_what_its_interface_says_is_refused() {
    let full = module("0.1.0", &["log"], &["extension", "runners"]);
    let empty = wat::parse_str("(module (memory (export \"memory\") 1))").expect("WAT");
    let mut lacking = empty;
    lacking.extend(interface_section(&full));
    let error = encode(&lacking).expect_err("nothing is exported");
    assert!(matches!(error, EncodeError::Encoding(_)), "{error}");
}

/// A module that has the interface and imports a function of another module.
fn with_import(from: &str) -> Vec<u8> {
    let mut wasm = wat::parse_str(format!("(module (import \"{from}\" \"f\" (func)))")).expect("WAT");
    wasm.extend(interface_section(&world_module("0.1.0", "import rally:track/log@0.1.0;\n")));
    wasm
}

/// The custom section of a module that has its interface, with its header.
fn interface_section(module: &[u8]) -> Vec<u8> {
    for payload in wasmparser::Parser::new(0).parse_all(module) {
        if let wasmparser::Payload::CustomSection(section) = payload.expect("a module")
            && section.name().starts_with("component-type")
        {
            let content = &module[section.range()];
            let mut bytes = vec![0];
            let mut size = content.len();
            while size > 127 {
                bytes.push((size % 128) as u8 | 128);
                size /= 128;
            }
            bytes.push(size as u8);
            bytes.extend(content);
            return bytes;
        }
    }
    panic!("no interface in the module");
}
