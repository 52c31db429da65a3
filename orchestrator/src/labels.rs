//! The labels by which this tool knows its own objects again. Only objects with them are ever changed or removed.

use std::collections::HashMap;

/// On every object: the project it belongs to; on an image the one that built it.
pub(crate) const PROJECT: &str = "orchestrator.project";
/// On containers: the node's name.
pub(crate) const NODE: &str = "orchestrator.node";
/// On volumes: the `SOCKET_ADDRESS` of the node whose data it keeps.
pub(crate) const SOCKET: &str = "orchestrator.socket";
/// On containers: the `NodeConfig` that was asked for as JSON, for what the engine does not report: ports of a container
/// that is listed and does not run, and limits that the kernel lacks.
pub(crate) const CONFIG: &str = "orchestrator.config";
/// On a barrier: the name of the node whose network namespace it shares.
pub(crate) const BARRIER: &str = "orchestrator.barrier";
/// On a barrier: whom the node does not reach, and with whom it probes, as JSON.
pub(crate) const CUTS: &str = "orchestrator.cuts";
/// On the image, set by the Dockerfile: this is our node, so it runs locked down.
pub(crate) const IMAGE: &str = "orchestrator.image";
/// On an image: somebody's folder from which it was built for tests.
pub(crate) const FOLDER: &str = "orchestrator.folder";
/// On the image: the hash of what it was built from.
pub(crate) const CONTENT: &str = "orchestrator.content";

/// The label that says whose an object is.
pub(crate) fn of_project(project: &str) -> HashMap<String, String> {
    HashMap::from([(PROJECT.to_owned(), project.to_owned())])
}

/// The project of an object with these labels.
pub(crate) fn project(labels: Option<&HashMap<String, String>>) -> Option<String> {
    labels.and_then(|labels| labels.get(PROJECT)).cloned()
}

/// The project of a container with these labels. What somebody else has started from an image of ours has the image's label
/// too, and is nobody's.
pub(crate) fn project_of_container(labels: Option<&HashMap<String, String>>) -> Option<String> {
    project(labels.filter(|labels| labels.contains_key(NODE) || labels.contains_key(BARRIER)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_without_labels_is_nobodys() {
        assert_eq!(project(None), None);
        assert_eq!(project(Some(&HashMap::new())), None);
        assert_eq!(project(Some(&of_project("kv"))), Some("kv".to_owned()));
    }

    #[test]
    fn a_container_of_our_image_is_ours_only_when_it_is_a_node_or_a_barrier() {
        let mut labels = of_project("kv");
        assert_eq!(project_of_container(Some(&labels)), None);
        for role in [NODE, BARRIER] {
            labels.insert(role.to_owned(), "node1".to_owned());
            assert_eq!(project_of_container(Some(&labels)), Some("kv".to_owned()));
            labels.remove(role);
        }
    }

    #[test]
    fn the_dockerfile_carries_the_label_of_our_image() {
        let dockerfile = include_str!("../../Dockerfile");
        assert!(dockerfile.contains(&format!("LABEL {IMAGE}=")));
    }
}
