//! From the text of a cluster file to a `ClusterSpec`: which fields there are, their types and their defaults.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;

use super::check::{RawCluster, RawNode, check};
use super::memory::parse_memory;
use super::problem::SpecError;
use super::reader::{Fields, Reader};
use super::tree::Item;
use super::{ClusterSpec, ImageSpec, Limits, Secret};

// The known keys of each mapping; the schema has the same.
pub(super) const TOP: &[&str] =
    &["name", "image", "network", "shards", "dialect", "port", "secret", "env", "limits", "nodes"];
pub(super) const IMAGE: &[&str] = &["name", "build"];
pub(super) const NETWORK: &[&str] = &["name", "subnet"];
pub(super) const LIMITS: &[&str] = &["memory", "pids"];
pub(super) const NODE: &[&str] = &["name", "address", "host_port", "ungrouped", "env"];
const PORT: &str = "a port from 1 to 65535";

impl ClusterSpec {
    /// Reads and checks the text of a cluster file. `file` is its name in messages, `folder` what `image.build` is
    /// relative to; without a folder (the built-in file) nothing can be built.
    ///
    /// # Errors
    /// Everything that is wrong, each with its line and column.
    pub(crate) fn parse(text: &str, file: &str, folder: Option<&Path>) -> Result<Self, SpecError> {
        let root = Item::read(text, file).map_err(|problem| SpecError { problems: vec![problem] })?;
        let mut reader = Reader::new(file);
        let spec = cluster(&mut reader, &root, folder).and_then(|raw| check(&mut reader, raw));
        let problems = reader.into_problems();
        match spec {
            Some(spec) if problems.is_empty() => Ok(spec),
            _ => Err(SpecError { problems }),
        }
    }
}

fn cluster(reader: &mut Reader, root: &Item, folder: Option<&Path>) -> Option<RawCluster> {
    let top = reader.fields(root, "", TOP)?;
    let name = reader.optional(&top, "name", "a name", Item::text);
    let image = image(reader, &top, folder);
    let network = reader.nested(&top, "network", NETWORK);
    let network_name = network.as_ref().and_then(|f| reader.optional(f, "name", "a name", Item::text));
    let subnet = network.as_ref().and_then(|f| {
        reader.optional(f, "subnet", "a subnet such as 10.10.0.0/16", |s| s.text()?.parse::<Ipv4Net>().ok())
    });
    let shards = reader.optional(&top, "shards", "a number from 1", Item::positive);
    let dialect = reader.optional(&top, "dialect", "\"2019\" or \"2021\"", |s| {
        s.text().filter(|text| matches!(text.as_str(), "2019" | "2021"))
    });
    let port = reader.optional(&top, "port", PORT, Item::positive);
    let secret = reader.confidential(&top, "secret", "a text that is not empty", |s| Secret::new(s.text()?));
    let limits = limits(reader, &top);
    let env: BTreeMap<String, String> = env(reader, &top).into_iter().collect();
    if !top.has("nodes") {
        reader.problem(top.place(), "nodes", "is missing; expected a list of nodes");
    }
    let items = reader.list(&top, "nodes").unwrap_or_default();
    let nodes = items.iter().enumerate().filter_map(|(index, item)| node(reader, item, index, &env)).collect();
    Some(RawCluster {
        name,
        image,
        network_name,
        subnet,
        shards,
        dialect,
        port,
        secret,
        limits,
        env,
        nodes,
        top: top.place(),
    })
}

fn env(reader: &mut Reader, of: &Fields<'_>) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, value) in reader.strings(of, "env") {
        if name == "CLUSTER_SECRET" {
            // It would be in every label and in all evidence.
            reader.problem(value.place, &value.field, "belongs into `secret`, which nothing prints");
        }
        pairs.push((name, value.value));
    }
    pairs
}

fn image(reader: &mut Reader, top: &Fields<'_>, folder: Option<&Path>) -> ImageSpec {
    let resolve = |build: &str| folder.map(|folder| folder.join(build));
    let default = ImageSpec { name: "assignment4-img".to_owned(), build: resolve(".") };
    let Some(fields) = reader.nested(top, "image", IMAGE) else { return default };
    let name = reader.optional(&fields, "name", "the name of an image", Item::text);
    let build = reader.optional(&fields, "build", "a folder", |s| s.text().map(PathBuf::from));
    ImageSpec {
        name: name.map_or(default.name, |placed| placed.value),
        build: build.and_then(|placed| resolve(&placed.value.to_string_lossy())),
    }
}

fn limits(reader: &mut Reader, top: &Fields<'_>) -> Limits {
    let fields = reader.nested(top, "limits", LIMITS);
    let memory = fields.as_ref().and_then(|f| {
        // Docker refuses less than 6 MiB.
        reader.optional(f, "memory", "a size from 6MiB such as 256MiB", |s| {
            parse_memory(&s.text()?).filter(|bytes| *bytes >= 6 << 20)
        })
    });
    let pids = fields.as_ref().and_then(|f| reader.optional(f, "pids", "a number from 1", Item::positive));
    Limits {
        memory_bytes: memory.map_or(256 << 20, |placed| placed.value),
        pids: pids.map_or(256, |placed| placed.value),
    }
}

fn node(reader: &mut Reader, item: &Item, index: usize, env: &BTreeMap<String, String>) -> Option<RawNode> {
    let fields = reader.fields(item, &format!("nodes[{index}]"), NODE)?;
    let name = reader.required(&fields, "name", "a name", Item::text);
    let address =
        reader.required(&fields, "address", "an address such as 10.10.0.2", |s| s.text()?.parse::<Ipv4Addr>().ok());
    let host_port = reader.required(&fields, "host_port", PORT, Item::positive);
    let ungrouped = reader.optional(&fields, "ungrouped", "true or false", Item::truth);
    let mut env = env.clone();
    env.extend(self::env(reader, &fields));
    Some(RawNode {
        name: name?,
        address: address?,
        host_port: host_port?,
        ungrouped: ungrouped.is_some_and(|placed| placed.value),
        env,
    })
}
