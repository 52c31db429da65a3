//! How one generation of the class writes what all of them mean.

use node_core::{Address, ShardId};
use serde_json::{Map, Value};

use crate::config::Dialect;

/// The shape of replies on a family of paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Lists are one comma-separated string.
    Y2019,
    /// 2020 and spring 2021: lists are arrays.
    Y2021,
    /// Arrays, a `result` beside the message, and names of its own.
    Fall2021,
}

impl Shape {
    /// The shape of the paths that 2019 to spring 2021 share.
    pub(crate) fn of_class_paths(dialect: Dialect) -> Self {
        match dialect {
            Dialect::Y2019 => Self::Y2019,
            Dialect::Y2021 | Dialect::Auto => Self::Y2021,
        }
    }

    /// Addresses, in the order given.
    pub(super) fn addresses(self, addresses: &[Address]) -> Value {
        self.list(addresses.iter().map(ToString::to_string))
    }

    /// Shard ids, which are strings in every year.
    pub(super) fn shards(self, shards: &[ShardId]) -> Value {
        self.list(shards.iter().map(ToString::to_string))
    }

    /// The shard of a node, which may have none.
    pub(super) fn node_shard(self, shard: Option<ShardId>) -> Value {
        match (shard, self) {
            (Some(shard), _) => Value::from(shard.to_string()),
            (None, Self::Y2019) => Value::from(""),
            (None, Self::Y2021 | Self::Fall2021) => Value::Null,
        }
    }

    /// The name of the shard that a node is in.
    pub(super) fn node_shard_field(self) -> &'static str {
        self.pick("shard-id", "node-shard-id")
    }

    /// The name of a shard's list of members.
    pub(super) fn members_field(self) -> &'static str {
        self.pick("shard-id-members", "shard-members")
    }

    /// The name of a shard's number of keys.
    pub(super) fn key_count_field(self) -> &'static str {
        self.pick("shard-id-key-count", "shard-key-count")
    }

    /// The `result` where the shape has one.
    pub(super) fn result(self, result: &'static str) -> Option<&'static str> {
        (self == Self::Fall2021).then_some(result)
    }

    /// A body with a message, a `result` where the shape has one, and one field more.
    pub(super) fn body(
        self,
        message: &'static str,
        result: Option<&'static str>,
        field: Option<(&'static str, Value)>,
    ) -> Value {
        let mut body = Map::new();
        body.insert("message".to_owned(), message.into());
        if let Some(result) = result.and_then(|result| self.result(result)) {
            body.insert("result".to_owned(), result.into());
        }
        if let Some((name, value)) = field {
            body.insert(name.to_owned(), value);
        }
        Value::Object(body)
    }

    fn pick(self, class: &'static str, fall_2021: &'static str) -> &'static str {
        match self {
            Self::Y2019 | Self::Y2021 => class,
            Self::Fall2021 => fall_2021,
        }
    }

    fn list(self, items: impl Iterator<Item = String>) -> Value {
        match self {
            Self::Y2019 => Value::from(items.collect::<Vec<_>>().join(",")),
            Self::Y2021 | Self::Fall2021 => items.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;
    use node_core::ShardId;
    use serde_json::json;

    #[test]
    fn lists_are_strings_in_2019_and_arrays_later() {
        let view = ["10.10.0.2:8080".parse().unwrap(), "10.10.0.10:8080".parse().unwrap()];
        assert_eq!(Shape::Y2019.addresses(&view), json!("10.10.0.2:8080,10.10.0.10:8080"));
        assert_eq!(Shape::Y2021.addresses(&view), json!(["10.10.0.2:8080", "10.10.0.10:8080"]));
        assert_eq!(Shape::Y2019.shards(&[ShardId(1), ShardId(2)]), json!("1,2"));
        assert_eq!(Shape::Fall2021.shards(&[ShardId(1), ShardId(2)]), json!(["1", "2"]));
        assert_eq!(Shape::Y2019.addresses(&[]), json!(""));
    }

    #[test]
    fn an_ungrouped_node_has_no_shard() {
        assert_eq!(Shape::Y2019.node_shard(None), json!(""));
        assert_eq!(Shape::Y2021.node_shard(None), json!(null));
        assert_eq!(Shape::Fall2021.node_shard(None), json!(null));
        assert_eq!(Shape::Y2019.node_shard(Some(ShardId(3))), json!("3"));
    }

    #[test]
    fn only_fall_2021_has_a_result() {
        let field = || Some(("n", json!(1)));
        assert_eq!(Shape::Y2021.body("done", Some("ok"), field()), json!({"message": "done", "n": 1}));
        assert_eq!(Shape::Fall2021.body("done", Some("ok"), None), json!({"message": "done", "result": "ok"}));
    }
}
