//! The JSON Schema of the cluster file, for editors. The reader is what decides; the tests hold the schema to it.

#[cfg(test)]
mod tests;

/// Draft-07, which the language servers of editors understand.
pub(crate) const SCHEMA: &str = include_str!("cluster.schema.json");
