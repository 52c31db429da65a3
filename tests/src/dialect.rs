//! The shapes in which the generations of the course say the same things (contract, "Dialects").

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// How a client speaks: which paths it uses, and which shape of list it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `/key-value-store/…`, lists as one comma-separated string.
    Seed2019,
    /// `/key-value-store/…`, lists as JSON arrays; also 2020.
    Spring2021,
    /// `/kvs/…`, lists as JSON arrays, some fields named otherwise.
    Fall2021,
}

impl Dialect {
    /// Its name among people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Seed2019 => "2019",
            Self::Spring2021 => "2021",
            Self::Fall2021 => "fall 2021",
        }
    }

    /// Path of a key, percent-encoded.
    #[must_use]
    pub fn key_path(self, key: &str) -> String {
        let key = utf8_percent_encode(key, NON_ALPHANUMERIC);
        match self {
            Self::Seed2019 | Self::Spring2021 => format!("/key-value-store/{key}"),
            Self::Fall2021 => format!("/kvs/{key}"),
        }
    }

    /// Path of the view.
    #[must_use]
    pub fn view_path(self) -> &'static str {
        match self {
            Self::Seed2019 | Self::Spring2021 => "/key-value-store-view",
            Self::Fall2021 => "/view",
        }
    }

    /// Path of a shard operation; `operation` is named as in fall 2021 (`ids`, `members/1`, …).
    #[must_use]
    pub fn shard_path(self, operation: &str) -> String {
        if self == Self::Fall2021 {
            return format!("/shard/{operation}");
        }
        let long = ["ids", "members", "key-count"].iter().any(|short| operation.starts_with(short));
        let prefix = match (long, operation) {
            (true, "ids") => "shard-",
            (true, _) => "shard-id-",
            (false, _) => "",
        };
        format!("/key-value-store-shard/{prefix}{operation}")
    }

    /// Field of the reply that holds this node's shard.
    #[must_use]
    pub fn node_shard_field(self) -> &'static str {
        match self {
            Self::Seed2019 | Self::Spring2021 => "shard-id",
            Self::Fall2021 => "node-shard-id",
        }
    }

    /// Field of the reply that lists a shard's members.
    #[must_use]
    pub fn members_field(self) -> &'static str {
        match self {
            Self::Seed2019 | Self::Spring2021 => "shard-id-members",
            Self::Fall2021 => "shard-members",
        }
    }

    /// Field of the reply that counts a shard's keys.
    #[must_use]
    pub fn key_count_field(self) -> &'static str {
        match self {
            Self::Seed2019 | Self::Spring2021 => "shard-id-key-count",
            Self::Fall2021 => "shard-key-count",
        }
    }

    /// The list as this dialect writes it.
    #[must_use]
    pub fn list<S: AsRef<str>>(self, items: &[S]) -> Value {
        let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
        match self {
            Self::Seed2019 => json!(items.join(",")),
            Self::Spring2021 | Self::Fall2021 => json!(items),
        }
    }

    /// Reads a list that has exactly this dialect's shape.
    #[must_use]
    pub fn read_list(self, list: &Value) -> Option<Vec<String>> {
        match self {
            Self::Seed2019 => {
                let items = list.as_str()?.split(',').filter(|item| !item.is_empty());
                Some(items.map(str::to_owned).collect())
            }
            Self::Spring2021 | Self::Fall2021 => {
                let items = list.as_array()?.iter();
                items.map(|item| item.as_str().map(str::to_owned)).collect()
            }
        }
    }
}

/// Reads a list whatever its shape, for those who do not judge that: comma-separated or an array, of texts or numbers.
#[must_use]
pub(crate) fn read_any_list(list: &Value) -> Option<Vec<String>> {
    match list {
        Value::String(_) => Dialect::Seed2019.read_list(list),
        Value::Array(items) => items.iter().map(read_any_text).collect(),
        _ => None,
    }
}

/// Reads an address or an id whatever its type, for those who do not judge that.
#[must_use]
pub(crate) fn read_any_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_whatever_its_shape() {
        let expected = Some(vec!["1".to_owned(), "2".to_owned()]);
        for list in [json!("1,2"), json!(["1", "2"]), json!([1, 2])] {
            assert_eq!(read_any_list(&list), expected, "{list}");
        }
        assert_eq!(read_any_list(&json!(null)), None);
    }

    #[test]
    fn paths_are_those_of_the_contract() {
        let seed = Dialect::Seed2019;
        assert_eq!(seed.key_path("a/b ü"), "/key-value-store/a%2Fb%20%C3%BC");
        assert_eq!(seed.shard_path("ids"), "/key-value-store-shard/shard-ids");
        assert_eq!(seed.shard_path("members/1"), "/key-value-store-shard/shard-id-members/1");
        assert_eq!(seed.shard_path("key-count/1"), "/key-value-store-shard/shard-id-key-count/1");
        assert_eq!(seed.shard_path("node-shard-id"), "/key-value-store-shard/node-shard-id");
        assert_eq!(Dialect::Fall2021.shard_path("members/1"), "/shard/members/1");
    }
}
