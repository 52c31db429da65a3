//! From the text of a cluster file to a `ClusterSpec`: which fields there are, their types and their defaults.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use ipnet::Ipv4Net;
use marked_yaml::types::MarkedScalarNode;
use marked_yaml::{LoadError, LoaderOptions, Node, parse_yaml_with_options};

use super::check::{RawCluster, RawNode, check};
use super::memory::parse_memory;
use super::problem::{Problem, SpecError};
use super::reader::{Fields, Reader, place};
use super::{ClusterSpec, ImageSpec, Limits};

const TOP: &[&str] = &["name", "image", "network", "shards", "dialect", "port", "env", "limits", "nodes"];
const NODE: &[&str] = &["name", "address", "host_port", "ungrouped", "env"];
const PORT: &str = "a port from 1 to 65535";

impl ClusterSpec {
    /// Reads and checks the text of a cluster file. `file` is its name in messages, `folder` what `image.build` is
    /// relative to; without a folder (the built-in file) nothing can be built.
    ///
    /// # Errors
    /// Everything that is wrong, each with its line and column.
    pub(crate) fn parse(text: &str, file: &str, folder: Option<&Path>) -> Result<Self, SpecError> {
        let options = LoaderOptions::default().error_on_duplicate_keys(true);
        let root = parse_yaml_with_options(0, text, options)
            .map_err(|error| SpecError { problems: vec![syntax_problem(file, &error)] })?;
        let mut reader = Reader::new(file);
        let spec = cluster(&mut reader, &root, folder).and_then(|raw| check(&mut reader, raw));
        let problems = reader.into_problems();
        match spec {
            Some(spec) if problems.is_empty() => Ok(spec),
            _ => Err(SpecError { problems }),
        }
    }
}

fn syntax_problem(file: &str, error: &LoadError) -> Problem {
    use LoadError as E;
    let (mark, message) = match error {
        E::TopLevelMustBeMapping(m) | E::TopLevelMustBeSequence(m) => {
            (*m, "expected a mapping with at least `nodes`".to_owned())
        }
        E::UnexpectedAnchor(m) => (*m, "anchors are not supported".to_owned()),
        E::MappingKeyMustBeScalar(m) => (*m, "a key must be a plain word".to_owned()),
        E::UnexpectedTag(m) => (*m, "tags are not supported".to_owned()),
        E::ScanError(m, error) => (*m, format!("not valid YAML: {}", error.info())),
        E::DuplicateKey(keys) => {
            let first = place(keys.prev_key.span()).0;
            return Problem {
                file: file.to_owned(),
                place: Some(place(keys.key.span())),
                field: keys.key.as_str().to_owned(),
                message: format!("duplicate key, also in line {first}"),
            };
        }
    };
    let place = Some((mark.line().max(1), mark.column().max(1)));
    Problem { file: file.to_owned(), place, field: String::new(), message }
}

fn cluster(reader: &mut Reader, root: &Node, folder: Option<&Path>) -> Option<RawCluster> {
    let top = reader.fields(root, "", TOP)?;
    let name = reader.optional(&top, "name", "a name", |s| Some(s.as_str().to_owned()));
    let image = image(reader, &top, folder);
    let network = reader.nested(&top, "network", &["name", "subnet"]);
    let network_name =
        network.as_ref().and_then(|f| reader.optional(f, "name", "a name", |s| Some(s.as_str().to_owned())));
    let subnet = network
        .as_ref()
        .and_then(|f| reader.optional(f, "subnet", "a subnet such as 10.10.0.0/16", |s| s.parse::<Ipv4Net>().ok()));
    let shards = reader.optional(&top, "shards", "a number from 1", |s| s.as_u32().filter(|n| *n > 0));
    let dialect = reader.optional(&top, "dialect", "\"2019\" or \"2021\"", |s| {
        matches!(s.as_str(), "2019" | "2021").then(|| s.as_str().to_owned())
    });
    let port = reader.optional(&top, "port", PORT, |s| s.as_u16().filter(|p| *p > 0));
    let limits = limits(reader, &top);
    let env: BTreeMap<String, String> = reader.strings(&top, "env").into_iter().collect();
    if !top.has("nodes") {
        reader.problem(top.place(), "nodes", "is missing; expected a list of nodes");
    }
    let items = reader.list(&top, "nodes").unwrap_or_default();
    let nodes = items.iter().enumerate().filter_map(|(index, item)| node(reader, item, index, &env)).collect();
    Some(RawCluster { name, image, network_name, subnet, shards, dialect, port, limits, env, nodes, top: top.place() })
}

fn image(reader: &mut Reader, top: &Fields<'_>, folder: Option<&Path>) -> ImageSpec {
    let resolve = |build: &str| folder.map(|folder| folder.join(build));
    let default = ImageSpec { name: "assignment4-img".to_owned(), build: resolve(".") };
    let Some(fields) = reader.nested(top, "image", &["name", "build"]) else { return default };
    let name = reader.optional(&fields, "name", "the name of an image", |s| Some(s.as_str().to_owned()));
    let build = reader.optional(&fields, "build", "a folder", |s| Some(PathBuf::from(s.as_str())));
    ImageSpec {
        name: name.map_or(default.name, |placed| placed.value),
        build: build.and_then(|placed| resolve(&placed.value.to_string_lossy())),
    }
}

fn limits(reader: &mut Reader, top: &Fields<'_>) -> Limits {
    let fields = reader.nested(top, "limits", &["memory", "pids"]);
    let memory = fields.as_ref().and_then(|f| {
        // Docker refuses less than 6 MiB.
        reader.optional(f, "memory", "a size from 6MiB such as 256MiB", |s| {
            parse_memory(s.as_str()).filter(|bytes| *bytes >= 6 << 20)
        })
    });
    let pids =
        fields.as_ref().and_then(|f| reader.optional(f, "pids", "a number from 1", |s| s.as_u32().filter(|n| *n > 0)));
    Limits {
        memory_bytes: memory.map_or(256 << 20, |placed| placed.value),
        pids: pids.map_or(256, |placed| placed.value),
    }
}

fn node(reader: &mut Reader, item: &Node, index: usize, env: &BTreeMap<String, String>) -> Option<RawNode> {
    let fields = reader.fields(item, &format!("nodes[{index}]"), NODE)?;
    let name = reader.required(&fields, "name", "a name", |s| Some(s.as_str().to_owned()));
    let address = reader.required(&fields, "address", "an address such as 10.10.0.2", |s| s.parse::<Ipv4Addr>().ok());
    let host_port = reader.required(&fields, "host_port", PORT, |s| s.as_u16().filter(|p| *p > 0));
    let ungrouped = reader.optional(&fields, "ungrouped", "true or false", MarkedScalarNode::as_bool);
    let mut env = env.clone();
    env.extend(reader.strings(&fields, "env"));
    Some(RawNode {
        name: name?,
        address: address?,
        host_port: host_port?,
        ungrouped: ungrouped.is_some_and(|placed| placed.value),
        env,
    })
}
