//! The modules of each crate form layers: no module depends on one that depends on it.
//!
//! A module depends on the modules whose items its code names, by `use` or by path. A re-export stands for
//! the module that defines the item, and declaring or re-exporting a child is not a dependency on it.
#![expect(clippy::unwrap_used, reason = "tests panic on failure")]
#![expect(clippy::wildcard_enum_match_arm, reason = "most kinds of items are of no interest here")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

const CRATES: [&str; 8] = [
    "domain",
    "application",
    "adapters/mcp",
    "adapters/protected-mcp",
    "adapters/scalekit",
    "adapters/scalekit-emulator",
    "adapters/storage",
    "bootstrap",
];

/// The path of a module from the root of its crate, which is empty.
type ModulePath = Vec<String>;

#[derive(Default)]
struct Module {
    /// Paths that its code names, relative to the crate.
    named: Vec<ModulePath>,
    /// Names that it re-exports, and the paths that they stand for.
    exported: BTreeMap<String, ModulePath>,
}

/// Every module of a crate that is not a test.
fn modules(root: &Path) -> BTreeMap<ModulePath, Module> {
    let mut modules = BTreeMap::new();
    read(&root.join("src/lib.rs"), &root.join("src"), &Vec::new(), &mut modules);
    modules
}

fn read(file: &Path, folder: &Path, path: &ModulePath, modules: &mut BTreeMap<ModulePath, Module>) {
    let source = fs::read_to_string(file).unwrap();
    let parsed = syn::parse_file(&source).unwrap();
    let mut collector = Collector { path, module: Module::default() };
    for item in &parsed.items {
        match item {
            Item::Mod(ItemMod { content: None, attrs, ident, .. }) if !is_for_tests(attrs) => {
                let name = ident.to_string();
                let (file, inside) = (folder.join(format!("{name}.rs")), folder.join(&name));
                let child = [path.as_slice(), &[name]].concat();
                read(&file, &inside, &child, modules);
            }
            Item::Mod(_) => {}
            item => collector.visit_item(item),
        }
    }
    modules.insert(path.clone(), collector.module);
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().unwrap().tokens.to_string().contains("test")
    })
}

/// Collects the paths that the code of one module names.
struct Collector<'a> {
    path: &'a ModulePath,
    module: Module,
}

impl Collector<'_> {
    /// The path from the root of the crate, if it starts at `crate`, `self` or `super`.
    fn absolute(&self, segments: &[String]) -> Option<ModulePath> {
        let mut absolute = self.path.clone();
        let mut rest = segments;
        match rest.first()?.as_str() {
            "crate" => {
                absolute.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while rest.first().is_some_and(|segment| segment == "super") {
                    absolute.pop()?;
                    rest = &rest[1..];
                }
            }
            // A name in scope: a child module, or something that a `use` has brought in.
            _ => {}
        }
        absolute.extend(rest.iter().cloned());
        Some(absolute)
    }

    fn use_tree(&mut self, tree: &UseTree, before: &[String], exports: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        let (name, segments) = match tree {
            UseTree::Path(path) => return self.use_tree(&path.tree, &with(&path.ident), exports),
            UseTree::Group(group) => {
                return group.items.iter().for_each(|it| self.use_tree(it, before, exports));
            }
            UseTree::Name(name) if name.ident == "self" => {
                (before.last().unwrap().clone(), before.to_vec())
            }
            UseTree::Name(name) => (name.ident.to_string(), with(&name.ident)),
            UseTree::Rename(rename) => (rename.rename.to_string(), with(&rename.ident)),
            UseTree::Glob(_) => ("*".to_owned(), before.to_vec()),
        };
        let Some(path) = self.absolute(&segments) else { return };
        if exports {
            self.module.exported.insert(name, path);
        } else {
            self.module.named.push(path);
        }
    }
}

impl Visit<'_> for Collector<'_> {
    fn visit_item(&mut self, item: &Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if is_for_tests(attributes) {
            return;
        }
        if let Item::Use(item) = item {
            let exports = !matches!(item.vis, Visibility::Inherited);
            return self.use_tree(&item.tree, &[], exports);
        }
        visit::visit_item(self, item);
    }

    /// `pub(in path)` is not a dependency.
    fn visit_visibility(&mut self, _: &Visibility) {}

    fn visit_path(&mut self, path: &syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        if segments.len() > 1
            && let Some(absolute) = self.absolute(&segments)
        {
            self.module.named.push(absolute);
        }
        visit::visit_path(self, path);
    }
}

/// The module that defines what a path names; `None` if that is in another crate.
fn owner(path: &ModulePath, modules: &BTreeMap<ModulePath, Module>) -> Option<ModulePath> {
    let longest = (0..=path.len()).rev().find(|length| modules.contains_key(&path[..*length]))?;
    let module = path[..longest].to_vec();
    let Some(name) = path.get(longest) else { return Some(module) };
    match modules[&module].exported.get(name) {
        Some(target) if target != path => owner(target, modules),
        _ => Some(module),
    }
}

