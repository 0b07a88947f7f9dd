//! The modules of a crate, and which file names what of which other: read from the source, not compiled.
//!
//! A name belongs to the file that defines it. Whoever takes it through a re-export uses the file of the re-export
//! too: that is how circles through `lib.rs` come about. `mod` alone uses nothing, and neither do tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{
    Attribute, File, Item, ItemMacro, ItemMod, ItemUse, Macro, Token, UseTree, VisRestricted,
};

/// A module's place in its crate: nothing for the root.
type Place = Vec<String>;

/// How often a name may lead on to another before it is given up: `use` can go in circles itself.
const STEPS: usize = 32;

/// What a module holds.
#[derive(Debug, Default)]
struct Module {
    file: PathBuf,
    defined: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths that stand in its code, beside `use`.
    named: Vec<Vec<String>>,
}

/// What `use` brings in.
#[derive(Clone, Debug)]
struct Import {
    path: Vec<String>,
    /// What it is called here; none stands for everything (`*`).
    name: Option<String>,
}

/// The two places of a module's file.
fn files(name: &str, folder: &Path) -> [PathBuf; 2] {
    [folder.join(format!("{name}.rs")), folder.join(name).join("mod.rs")]
}

/// The modules that a macro declares out of a list of `module::Type`.
fn listed(item: &Item, folder: &Path, source: &impl Fn(&Path) -> Option<String>) -> Vec<String> {
    let Item::Macro(ItemMacro { ident: None, mac, .. }) = item else { return Vec::new() };
    let paths = mac.parse_body_with(Punctuated::<syn::Path, Token![,]>::parse_terminated);
    let first = |path: syn::Path| match path.segments.len() {
        2 => path.segments.first().map(|first| first.ident.to_string()),
        _ => None,
    };
    let names = paths.into_iter().flatten().filter_map(first);
    names.filter(|name| files(name, folder).iter().any(|file| source(file).is_some())).collect()
}

/// A crate's modules.
#[derive(Debug, Default)]
pub(super) struct Modules(BTreeMap<Place, Module>);

/// Files that use others, each with a path that shows it.
pub(super) type Uses = BTreeMap<(PathBuf, PathBuf), String>;

impl Modules {
    /// Reads a crate from its root file on.
    pub(super) fn read(root: &Path, source: &impl Fn(&Path) -> Option<String>) -> Result<Self> {
        let mut modules = Self::default();
        let folder = root.parent().context("a folder")?;
        modules.file(vec![], root, folder, source)?;
        Ok(modules)
    }

    /// Reads a file, and those of its submodules, which are in `folder`.
    fn file(
        &mut self,
        place: Place,
        file: &Path,
        folder: &Path,
        source: &impl Fn(&Path) -> Option<String>,
    ) -> Result<()> {
        let text = source(file).with_context(|| format!("no {}", file.display()))?;
        let parsed: File = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        self.items(place, &parsed.items, file, folder, source)
    }

    fn items(
        &mut self,
        place: Place,
        items: &[Item],
        file: &Path,
        folder: &Path,
        source: &impl Fn(&Path) -> Option<String>,
    ) -> Result<()> {
        let mut reader = Reader::default();
        for item in items {
            match item {
                Item::Mod(module) if is_for_tests(&module.attrs) => {}
                Item::Mod(module) => {
                    reader.children.insert(module.ident.to_string());
                    self.submodule(&place, module, file, folder, source)?;
                }
                item => {
                    for name in listed(item, folder, source) {
                        self.declared(&place, &name, folder, source)?;
                        reader.children.insert(name);
                    }
                    reader.visit_item(item);
                }
            }
        }
        let Reader { children, defined, imports, mut named, .. } = reader;
        // What begins otherwise is of another crate, or was brought in by `use`; a single word is a variable.
        named.retain(|path| {
            let begins = ["crate", "self", "super"].contains(&path[0].as_str());
            path.len() > 1 && (begins || children.contains(&path[0]))
        });
        let module = Module { file: file.to_owned(), defined, imports, named };
        self.0.insert(place, module);
        Ok(())
    }

