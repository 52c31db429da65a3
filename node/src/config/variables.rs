//! An environment as a map, with parsing that knows which variable it is at.

use std::collections::BTreeMap;

use super::ConfigError;

/// The variables of an environment that are not empty.
pub(super) struct Variables(BTreeMap<String, String>);

impl Variables {
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let trimmed = variables.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
        let mut variables: BTreeMap<_, _> = trimmed.collect();
        variables.retain(|_, value| !value.is_empty());
        Self(variables)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The error that names `name` and its value.
    pub(super) fn bad(&self, name: &'static str, expected: impl Into<String>) -> ConfigError {
        ConfigError::Bad { name, value: self.get(name).unwrap_or_default().to_owned(), expected: expected.into() }
    }

    /// A variable that is one `T`.
    pub(super) fn parsed<T>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigError> {
        self.get(name).map(|text| parse(text).ok_or_else(|| self.bad(name, expected))).transpose()
    }

    /// A variable that is a comma-separated list of `T`; blanks around commas and empty items are tolerated.
    pub(super) fn list<T>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, ConfigError> {
        let items = |text: &str| text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(&parse).collect();
        self.parsed(name, expected, items)
    }
}