/// What each module depends on.
fn dependencies(
    modules: &BTreeMap<ModulePath, Module>,
) -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
    let edges = modules.iter().map(|(path, module)| {
        let owners = module.named.iter().filter_map(|named| {
            // A name in scope that is not a child module belongs to this module or to another crate.
            owner(named, modules).filter(|owner| owner != path)
        });
        (path.clone(), owners.collect())
    });
    edges.collect()
}

/// A cycle, if there is one: each module depends on the next, and the last one on the first.
fn cycle(edges: &BTreeMap<ModulePath, BTreeSet<ModulePath>>) -> Option<Vec<ModulePath>> {
    fn walk(
        at: &ModulePath,
        edges: &BTreeMap<ModulePath, BTreeSet<ModulePath>>,
        way: &mut Vec<ModulePath>,
        done: &mut BTreeSet<ModulePath>,
    ) -> Option<Vec<ModulePath>> {
        if let Some(start) = way.iter().position(|module| module == at) {
            return Some(way[start..].to_vec());
        }
        if done.contains(at) {
            return None;
        }
        way.push(at.clone());
        let found = edges[at].iter().find_map(|next| walk(next, edges, way, done));
        way.pop();
        done.insert(at.clone());
        found
    }
    let mut done = BTreeSet::new();
    edges.keys().find_map(|module| walk(module, edges, &mut Vec::new(), &mut done))
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn no_module_depends_on_a_module_that_depends_on_it() {
    let cycles: Vec<_> = CRATES
        .iter()
        .filter_map(|name| {
            let found = cycle(&dependencies(&modules(&workspace().join(name))))?;
            let found: Vec<_> = found.iter().map(|path| path.join("::")).collect();
            Some(format!("{name}: {}", found.join(" -> ")))
        })
        .collect();
    assert!(cycles.is_empty(), "cycles between modules:\n{}", cycles.join("\n"));
}

/// The dependencies of the modules at the root of a crate, each with all that is below it.
fn folders(
    edges: &BTreeMap<ModulePath, BTreeSet<ModulePath>>,
) -> BTreeMap<ModulePath, BTreeSet<ModulePath>> {
    let folder = |path: &ModulePath| path[..path.len().min(1)].to_vec();
    let mut folders = BTreeMap::<_, BTreeSet<_>>::new();
    for (path, targets) in edges {
        let (from, targets) = (folder(path), targets.iter().map(folder));
        let others = targets.filter(|to| *to != from && !to.is_empty());
        folders.entry(from.clone()).or_default().extend(others);
    }
    folders
}

/// Also where the modules in the folders would be in order one by one: `jsonrpc` must not use a type of
/// `protocol` that itself uses nothing.
#[test]
fn no_folder_at_the_root_of_a_crate_depends_on_a_folder_that_depends_on_it() {
    let cycles: Vec<_> = CRATES
        .iter()
        .filter_map(|name| {
            let found = cycle(&folders(&dependencies(&modules(&workspace().join(name)))))?;
            let found: Vec<_> = found.iter().map(|path| path.join("::")).collect();
            Some(format!("{name}: {}", found.join(" -> ")))
        })
        .collect();
    assert!(cycles.is_empty(), "cycles between folders:\n{}", cycles.join("\n"));
}

#[test]
fn a_cycle_is_found_through_re_exports_and_paths() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, source: &str| {
        let path = folder.path().join("src").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source).unwrap();
    };
    write("lib.rs", "mod upper; mod lower; pub use upper::Upper;");
    write("upper.rs", "mod inner; pub use inner::Upper; fn f() { crate::lower::g(); }");
    write("upper/inner.rs", "pub struct Upper; fn f() { super::super::lower::g() }");
    write("lower.rs", "pub fn g() {}");
    assert_eq!(cycle(&dependencies(&modules(folder.path()))), None);
    write("lower.rs", "use crate::Upper; pub fn g() {}");
    let found = cycle(&dependencies(&modules(folder.path()))).unwrap();
    assert_eq!(found, [vec!["lower".to_owned()], vec!["upper".to_owned(), "inner".to_owned()]]);
}

/// The left half of the house serves anyone's tools.
#[test]
fn the_word_todo_does_not_occur_in_the_engine_and_the_identity() {
    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(&path, found);
            } else {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for name in ["protected-mcp", "scalekit", "scalekit-emulator"] {
        files(&workspace().join("adapters").join(name), &mut found);
    }
    let mentions: Vec<_> = found
        .into_iter()
        .filter(|path| {
            let text = String::from_utf8_lossy(&fs::read(path).unwrap()).to_lowercase();
            text.contains("todo")
        })
        .collect();
    assert!(mentions.is_empty(), "{mentions:?}");
}