    fn submodule(
        &mut self,
        place: &Place,
        module: &ItemMod,
        file: &Path,
        folder: &Path,
        source: &impl Fn(&Path) -> Option<String>,
    ) -> Result<()> {
        let name = module.ident.to_string();
        let within = [place.as_slice(), std::slice::from_ref(&name)].concat();
        let folder_of_it = folder.join(&name);
        if let Some((_, items)) = &module.content {
            return self.items(within, items, file, &folder_of_it, source);
        }
        if module.attrs.iter().any(|attribute| attribute.path().is_ident("path")) {
            bail!("{}: a module at a place of its own: {name}", file.display());
        }
        self.declared(place, &name, folder, source)
    }

    /// A module that has a file of its own.
    fn declared(
        &mut self,
        place: &Place,
        name: &str,
        folder: &Path,
        source: &impl Fn(&Path) -> Option<String>,
    ) -> Result<()> {
        let within = [place.as_slice(), &[name.to_owned()]].concat();
        let [beside, inside] = files(name, folder);
        let file = if source(&beside).is_some() { beside } else { inside };
        self.file(within, &file, &folder.join(name), source)
    }

    /// Which file uses which other.
    pub(super) fn uses(&self) -> Uses {
        let mut uses = Uses::new();
        for (place, module) in &self.0 {
            let imported = module.imports.iter().map(|import| &import.path);
            for path in imported.chain(&module.named) {
                let mut files = BTreeSet::new();
                self.follow(place, path, STEPS, &mut files);
                for file in files.into_iter().filter(|file| *file != module.file) {
                    let told = || path.join("::");
                    uses.entry((module.file.clone(), file)).or_insert_with(told);
                }
            }
        }
        uses
    }

    /// Where a path leads: the module in which its last known part stands, with the files on the way. None is another
    /// crate, or nothing that can be told.
    fn follow(
        &self,
        from: &Place,
        path: &[String],
        steps: usize,
        files: &mut BTreeSet<PathBuf>,
    ) -> Option<Place> {
        let steps = steps.checked_sub(1)?;
        let (mut at, mut rest) = self.start(from, path)?;
        while let Some((name, further)) = rest.split_first() {
            let module = self.0.get(&at)?;
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.0.contains_key(&child) {
                (at, rest) = (child, further);
                continue;
            }
            if module.defined.contains(name) {
                break;
            }
            let Some(import) = self.import(&at, name, steps) else {
                // A macro may define it.
                break;
            };
            files.insert(module.file.clone());
            let path = [import.as_slice(), further].concat();
            return self.follow(&at, &path, steps, files);
        }
        files.insert(self.0.get(&at)?.file.clone());
        Some(at)
    }

    /// The module where a path begins, and what follows. None is another crate.
    fn start<'p>(&self, from: &Place, path: &'p [String]) -> Option<(Place, &'p [String])> {
        let (first, further) = path.split_first()?;
        let mut at = from.clone();
        match first.as_str() {
            "crate" => return Some((vec![], further)),
            "self" => return Some((at, further)),
            "super" => {}
            name => {
                at.push(name.to_owned());
                return self.0.contains_key(&at).then_some((at, further));
            }
        }
        let mut rest = path;
        while let Some(("super", further)) =
            rest.split_first().map(|(name, rest)| (name.as_str(), rest))
        {
            at.pop()?;
            rest = further;
        }
        Some((at, rest))
    }

    /// The path by which a module brings in a name.
    fn import(&self, at: &Place, name: &String, steps: usize) -> Option<Vec<String>> {
        let imports = &self.0.get(at)?.imports;
        if let Some(import) = imports.iter().find(|import| import.name.as_ref() == Some(name)) {
            return Some(import.path.clone());
        }
        imports.iter().filter(|import| import.name.is_none()).find_map(|import| {
            let inside = self.follow(at, &import.path, steps, &mut BTreeSet::new())?;
            let child = [inside.as_slice(), std::slice::from_ref(name)].concat();
            let known = self.0.contains_key(&child) || self.0.get(&inside)?.defined.contains(name);
            let known = known || self.import(&inside, name, steps.checked_sub(1)?).is_some();
            known.then(|| [import.path.as_slice(), std::slice::from_ref(name)].concat())
        })
    }
}

