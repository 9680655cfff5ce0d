//! Which file of a crate names what of which other file, looked up as the compiler looks it up.
//!
//! `syn` reads the files; each path that shipped code names is followed through imports, re-exports
//! and globs to the file that defines it. The limits: a method or field of a value is no path, so
//! it is not seen. In a macro call each path among the tokens is followed, whatever the macro makes
//! of it; the body of a `macro_rules!` is not read for paths, since they are named by whoever calls
//! it, and a file that calls a macro depends on the file of that macro. Of the items that a macro
//! makes, those are known whose names stand in the call after `struct`, `enum` and the like, or
//! capitalised at the start of an entry, and those that the macro names itself.

use std::collections::{BTreeMap, BTreeSet};

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};

use crate::source::Source;

/// The words after which an item is named.
const ITEM_WORDS: [&str; 7] = ["const", "enum", "fn", "static", "struct", "trait", "type"];
/// Files that are the face of a folder by their name.
const FACES: [&str; 3] = ["lib.rs", "main.rs", "mod.rs"];

/// Names of a path that is still followed: `use hex::hex` of another crate would put itself in for
/// its first name for ever.
const PATH_NAMES_MAX: usize = 16;

/// A path as it is written, or that of a module below the root; a macro that is called has its `!`.
type Path = Vec<String>;

/// For each file the files of its crate that it depends on, and the names that make it so.
pub(crate) type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// What a name of a module stands for.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Item,
    /// Perhaps an item: a name at the start of an entry of a macro call.
    Entry,
    Module,
    Import(Path),
}

/// Where a path leads.
#[derive(Debug)]
enum Place {
    Module(Path),
    /// To the item of this name in this file.
    Item {
        file: String,
        name: String,
    },
}

/// One module: what its names stand for, and what its shipped code names.
#[derive(Debug, Default)]
struct Module {
    file: String,
    names: BTreeMap<String, Vec<Meaning>>,
    globs: Vec<Path>,
    named: BTreeSet<Path>,
}

impl Module {
    fn meanings(&self, name: &str) -> &[Meaning] {
        self.names.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The shipped modules below one root, by their paths.
#[derive(Debug)]
pub(crate) struct Crate<'a> {
    sources: BTreeMap<&'a str, &'a Source>,
    folder: String,
    modules: BTreeMap<Path, Module>,
    /// The file of each macro: below `#[macro_use]` it is called from everywhere.
    macros: BTreeMap<String, String>,
}

impl<'a> Crate<'a> {
    /// Reads the modules from the file `root` downwards.
    pub(crate) fn read(root: &str, sources: &'a [Source]) -> Self {
        let shipped = sources.iter().filter(|source| !source.is_test());
        let sources = shipped.map(|source| (source.path.as_str(), source)).collect();
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let mut read = Self { sources, folder, modules: BTreeMap::new(), macros: BTreeMap::new() };
        let mut unread = vec![(Path::new(), root.to_owned())];
        while let Some((module, file)) = unread.pop() {
            let children = read.read_file(module, &file);
            unread.extend(children.into_iter().map(|module| read.with_file(module)));
        }
        read
    }

    /// The files that were read.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.modules.values().map(|module| module.file.as_str()).collect()
    }

    /// Reads one file as this module and returns the modules that have files of their own.
    fn read_file(&mut self, module: Path, file: &str) -> Vec<Path> {
        let source = self.sources.get(file).unwrap_or_else(|| panic!("{file} is not there"));
        let code = syn::parse_file(&source.shipped_raw());
        let code = code.unwrap_or_else(|error| panic!("{file} cannot be read: {error}"));
        let has_child = |item: &syn::Item| matches!(item, syn::Item::Mod(m) if m.content.is_none());
        let name = file.rsplit('/').next().unwrap_or_default();
        let is_face = FACES.contains(&name) || code.items.iter().any(has_child);
        let mut reader = Reader { read: self, module, file, is_face, children: Vec::new() };
        reader.open();
        reader.visit_file(&code);
        reader.children
    }

