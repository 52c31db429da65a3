//! Reads typed fields out of the file's tree and keeps a list of everything that is wrong, each with its place.
//!
//! Invariant: a reader method that returns `None` has recorded a problem, or the field is absent and optional.

use super::nearest;
use super::problem::Problem;
use super::tree::{Content, Entry, Item, Place};

/// A mapping whose keys are all known, and the path that leads to it.
pub(super) struct Fields<'a> {
    entries: &'a [Entry],
    path: String,
    place: Place,
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
    pub(super) field: String,
}

/// Collects problems while fields are read.
pub(super) struct Reader {
    file: String,
    problems: Vec<Problem>,
}

impl Reader {
    pub(super) fn new(file: &str) -> Self {
        Self { file: file.to_owned(), problems: Vec::new() }
    }

    pub(super) fn problem(&mut self, place: Place, field: &str, message: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.clone(),
            place: Some(place),
            field: field.to_owned(),
            message: message.into(),
        });
    }

    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// The problems in the order of the file.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|problem| problem.place);
        self.problems
    }

    fn unexpected(&mut self, item: &Item, field: &str, expected: &str) {
        self.problem(item.place, field, format!("expected {expected}, found {}", item.describe()));
    }

    /// A mapping with none but the `known` keys.
    pub(super) fn fields<'a>(&mut self, item: &'a Item, path: &str, known: &[&str]) -> Option<Fields<'a>> {
        let Content::Mapping(entries) = &item.content else {
            self.unexpected(item, path, "a mapping");
            return None;
        };
        for Entry { key, key_place, .. } in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let hint = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", known.join(", ")),
            };
            self.problem(*key_place, &join(path, key), format!("unknown key; {hint}"));
        }
        Some(Fields { entries, path: path.to_owned(), place: item.place })
    }

    /// A nested mapping; absent is fine.
    pub(super) fn nested<'a>(&mut self, of: &Fields<'a>, key: &str, known: &[&str]) -> Option<Fields<'a>> {
        self.fields(of.get(key)?, &join(&of.path, key), known)
    }

    /// The items of a list; absent is fine.
    pub(super) fn list<'a>(&mut self, of: &Fields<'a>, key: &str) -> Option<&'a [Item]> {
        let item = of.get(key)?;
        let Content::List(items) = &item.content else {
            self.unexpected(item, &join(&of.path, key), "a list");
            return None;
        };
        Some(items)
    }

    /// A scalar; absent is fine.
    pub(super) fn optional<T>(
        &mut self,
        of: &Fields<'_>,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&Item) -> Option<T>,
    ) -> Option<Placed<T>> {
        let item = of.get(key)?;
        let field = join(&of.path, key);
        match parse(item) {
            Some(value) => Some(Placed { value, place: item.place, field }),
            None => {
                self.unexpected(item, &field, expected);
                None
            }
        }
    }

    /// A scalar whose spelling no message may show; absent is fine.
    pub(super) fn confidential<T>(
        &mut self,
        of: &Fields<'_>,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&Item) -> Option<T>,
    ) -> Option<T> {
        let item = of.get(key)?;
        let value = parse(item);
        if value.is_none() {
            self.problem(item.place, &join(&of.path, key), format!("expected {expected}"));
        }
        value
    }

    /// A scalar that must be there.
    pub(super) fn required<T>(
        &mut self,
        of: &Fields<'_>,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&Item) -> Option<T>,
    ) -> Option<Placed<T>> {
        if !of.has(key) {
            self.problem(of.place, &join(&of.path, key), format!("is missing; expected {expected}"));
        }
        self.optional(of, key, expected, parse)
    }

    /// A mapping of free keys to strings, numbers or truth values.
    pub(super) fn strings(&mut self, of: &Fields<'_>, key: &str) -> Vec<(String, Placed<String>)> {
        let Some(item) = of.get(key) else { return Vec::new() };
        let path = join(&of.path, key);
        let Content::Mapping(entries) = &item.content else {
            self.unexpected(item, &path, "a mapping");
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for Entry { key, item, .. } in entries {
            match item.text() {
                Some(value) => {
                    let placed = Placed { value, place: item.place, field: join(&path, key) };
                    pairs.push((key.clone(), placed));
                }
                None if item.is_spelled_otherwise() => self.unexpected(item, &join(&path, key), "a string in quotes"),
                None => self.unexpected(item, &join(&path, key), "a string"),
            }
        }
        pairs
    }
}

impl<'a> Fields<'a> {
    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn get(&self, key: &str) -> Option<&'a Item> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.item)
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
