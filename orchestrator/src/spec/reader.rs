//! Reads typed fields out of marked YAML and keeps a list of everything that is wrong, each with its place.
//!
//! Invariant: a reader method that returns `None` has recorded a problem, or the field is absent and optional.

use marked_yaml::Node;
use marked_yaml::types::{MarkedMappingNode, MarkedScalarNode, Span};

use super::nearest;
use super::problem::Problem;

/// Line and column, from 1.
pub(super) type Place = (usize, usize);

/// A mapping whose keys are all known, and the path that leads to it.
pub(super) struct Fields<'a> {
    mapping: &'a MarkedMappingNode,
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

    /// A mapping with none but the `known` keys.
    pub(super) fn fields<'a>(&mut self, node: &'a Node, path: &str, known: &[&str]) -> Option<Fields<'a>> {
        let mut place = place(node.span());
        let Some(mapping) = node.as_mapping() else {
            self.problem(place, path, format!("expected a mapping, found {}", describe(node)));
            return None;
        };
        for key in mapping.keys().filter(|key| !known.contains(&key.as_str())) {
            let hint = match nearest(key.as_str(), known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", known.join(", ")),
            };
            self.problem(self::place(key.span()), &join(path, key.as_str()), format!("unknown key; {hint}"));
        }
        // A mapping without braces begins, to the parser, at its first colon.
        place = mapping.keys().map(|key| self::place(key.span())).fold(place, Place::min);
        Some(Fields { mapping, path: path.to_owned(), place })
    }

    /// A nested mapping; absent is fine.
    pub(super) fn nested<'a>(&mut self, of: &Fields<'a>, key: &str, known: &[&str]) -> Option<Fields<'a>> {
        let node = of.mapping.get_node(key)?;
        self.fields(node, &join(&of.path, key), known)
    }

    /// The items of a list; absent is fine.
    pub(super) fn list<'a>(&mut self, of: &Fields<'a>, key: &str) -> Option<&'a [Node]> {
        let node = of.mapping.get_node(key)?;
        let Some(list) = node.as_sequence() else {
            self.problem(
                place(node.span()),
                &join(&of.path, key),
                format!("expected a list, found {}", describe(node)),
            );
            return None;
        };
        Some(list.as_slice())
    }

    /// A scalar; absent is fine.
    pub(super) fn optional<T>(
        &mut self,
        of: &Fields<'_>,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&MarkedScalarNode) -> Option<T>,
    ) -> Option<Placed<T>> {
        let node = of.mapping.get_node(key)?;
        let field = join(&of.path, key);
        let value = node.as_scalar().filter(|scalar| !is_null(scalar)).and_then(parse);
        match value {
            Some(value) => Some(Placed { value, place: place(node.span()), field }),
            None => {
                self.problem(place(node.span()), &field, format!("expected {expected}, found {}", describe(node)));
                None
            }
        }
    }

    /// A scalar that must be there.
    pub(super) fn required<T>(
        &mut self,
        of: &Fields<'_>,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&MarkedScalarNode) -> Option<T>,
    ) -> Option<Placed<T>> {
        if of.mapping.get_node(key).is_none() {
            self.problem(of.place, &join(&of.path, key), format!("is missing; expected {expected}"));
        }
        self.optional(of, key, expected, parse)
    }

    /// A mapping of free keys to strings, numbers or booleans.
    pub(super) fn strings(&mut self, of: &Fields<'_>, key: &str) -> Vec<(String, String)> {
        let Some(node) = of.mapping.get_node(key) else { return Vec::new() };
        let path = join(&of.path, key);
        let Some(mapping) = node.as_mapping() else {
            self.problem(place(node.span()), &path, format!("expected a mapping, found {}", describe(node)));
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (name, value) in mapping.iter() {
            match value.as_scalar() {
                Some(scalar) => pairs.push((name.as_str().to_owned(), scalar.as_str().to_owned())),
                None => {
                    let found = describe(value);
                    self.problem(place(value.span()), &join(&path, name), format!("expected a string, found {found}"));
                }
            }
        }
        pairs
    }
}

impl Fields<'_> {
    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.mapping.get_node(key).is_some()
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

pub(super) fn place(span: &Span) -> Place {
    span.start().map_or((1, 1), |mark| (mark.line(), mark.column()))
}

fn is_null(scalar: &MarkedScalarNode) -> bool {
    scalar.may_coerce() && matches!(scalar.as_str(), "" | "~" | "null")
}

fn describe(node: &Node) -> String {
    match node {
        Node::Scalar(scalar) if is_null(scalar) => "nothing".to_owned(),
        Node::Scalar(scalar) => format!("`{}`", scalar.as_str()),
        Node::Mapping(_) => "a mapping".to_owned(),
        Node::Sequence(_) => "a list".to_owned(),
    }
}