    fn with_file(&self, module: Path) -> (Path, String) {
        let stem = format!("{}/{}", self.folder, module.join("/"));
        let files = [format!("{stem}.rs"), format!("{stem}/mod.rs")];
        let file = files.into_iter().find(|file| self.sources.contains_key(file.as_str()));
        (module, file.unwrap_or_else(|| panic!("{stem}.rs is not there")))
    }

    /// Every arrow between two files.
    pub(crate) fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (module, Module { file, named, .. }) in &self.modules {
            for path in named {
                if let Some((to, name)) = self.item(module, path).filter(|(to, _)| to != file) {
                    arrows.entry(file.clone()).or_default().entry(to).or_default().insert(name);
                }
            }
        }
        arrows
    }

    /// The file that defines what code in `module` names by `path`, and its name there; none for a
    /// module and for what another crate defines.
    fn item(&self, module: &[String], path: &[String]) -> Option<(String, String)> {
        let find = |trusted: &[Meaning]| {
            let place = Search { read: self, trusted, seen: BTreeSet::new() }.from(module, path);
            place.and_then(|place| match place {
                Place::Item { file, name } => Some((file, name)),
                Place::Module(_) => None,
            })
        };
        let macro_called = || match path {
            [name] => Some((self.macros.get(name.strip_suffix('!')?)?.clone(), name.clone())),
            _ => None,
        };
        find(&[Meaning::Item])
            .or_else(|| find(&[Meaning::Item, Meaning::Entry]))
            .or_else(macro_called)
    }
}

/// One search for what a path means.
struct Search<'r, 'a> {
    read: &'r Crate<'a>,
    /// Which meanings are taken for an item.
    trusted: &'r [Meaning],
    /// Where it has looked: globs and imports may lead in a ring.
    seen: BTreeSet<(Path, Path)>,
}

impl Search<'_, '_> {
    /// Where `path` leads from inside `module`.
    fn from(&mut self, module: &[String], path: &[String]) -> Option<Place> {
        match path.split_first()? {
            (first, rest) if first == "crate" => self.within(&[], rest),
            (first, rest) if first == "self" => self.within(module, rest),
            (first, rest) if first == "super" => {
                let (_, parent) = module.split_last()?;
                let again = rest.first().is_some_and(|next| next == "super");
                if again { self.from(parent, rest) } else { self.within(parent, rest) }
            }
            _ => self.within(module, path),
        }
    }

    /// Where `path` leads below `module`.
    fn within(&mut self, module: &[String], path: &[String]) -> Option<Place> {
        let Some((first, rest)) = path.split_first() else {
            return Some(Place::Module(module.to_vec()));
        };
        if path.len() > PATH_NAMES_MAX || !self.seen.insert((module.to_vec(), path.to_vec())) {
            return None;
        }
        let name = first.strip_suffix('!').unwrap_or(first);
        let read = self.read.modules.get(module)?;
        let meanings = read.meanings(name);
        let is_module = meanings.contains(&Meaning::Module);
        if is_module && !rest.is_empty() {
            return self.within(&[module, &[name.to_owned()]].concat(), rest);
        }
        if meanings.iter().any(|meaning| self.trusted.contains(meaning)) {
            return Some(Place::Item { file: read.file.clone(), name: first.clone() });
        }
        let imports = meanings.iter().filter_map(|meaning| match meaning {
            Meaning::Import(from) => Some([from.as_slice(), rest].concat()),
            Meaning::Item | Meaning::Entry | Meaning::Module => None,
        });
        let imported = imports.into_iter().find_map(|path| self.from(module, &path));
        let here = is_module.then(|| Place::Module([module, &[name.to_owned()]].concat()));
        imported.or(here).or_else(|| self.through_globs(module, &read.globs, path))
    }

    fn through_globs(
        &mut self,
        module: &[String],
        globs: &[Path],
        path: &[String],
    ) -> Option<Place> {
        globs.iter().find_map(|glob| match self.from(module, glob)? {
            Place::Module(target) => self.within(&target, path),
            Place::Item { .. } => None,
        })
    }
}

