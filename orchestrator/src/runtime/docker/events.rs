//! What the engine tells of a project's containers, network and volumes.
//!
//! An engine remembers the last 256 events only, those of everybody's health checks among them: asked at the end it may have
//! forgotten the beginning. So it is listened to all the while; and since it is asked for what came since the command began,
//! nobody has to wait until it listens.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use bollard::models::{EventActor, EventMessage, EventMessageTypeEnum};
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use serde_json::{Value, json};

use super::super::Events;
use crate::labels;
use crate::observed::short;
use crate::plan::volume_name;
use crate::spec::ClusterSpec;

/// Of what an engine tells of an object; most of that are its labels.
const ATTRIBUTES: [&str; 6] = ["image", "exitCode", "signal", "container", "destination", "oldName"];

/// Listens from `since` on.
pub(super) fn listen(client: bollard::Docker, spec: &ClusterSpec, since: SystemTime) -> Events {
    let own = Own::of(spec);
    let since = since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    // By label it would tell nothing of networks and volumes, whose events have none.
    let kinds = ["container", "network", "volume"].map(str::to_owned).to_vec();
    let options = EventsOptionsBuilder::default()
        .since(&format!("{}.{:09}", since.as_secs(), since.subsec_nanos()))
        .filters(&HashMap::from([("type", kinds)]))
        .build();
    Events::gathered(async move |kept| {
        let mut messages = client.events(Some(options));
        while let Some(Ok(message)) = messages.next().await {
            if let Some(event) = own.event(message) {
                kept.add(event);
            }
        }
    })
}

/// By what the objects of a project are known.
struct Own {
    project: String,
    network: String,
    volumes: Vec<String>,
}

impl Own {
    fn of(spec: &ClusterSpec) -> Self {
        let volumes = spec.nodes.iter().map(|node| volume_name(&spec.name, &node.name));
        Self { project: spec.name.clone(), network: spec.network.name.clone(), volumes: volumes.collect() }
    }

    /// `None` for what is another's, or a health check.
    fn event(&self, message: EventMessage) -> Option<Value> {
        let EventActor { id, attributes } = message.actor?;
        let (id, attributes, action) = (id?, attributes.unwrap_or_default(), message.action?);
        let name = attributes.get("name").unwrap_or(&id);
        let is_own = match message.typ? {
            EventMessageTypeEnum::CONTAINER => {
                labels::project_of_container(Some(&attributes)).as_ref() == Some(&self.project)
            }
            EventMessageTypeEnum::NETWORK => *name == self.network,
            EventMessageTypeEnum::VOLUME => self.volumes.contains(name),
            _ => false,
        };
        if !is_own || action.starts_with("exec_") {
            return None;
        }
        let told: BTreeMap<&str, &str> =
            ATTRIBUTES.iter().filter_map(|key| Some((*key, attributes.get(*key)?.as_str()))).collect();
        let at = SystemTime::UNIX_EPOCH + Duration::from_nanos(message.time_nano?.try_into().ok()?);
        // A volume has no other id than its name.
        let short = (*name != id).then(|| short(&id));
        Some(json!({
            "at": humantime::format_rfc3339_millis(at).to_string(), "type": message.typ, "action": action,
            "name": name, "id": short, "attributes": told,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::locate;

    fn told(message: &Value) -> Option<Value> {
        let spec = locate(None, std::path::Path::new("/")).expect("built-in").spec;
        Own::of(&spec).event(serde_json::from_value(message.clone()).expect("a message"))
    }

    fn message(kind: &str, action: &str, attributes: &Value) -> Value {
        json!({
            "Type": kind, "Action": action, "Actor": {"ID": "0123456789abcdef", "Attributes": attributes},
            "time": 1_600_000_000, "timeNano": 1_600_000_000_250_000_000_i64,
        })
    }

    #[test]
    fn of_a_container_its_end_is_told_without_its_labels() {
        let mut attributes = json!({
            "name": "node1", "image": "img", "exitCode": "137", "orchestrator.project": "kv", "orchestrator.node": "node1",
        });
        let event = told(&message("container", "die", &attributes)).expect("an event");
        let expected = json!({
            "at": "2020-09-13T12:26:40.250Z", "type": "container", "action": "die", "name": "node1", "id": "0123456789ab",
            "attributes": {"exitCode": "137", "image": "img"},
        });
        assert_eq!(event, expected);
        assert_eq!(told(&message("container", "exec_start: /node healthcheck", &attributes)), None);
        assert!(told(&message("container", "health_status: unhealthy", &attributes)).is_some());
        attributes["orchestrator.project"] = json!("another");
        assert_eq!(told(&message("container", "die", &attributes)), None);
    }

    #[test]
    fn networks_and_volumes_are_known_by_name() {
        let network = |name: &str| told(&message("network", "connect", &json!({"name": name, "container": "0f"})));
        assert_eq!(network("mynet").expect("an event")["attributes"], json!({"container": "0f"}));
        assert_eq!(network("bridge"), None);
        let volume = |name: &str| {
            let mut message = message("volume", "destroy", &json!({"driver": "local"}));
            message["Actor"]["ID"] = json!(name);
            told(&message)
        };
        assert!(volume("kv-node7").is_some());
        assert_eq!(volume("kv-node8"), None);
    }
}
