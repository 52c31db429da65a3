//! A node as a container: what the engine is asked to create.

use std::collections::HashMap;

use bollard::models::{
    ContainerCreateBody, EndpointIpamConfig, EndpointSettings, HostConfig, Mount, MountType, NetworkingConfig,
    PortBinding,
};
use bollard::query_parameters::{CreateContainerOptionsBuilder, StartContainerOptions};

use super::super::Site;
use super::{Docker, failed, is_status, message, refused, tolerate};
use crate::failure::{Conflict, Failure};
use crate::labels;
use crate::launch::Launch;
use crate::observed::ObservedImage;
use crate::plan::{DATA, Operation, volume_name};
use crate::spec::ClusterSpec;

impl Docker {
    pub(super) async fn create_node(&self, launch: &Launch, spec: &ClusterSpec) -> Result<Operation, Failure> {
        let (name, container) = (&launch.name, &launch.container);
        let image = launch.image.as_ref().unwrap_or(&spec.image.name);
        let image = self.observe_image(image).await?.ok_or_else(|| missing_image(spec))?;
        let network = self.network_id(&spec.name).await?;
        let network = network
            .ok_or_else(|| Failure::Engine(format!("cannot create {name}: its network is gone; run `up` again")))?;
        let options = CreateContainerOptionsBuilder::default().name(container).build();
        let body = body(launch, spec, &image, &network);
        match self.client.create_container(Some(options), body).await {
            Ok(created) => Ok(Operation::RemoveNode { name: name.clone(), id: created.id }),
            Err(error) if is_status(&error, 409) => Err(Failure::Conflict(vec![Conflict {
                what: format!("container name {container}"),
                owner: format!("a container that came up meanwhile ({})", message(&error)),
                free_with: format!("docker rm -f {container}"),
            }])),
            Err(error) => Err(failed(format!("cannot create {name}"))(error)),
        }
    }

    pub(super) async fn start_node(&self, launch: &Launch, site: &Site<'_>) -> Result<(), Failure> {
        let name = &launch.name;
        // By our label, so that a foreign container of the same name is never started.
        let nodes = self.project_nodes(&site.spec.name).await?;
        let node = nodes.into_iter().find(|node| node.name == *name);
        let node =
            node.ok_or_else(|| Failure::Engine(format!("cannot start {name}: its container is gone; run `up` again")))?;
        let barrier = self.barrier_of(&site.spec.name, name).await?;
        let started = self.client.start_container(&node.id, None::<StartContainerOptions>).await;
        // 304: an earlier run, killed in the middle, has started it already.
        if let Err(error) = tolerate(started, &[304]) {
            return Err(start_failure(launch, &site.spec.network.name, &message(&error)));
        }
        if let Some(barrier) = barrier {
            self.restore_cuts(site, &node, &barrier).await?;
        }
        self.verify(launch, &node.id, site).await
    }
}

/// A port or an address that somebody took between the look and the start is still a conflict.
fn start_failure(launch: &Launch, network: &str, message: &str) -> Failure {
    let port = launch.config.host_port;
    let (what, free_with) =
        if message.contains("port is already allocated") || message.contains("address already in use") {
            let removal = format!("docker rm -f $(docker ps -q --filter publish={port})");
            (format!("port {port} of {} on 127.0.0.1", launch.name), removal)
        } else if message.contains("Address already in use") {
            let address = launch.config.socket.ip();
            (
                format!("address {address} of {}", launch.name),
                format!("docker network disconnect -f {network} CONTAINER (docker network inspect {network} shows it)"),
            )
        } else {
            return refused(format!("cannot start {}", launch.name), message);
        };
    let owner = format!("something that came up meanwhile ({message})");
    Failure::Conflict(vec![Conflict { what, owner, free_with }])
}

/// The message for an image that nobody can build here.
pub(crate) fn missing_image(spec: &ClusterSpec) -> Failure {
    let name = &spec.image.name;
    Failure::Image(match &spec.image.build {
        Some(_) => format!("the image {name} is missing; `orchestrator build` builds it"),
        None => format!(
            "the image {name} is missing and there are no sources here to build it from; run in the clone, name its \
             cluster.yaml with -f, or load the image (`docker load`, `docker pull {name}`)"
        ),
    })
}

fn body(launch: &Launch, spec: &ClusterSpec, image: &ObservedImage, network: &str) -> ContainerCreateBody {
    let config = serde_json::to_string(&launch.config).unwrap_or_default();
    let mut labels = labels::of_project(&spec.name);
    labels.insert(labels::NODE.to_owned(), launch.name.clone());
    labels.insert(labels::CONFIG.to_owned(), config);
    let endpoint = EndpointSettings {
        ipam_config: Some(EndpointIpamConfig {
            ipv4_address: Some(launch.config.socket.ip().to_string()),
            ..EndpointIpamConfig::default()
        }),
        aliases: Some(vec![launch.name.clone()]),
        ..EndpointSettings::default()
    };
    let port = format!("{}/tcp", launch.config.socket.port());
    ContainerCreateBody {
        hostname: Some(launch.name.clone()),
        image: Some(launch.image.as_ref().unwrap_or(&spec.image.name).clone()),
        env: Some(launch.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        labels: Some(labels),
        exposed_ports: Some(vec![port.clone()]),
        host_config: Some(host_config(launch, spec, image, network, port)),
        networking_config: Some(NetworkingConfig {
            endpoints_config: Some(HashMap::from([(network.to_owned(), endpoint)])),
        }),
        ..ContainerCreateBody::default()
    }
}

fn host_config(launch: &Launch, spec: &ClusterSpec, image: &ObservedImage, network: &str, port: String) -> HostConfig {
    let binding =
        PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(launch.config.host_port.to_string()) };
    let common = HostConfig {
        memory: i64::try_from(launch.config.memory_bytes).ok(),
        pids_limit: Some(i64::from(launch.config.pids)),
        network_mode: Some(network.to_owned()),
        port_bindings: Some(HashMap::from([(port, Some(vec![binding]))])),
        ..HostConfig::default()
    };
    if !image.ours {
        // A foreign image gets what a plain `docker run` would give it, and the limits.
        return common;
    }
    let data = Mount {
        target: Some(DATA.to_owned()),
        source: Some(volume_name(&spec.name, &launch.name)),
        typ: Some(MountType::VOLUME),
        ..Mount::default()
    };
    HostConfig {
        mounts: Some(vec![data]),
        readonly_rootfs: Some(true),
        cap_drop: Some(vec!["ALL".to_owned()]),
        security_opt: Some(vec!["no-new-privileges".to_owned()]),
        ..common
    }
}