/// What kind of tokens are scanned for paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tokens {
    /// The arguments of an attribute, where a path may be a text.
    Attribute,
    /// A macro call among statements, expressions or types.
    Call,
    /// A macro call that stands for items.
    Items,
    /// Inside a bracket of one.
    InsideItems,
    /// The body of a macro, which is not read for paths.
    Macro,
}

/// Walks one file and fills its modules.
struct Reader<'r, 'a> {
    read: &'r mut Crate<'a>,
    module: Path,
    file: &'r str,
    /// Whether its public imports only hand on what stands below it.
    is_face: bool,
    children: Vec<Path>,
}

impl Reader<'_, '_> {
    /// The module that is being read.
    fn open(&mut self) -> &mut Module {
        let module = self.read.modules.entry(self.module.clone()).or_default();
        self.file.clone_into(&mut module.file);
        module
    }

    fn define(&mut self, name: String, meaning: Meaning) {
        self.open().names.entry(name).or_default().push(meaning);
    }

    /// Takes in the imports below `before`, and returns the path of each.
    fn import(&mut self, tree: &syn::UseTree, before: &[String]) -> Vec<Path> {
        let (name, here) = match tree {
            syn::UseTree::Path(path) => {
                return self.import(&path.tree, &[before, &[text(&path.ident)]].concat());
            }
            syn::UseTree::Group(group) => {
                return group.items.iter().flat_map(|tree| self.import(tree, before)).collect();
            }
            syn::UseTree::Glob(_) => {
                self.open().globs.push(before.to_vec());
                return vec![before.to_vec()];
            }
            syn::UseTree::Name(name) => (text(&name.ident), text(&name.ident)),
            syn::UseTree::Rename(name) => (text(&name.ident), text(&name.rename)),
        };
        let path = if name == "self" { before.to_vec() } else { [before, &[name]].concat() };
        let here = if here == "self" { path.last().cloned().unwrap_or_default() } else { here };
        self.define(here, Meaning::Import(path.clone()));
        vec![path]
    }

    /// Takes in the paths, and the names of items, among tokens that need not be code.
    fn scan(&mut self, mut at: Cursor<'_>, kind: Tokens) {
        let inner = if kind == Tokens::Items { Tokens::InsideItems } else { kind };
        let mut before = String::new();
        while !at.eof() {
            if let Some((inside, _, _, next)) = at.any_group() {
                self.scan(inside, inner);
                (at, before) = (next, String::new());
            } else if let Some((_, next)) = at.lifetime() {
                (at, before) = (next, "'".to_owned());
            } else if let Some((path, next)) = path_at(at) {
                let last = path.last().cloned().unwrap_or_default();
                self.take_path(path, &before, kind);
                (at, before) = (next, last);
            } else if let Some((mark, next)) = at.punct() {
                let goes_on = before.chars().all(|c| c.is_ascii_punctuation());
                let start = if goes_on { before.as_str() } else { "" };
                (at, before) = (next, format!("{start}{}", mark.as_char()));
            } else if let Some((literal, next)) = at.literal() {
                if kind == Tokens::Attribute {
                    self.take_text(&literal.to_string());
                }
                (at, before) = (next, "literal".to_owned());
            } else {
                break;
            }
        }
    }

    /// Takes in a path that stands after the word or marks `before`.
    fn take_path(&mut self, path: Path, before: &str, kind: Tokens) {
        let first = path.first().cloned().unwrap_or_default();
        let is_capital = first.starts_with(char::is_uppercase);
        let makes_item = match kind {
            Tokens::Items => true,
            Tokens::InsideItems | Tokens::Macro => is_capital,
            Tokens::Attribute | Tokens::Call => false,
        };
        if makes_item && ITEM_WORDS.contains(&before) {
            return self.define(first, Meaning::Item);
        }
        let opens_entry = before.is_empty() || before.ends_with([',', ';']);
        if kind == Tokens::Items && opens_entry && is_capital {
            self.define(first, Meaning::Entry);
        }
        let is_member = before.ends_with('.') && !before.ends_with("..");
        if kind != Tokens::Macro && !is_member && !before.ends_with("::") {
            self.open().named.insert(path);
        }
    }

