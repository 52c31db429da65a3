//! The mutants, in the order of the contract.
//!
//! There is none where a clause shows only when nodes are cut off from each other, which processes cannot be; nor where
//! most scenarios stand on it, as on reads that are never older than their token.

use crate::mutant::Mutant;

/// All mutants.
pub(crate) const ALL: &[Mutant] = &[
    Mutant::new(
        "start-ungrouped",
        "node/core/src/replica/request.rs",
        "Reply::NodeShard(self.placement.shard_of(self.address))",
        "Reply::NodeShard(self.placement.shard_of(self.address).or(Some(crate::ShardId(1))))",
    ),
    Mutant::new(
        "dialect-order",
        "node/src/http/shape.rs",
        "self.list(addresses.iter().map(ToString::to_string))",
        "self.list(addresses.iter().rev().map(ToString::to_string))",
    ),
    // The other paths have no `result` to lose.
    Mutant::new(
        "dialect-result",
        "node/src/http/shape.rs",
        "(self == Self::Fall2021).then_some(result)",
        "(self == Self::Fall2021 && result.is_empty()).then_some(result)",
    )
    .spares(&["(2019)"]),
    Mutant::new(
        "dialect-unknown-fields",
        "node/src/http/body.rs",
        "#[derive(Default, Deserialize)]",
        "#[derive(Default, Deserialize)] #[serde(deny_unknown_fields)]",
    ),
    Mutant::new(
        "get-existing",
        "node/src/http/key_value.rs",
        "message: \"Retrieved successfully\"",
        "message: \"Found\"",
    ),
    Mutant::new("put-new", "node/src/http/key_value.rs", "StatusCode::CREATED", "StatusCode::OK"),
    Mutant::new("put-long-key", "node/core/src/key.rs", "KEY_LENGTH_MAX: usize = 50", "KEY_LENGTH_MAX: usize = 51"),
    Mutant::new(
        "delete-missing",
        "node/core/src/replica/write.rs",
        "if value.is_none() && !exists {",
        "if value.is_none() && !exists && !covered {",
    ),
    Mutant::new(
        "any-value",
        "node/src/http/key_value.rs",
        "fields.value.ok_or_else",
        "fields.value.filter(|value| value.get() != \"null\").ok_or_else",
    ),
    Mutant::new(
        "token-format",
        "node/src/http/key_value.rs",
        "version: &version,\n        causal_metadata: &version,",
        "version: if report.does_exist.is_some() { \"\" } else { &version }, causal_metadata: &version,",
    ),
    // The same token in quotes, which a node takes as well.
    Mutant::new(
        "put-version",
        "node/src/http/key_value.rs",
        "causal_metadata: &version",
        "causal_metadata: &format!(\"\\\"{version}\\\"\")",
    ),
    Mutant::new(
        "one-shard-per-key",
        "node/src/http/key_value.rs",
        "causal_metadata: &version,\n        shard: shard.to_string(),",
        "causal_metadata: &version, shard: if replaced { \"1\".to_owned() } else { shard.to_string() },",
    ),
    Mutant::new(
        "view-put-there",
        "node/src/http/view.rs",
        "if api.shape == Shape::Fall2021",
        "if api.shape != Shape::Fall2021",
    ),
    // What is asked of everyone has a longer deadline than five seconds.
    Mutant::new("view-failed-leave", "node/core/src/replica/limits.rs", "DEAD_MS: u64 = 3_000", "DEAD_MS: u64 = 9_000")
        .spares(&["a killed replica must leave every view"]),
    // A removed node takes itself in again after a while; one that starts again may come back anyway.
    Mutant::new(
        "view-deleted-stays-out",
        "node/core/src/replica/detect.rs",
        "let mut events = Vec::new();",
        "let mut events = Vec::new(); \
         let removal = self.members.get(self.address).and_then(|entry| entry.removed); \
         if removal.is_some_and(|removal| removal.wall_ms + 2_500 < self.now.wall_ms) { \
         self.members.add(self.address); self.members_changed(); }",
    )
    .spares(&["must come back when it starts again"]),
    // Where no member is left there is nothing to count.
    Mutant::new(
        "key-count",
        "node/core/src/replica/count.rs",
        "Some((keys, true)) => Step::Reply(Reply::KeyCount(keys))",
        "Some((keys, true)) => Step::Reply(Reply::KeyCount(2 * keys))",
    )
    .spares(&["a dead shard must be 503"]),
    Mutant::new(
        "unknown-shard",
        "node/src/http/error.rs",
        "| Self::NoSuchShard => StatusCode::NOT_FOUND,",
        "=> StatusCode::NOT_FOUND, Self::NoSuchShard => StatusCode::BAD_REQUEST,",
    ),
    Mutant::new(
        "add-member",
        "node/src/http/shard.rs",
        "Member added to the shard successfully",
        "Member added successfully to the shard",
    ),
    Mutant::new(
        "reshard-too-few",
        "node/core/src/placement.rs",
        "|| count > SLOTS {\n            return Err(PlacementError::NotEnoughNodes);",
        "|| count > SLOTS {\n            return Err(PlacementError::NoSuchShard);",
    ),
    Mutant::new("reshard-bad-count", "node/src/http/body.rs", "Ok(count) if count > 0", "Ok(count)"),
    Mutant::new(
        "reshard-counts-up",
        "node/core/src/replica/change_placement.rs",
        "self.placement.reshard(shard_count, &live, self.address)",
        "self.placement.reshard(shard_count, &self.members.entries().map(|(address, _)| address).collect::<Vec<_>>(), self.address)",
    ),
    // A shard of seven tenths of the slots, and one of three.
    Mutant::new(
        "spread",
        "node/core/src/placement.rs",
        "shard_id(slot * count / SLOTS)",
        "shard_id(slot * slot / SLOTS * count / SLOTS)",
    ),
];
