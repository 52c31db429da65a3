//! The text of a cluster file as a tree of values with their places.
//!
//! Invariant: `serde_yaml` decides what a value is. It does not tell where a value stands, so `marked_yaml` reads the same
//! text once more, for lines, columns and the spelling of each value, and for nothing else.

use marked_yaml::types::Span;
use marked_yaml::{LoadError, LoaderOptions, Node, parse_yaml_with_options};
use serde_yaml::Value;

use super::problem::Problem;

/// Line and column, from 1.
pub(super) type Place = (usize, usize);

/// A value and where it stands.
pub(super) struct Item {
    pub(super) place: Place,
    pub(super) content: Content,
}

/// What stands there.
pub(super) enum Content {
    Mapping(Vec<Entry>),
    List(Vec<Item>),
    /// Anything else, as it is and as it is spelled.
    Scalar(Value, String),
}

/// A key of a mapping and its value.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) item: Item,
}

impl Item {
    /// Reads the text of `file`.
    ///
    /// # Errors
    /// The text is not YAML, or uses more of YAML than a cluster file may.
    pub(super) fn read(text: &str, file: &str) -> Result<Self, Problem> {
        let options = LoaderOptions::default().error_on_duplicate_keys(true);
        let places = parse_yaml_with_options(0, text, options);
        let problem = |place, field: &str, message| {
            let (file, field) = (file.to_owned(), field.to_owned());
            Problem { file, place: Some(place), field, message }
        };
        if let Err(LoadError::DuplicateKey(keys)) = &places {
            let message = format!("duplicate key, also in line {}", place(keys.prev_key.span()).0);
            return Err(problem(place(keys.key.span()), keys.key.as_str(), message));
        }
        let value: Value = serde_yaml::from_str(text).map_err(|error| {
            let place = error.location().map_or((1, 1), |at| (at.line(), at.column()));
            problem(place, "", format!("not valid YAML: {error}"))
        })?;
        let places = places.map_err(|error| {
            let (place, message) = unsupported(&error);
            problem(place, "", message)
        })?;
        Ok(Self::join(value, &places))
    }

    fn join(value: Value, node: &Node) -> Self {
        let mut place = place(node.span());
        let content = match (value, node) {
            (Value::Mapping(mapping), Node::Mapping(places)) => {
                let entries = mapping.into_iter().zip(places.iter()).map(|((key, value), (name, node))| Entry {
                    key: key.as_str().unwrap_or(name.as_str()).to_owned(),
                    key_place: self::place(name.span()),
                    item: Self::join(value, node),
                });
                let entries: Vec<Entry> = entries.collect();
                // A mapping without braces begins, to the parser, at its first colon.
                place = entries.iter().map(|entry| entry.key_place).fold(place, Place::min);
                Content::Mapping(entries)
            }
            (Value::Sequence(list), Node::Sequence(places)) => Content::List(
                list.into_iter().zip(places.iter()).map(|(value, node)| Self::join(value, node)).collect(),
            ),
            // An empty file.
            (Value::Null, Node::Mapping(_)) => Content::Mapping(Vec::new()),
            (value, node) => Content::Scalar(value, node.as_scalar().map_or("", |scalar| scalar.as_str()).to_owned()),
        };
        Self { place, content }
    }

    /// A string; also a number or a truth value, as long as it is spelled as it is understood: what `1.10` and `0x1F` mean
    /// is another text than what they are.
    pub(super) fn text(&self) -> Option<String> {
        let (value, spelling) = self.scalar()?;
        let understood = match value {
            Value::String(text) => return Some(text.clone()),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => return None,
        };
        (understood == spelling).then_some(understood)
    }

    /// Whether it would be a text if it stood in quotes.
    pub(super) fn is_spelled_otherwise(&self) -> bool {
        self.text().is_none() && matches!(self.content, Content::Scalar(Value::Number(_) | Value::Bool(_), _))
    }

    /// A whole number that fits and is not 0.
    pub(super) fn positive<T: TryFrom<u64>>(&self) -> Option<T> {
        let number = self.scalar()?.0.as_u64().filter(|number| *number > 0)?;
        T::try_from(number).ok()
    }

    /// A truth value.
    pub(super) fn truth(&self) -> Option<bool> {
        self.scalar()?.0.as_bool()
    }

    fn scalar(&self) -> Option<(&Value, &str)> {
        match &self.content {
            Content::Scalar(value, spelling) => Some((value, spelling)),
            _ => None,
        }
    }

    /// For messages: what was found.
    pub(super) fn describe(&self) -> String {
        match &self.content {
            Content::Scalar(Value::Null, _) => "nothing".to_owned(),
            Content::Scalar(_, spelling) => format!("`{spelling}`"),
            Content::Mapping(_) => "a mapping".to_owned(),
            Content::List(_) => "a list".to_owned(),
        }
    }
}

/// What is YAML, but not for here.
fn unsupported(error: &LoadError) -> (Place, String) {
    use LoadError as E;
    let (mark, message) = match error {
        E::TopLevelMustBeMapping(mark) | E::TopLevelMustBeSequence(mark) => {
            (*mark, "expected a mapping with at least `nodes`".to_owned())
        }
        E::UnexpectedAnchor(mark) => (*mark, "anchors are not supported".to_owned()),
        E::MappingKeyMustBeScalar(mark) => (*mark, "a key must be a plain word".to_owned()),
        E::UnexpectedTag(mark) => (*mark, "tags are not supported".to_owned()),
        E::ScanError(mark, error) => (*mark, format!("not valid YAML: {}", error.info())),
        E::DuplicateKey(keys) => return (place(keys.key.span()), "duplicate key".to_owned()),
    };
    ((mark.line().max(1), mark.column().max(1)), message)
}

fn place(span: &Span) -> Place {
    span.start().map_or((1, 1), |mark| (mark.line(), mark.column()))
}
