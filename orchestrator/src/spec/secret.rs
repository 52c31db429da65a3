//! What the nodes of a cluster know each other by. Nothing prints it.

use std::fmt;

/// `CLUSTER_SECRET`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// `None` for an empty text, which would be no secret.
    pub(super) fn new(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// For the node's environment, and to compare it with that.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_the_environment_shows_it() {
        let secret = Secret::new("hush".to_owned()).expect("a secret");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(Secret::new(String::new()), None);
    }
}
