//! From a case's text to the component that a stranger ships.
//!
//! A case is a core module that says only what is hostile about it. Everything else that its roles need is added from
//! `parts`: a part is left out where the case exports the same function itself. The module then gets the real interface and
//! becomes a component, as any guest does. Cases that begin with `(component` are taken as they are.

use std::fs;
use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A hostile component and what is said about it.
#[derive(Default)]
pub struct Case {
    /// Name of its file.
    pub name: String,
    /// What it does, and what is expected.
    pub says: Vec<String>,
    /// What it exports beside `extension`: `source`, `runner`, `scheduler`, `processor`, `validator`.
    pub roles: Vec<String>,
    /// The role that the track asks for, where it is not the one that is exported.
    pub races: Option<String>,
    /// How many clients race.
    pub clients: u32,
    /// How many requests are raced.
    pub iterations: Option<u64>,
    /// Parts that it asks for.
    uses: Vec<String>,
    text: String,
}

/// The folder of these tests.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile")
}

/// All cases, by name.
pub fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder().join("components"))
        .expect("the folder of components")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wat"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

impl Case {
    /// Reads the file of a case.
    pub fn read(path: &Path) -> Case {
        let text = fs::read_to_string(path).expect("a case");
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let mut case = Case { name, clients: 2, ..Case::default() };
        for line in text.lines() {
            if let Some(said) = line.strip_prefix(";;@ ") {
                let (key, value) = said.split_once(": ").expect("a key and a value");
                match key {
                    "roles" => case.roles = value.split(' ').map(str::to_owned).collect(),
                    "uses" => case.uses = value.split(' ').map(str::to_owned).collect(),
                    "races" => case.races = Some(value.to_owned()),
                    "clients" => case.clients = value.parse().expect("a number"),
                    "iterations" => case.iterations = Some(value.parse().expect("a number")),
                    other => panic!("{}: unknown key {other}", case.name),
                }
            } else if let Some(said) = line.strip_prefix(";; ") {
                case.says.push(said.to_owned());
            } else {
                case.text.push_str(line);
                case.text.push('\n');
            }
        }
        case
    }

    /// The bytes of its file.
    pub fn bytes(&self) -> Vec<u8> {
        if self.roles.is_empty() {
            return wat::parse_str(&self.text).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        }
        let mut module =
            wat::parse_str(self.whole()).unwrap_or_else(|error| panic!("{}: {error}", self.name));
        let (resolve, world) = self.world();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("embedded");
        // What the component does is not validated: that is what the host is for.
        let mut encoder = ComponentEncoder::default().module(&module).expect("a module");
        encoder.encode().unwrap_or_else(|error| panic!("{}: {error:?}", self.name))
    }

    /// The module with the parts that it leaves out.
    fn whole(&self) -> String {
        let begin = self.text.strip_prefix("(module").expect("a module");
        let rest = begin.trim_end().strip_suffix(')').expect("the end of the module");
        let mut text = String::from("(module");
        let imports = self.roles.iter().chain(&self.uses).map(|name| format!("{name}-imports"));
        for name in imports {
            text.push_str(&part(&name).unwrap_or_default());
        }
        text.push_str(rest);
        let mut names: Vec<String> = self.uses.iter().map(|name| format!("runner-{name}")).collect();
        names.extend([
            "memory".to_owned(),
            "realloc".to_owned(),
            format!("describe-{}", self.roles.join("-")),
        ]);
        for role in &self.roles {
            let own: &[&str] = match role.as_str() {
                "source" => &["open", "extent", "next", "next-lines", "progress"],
                "runner" => &["open", "run", "progress"],
                "scheduler" => &["open", "next"],
                "processor" => &["on-load", "on-prepare", "run-job"],
                _ => &["validate"],
            };
            names.extend(own.iter().map(|name| format!("{role}-{name}")));
        }
        for name in names {
            let Some(part) = part(&name) else { continue };
            if !text.contains(exported(&part)) {
                text.push('\n');
                text.push_str(&part);
            }
        }
        text.push(')');
        text
    }

    fn world(&self) -> (Resolve, wit_parser::WorldId) {
        let mut resolve = Resolve::default();
        resolve.push_dir(folder().join("../../wit/0.1.0")).expect("the interface");
        let mut text = String::from("package hostile:guest;\nworld guest {\n");
        for import in ["log", "clock", "assets", "data", "bodies", "corpora", "client"] {
            text.push_str(&format!("import rally:track/{import}@0.1.0;\n"));
        }
        text.push_str("export rally:track/extension@0.1.0;\n");
        for role in &self.roles {
            let interface = if role == "source" { "param-sources".to_owned() } else { format!("{role}s") };
            text.push_str(&format!("export rally:track/{interface}@0.1.0;\n"));
        }
        text.push_str("}\n");
        let package = resolve.push_str("guest.wit", &text).expect("a world");
        let world = resolve.select_world(&[package], Some("guest")).expect("the world");
        (resolve, world)
    }
}

fn part(name: &str) -> Option<String> {
    fs::read_to_string(folder().join("parts").join(format!("{name}.wat"))).ok()
}

/// The first thing that a part exports, as it is written there.
fn exported(part: &str) -> &str {
    let from = part.find("(export ").expect("a part exports something");
    let to = part[from..].find(')').expect("the end of the export");
    &part[from..=from + to]
}