/// Circles: files each of which uses each other, by whatever ways.
pub(super) fn circles(uses: &Uses) -> Vec<BTreeSet<PathBuf>> {
    let reached = |from: &PathBuf| {
        let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(file) = open.pop() {
            for (_, to) in uses.keys().filter(|(user, _)| user == file) {
                if reached.insert(to.clone()) {
                    open.push(to);
                }
            }
        }
        reached
    };
    let all: BTreeMap<_, _> = uses.keys().map(|(from, _)| (from.clone(), reached(from))).collect();
    let mut circles = BTreeSet::new();
    for (file, reached) in &all {
        let back = |other: &&PathBuf| all.get(*other).is_some_and(|back| back.contains(file));
        let circle: BTreeSet<_> = reached.iter().filter(back).cloned().collect();
        if circle.len() > 1 {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// Whether something is compiled for tests alone.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => list
            .tokens
            .to_string()
            .split(|found: char| !found.is_alphanumeric())
            .any(|word| word == "test"),
        _ => false,
    })
}

/// Collects what the items of one module define, bring in and name.
#[derive(Default)]
struct Reader {
    children: BTreeSet<String>,
    defined: BTreeSet<String>,
    imports: Vec<Import>,
    named: Vec<Vec<String>>,
    /// How deep in other items this one stands: only the outermost are the module's.
    depth: usize,
}

impl Reader {
    fn import(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        // `a::{self}` is `a`.
        let path = |name: &syn::Ident| match name == "self" && !before.is_empty() {
            true => before.to_vec(),
            false => with(name),
        };
        match tree {
            UseTree::Path(tree) => self.import(&with(&tree.ident), &tree.tree),
            UseTree::Name(tree) => {
                let path = path(&tree.ident);
                self.imports.push(Import { name: path.last().cloned(), path });
            }
            UseTree::Rename(tree) => {
                let name = Some(tree.rename.to_string());
                self.imports.push(Import { path: path(&tree.ident), name });
            }
            UseTree::Glob(_) => self.imports.push(Import { path: before.to_vec(), name: None }),
            UseTree::Group(tree) => tree.items.iter().for_each(|tree| self.import(before, tree)),
        }
    }

    /// Paths in what only a macro understands.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let (mut colons, mut dollar) = (0, false);
        for token in tokens {
            // `$crate` is whoever uses the macro.
            let filled_in = std::mem::replace(&mut dollar, is_dollar(&token));
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                other => {
                    self.named.extend((path.len() > 1).then(|| std::mem::take(&mut path)));
                    (path, colons) = (Vec::new(), 0);
                    match other {
                        TokenTree::Ident(ident) if !filled_in => path.push(ident.to_string()),
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        _ => {}
                    }
                }
            }
        }
        self.named.extend((path.len() > 1).then_some(path));
    }
}

fn is_dollar(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == '$')
}

fn name_of(item: &Item) -> Option<String> {
    Some(match item {
        Item::Const(item) => item.ident.to_string(),
        Item::Enum(item) => item.ident.to_string(),
        Item::Fn(item) => item.sig.ident.to_string(),
        Item::Static(item) => item.ident.to_string(),
        Item::Struct(item) => item.ident.to_string(),
        Item::Trait(item) => item.ident.to_string(),
        Item::Type(item) => item.ident.to_string(),
        Item::Union(item) => item.ident.to_string(),
        Item::Macro(ItemMacro { ident: Some(ident), .. }) => ident.to_string(),
        _ => return None,
    })
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Const(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Macro(item) => &item.attrs,
            _ => &vec![],
        };
        if is_for_tests(attributes) {
            return;
        }
        if self.depth == 0 {
            self.defined.extend(name_of(item));
        }
        self.depth += 1;
        visit::visit_item(self, item);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        // One with leading colons is of another crate.
        if item.leading_colon.is_none() {
            self.import(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            let parts = path.segments.iter().map(|part| part.ident.to_string());
            self.named.push(parts.collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, found: &'ast Macro) {
        self.tokens(found.tokens.clone());
        visit::visit_macro(self, found);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(list.tokens.clone());
        }
    }

    // Who may see something says nothing about who uses it.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}