    /// Takes in a path that an attribute holds as a text, such as `with = "…"` of serde.
    fn take_text(&mut self, literal: &str) {
        let path = syn::parse_str::<syn::LitStr>(literal).and_then(|text| text.parse());
        if let Ok(path) = path {
            self.visit_path(&path);
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_, '_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if let Some(name) = name(item) {
            self.define(text(name), Meaning::Item);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let name = text(&item.ident);
        let path = [self.module.as_slice(), std::slice::from_ref(&name)].concat();
        self.define(name, Meaning::Module);
        match &item.content {
            None => self.children.push(path),
            Some(_) => {
                let outer = std::mem::replace(&mut self.module, path);
                self.open();
                visit::visit_item_mod(self, item);
                self.module = outer;
            }
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_some() {
            return;
        }
        let is_private = matches!(item.vis, syn::Visibility::Inherited);
        let paths = self.import(&item.tree, &[]);
        if is_private || !self.is_face {
            self.open().named.extend(paths);
        }
    }

    fn visit_item_macro(&mut self, item: &'ast syn::ItemMacro) {
        let kind = if let Some(name) = &item.ident {
            self.read.macros.insert(text(name), self.file.to_owned());
            Tokens::Macro
        } else {
            let path = called(&item.mac.path);
            self.open().named.insert(path);
            Tokens::Items
        };
        self.scan(TokenBuffer::new2(item.mac.tokens.clone()).begin(), kind);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let path = called(&call.path);
        self.open().named.insert(path);
        self.scan(TokenBuffer::new2(call.tokens.clone()).begin(), Tokens::Call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.scan(TokenBuffer::new2(list.tokens.clone()).begin(), Tokens::Attribute);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.open().named.insert(names(path));
        }
        visit::visit_path(self, path);
    }
}

/// The path that starts here, and what follows it.
fn path_at(at: Cursor<'_>) -> Option<(Path, Cursor<'_>)> {
    let (first, mut next) = at.ident()?;
    let mut path = vec![text(&first)];
    let deeper = |at| mark(at, ':').and_then(|at| mark(at, ':')).and_then(Cursor::ident);
    while let Some((name, after)) = deeper(next) {
        path.push(text(&name));
        next = after;
    }
    if let Some(last) = path.last_mut()
        && mark(next, '!').is_some_and(|after| after.any_group().is_some())
    {
        last.push('!');
    }
    Some((path, next))
}

fn mark(at: Cursor<'_>, wanted: char) -> Option<Cursor<'_>> {
    at.punct().filter(|(found, _)| found.as_char() == wanted).map(|(_, next)| next)
}

fn text(name: &syn::Ident) -> String {
    name.to_string().trim_start_matches("r#").to_owned()
}

fn names(path: &syn::Path) -> Path {
    path.segments.iter().map(|segment| text(&segment.ident)).collect()
}

/// The path of a macro that is called.
fn called(path: &syn::Path) -> Path {
    let mut names = names(path);
    if let Some(last) = names.last_mut() {
        last.push('!');
    }
    names
}

/// The name that an item has in its module; those of modules and imports are taken in elsewhere.
fn name(item: &syn::Item) -> Option<&syn::Ident> {
    match item {
        syn::Item::Const(item) => Some(&item.ident),
        syn::Item::Enum(item) => Some(&item.ident),
        syn::Item::Fn(item) => Some(&item.sig.ident),
        syn::Item::Macro(item) => item.ident.as_ref(),
        syn::Item::Static(item) => Some(&item.ident),
        syn::Item::Struct(item) => Some(&item.ident),
        syn::Item::Trait(item) => Some(&item.ident),
        syn::Item::TraitAlias(item) => Some(&item.ident),
        syn::Item::Type(item) => Some(&item.ident),
        syn::Item::Union(item) => Some(&item.ident),
        syn::Item::ExternCrate(_)
        | syn::Item::ForeignMod(_)
        | syn::Item::Impl(_)
        | syn::Item::Mod(_)
        | syn::Item::Use(_)
        | syn::Item::Verbatim(_)
        | _ => None,
    }
}
