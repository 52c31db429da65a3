//! The cluster's network, by id: names need not be unique.

use bollard::models::{Ipam, IpamConfig, Network, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptionsBuilder;

use super::{Docker, failed, labelled, message, tolerate};
use crate::failure::{Conflict, Failure};
use crate::labels;
use crate::plan::Operation;
use crate::spec::ClusterSpec;

impl Docker {
    pub(super) async fn labelled_networks(&self) -> Result<Vec<Network>, Failure> {
        let options = ListNetworksOptionsBuilder::default().filters(&labelled(labels::PROJECT)).build();
        self.client.list_networks(Some(options)).await.map_err(failed("cannot list networks"))
    }

    /// The id of the project's network.
    pub(super) async fn network_id(&self, project: &str) -> Result<Option<String>, Failure> {
        let networks = self.labelled_networks().await?;
        let ours = networks.into_iter().find(|n| labels::project(n.labels.as_ref()).as_deref() == Some(project));
        Ok(ours.and_then(|network| network.id))
    }

    /// The upper half of the subnet is for addresses that the engine gives by itself.
    pub(super) async fn create_network(&self, spec: &ClusterSpec) -> Result<Operation, Failure> {
        let name = spec.network.name.clone();
        let pool = IpamConfig {
            subnet: Some(spec.network.subnet.to_string()),
            ip_range: Some(spec.network.dynamic_range().to_string()),
            gateway: Some(spec.network.gateway().to_string()),
            ..IpamConfig::default()
        };
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam { config: Some(vec![pool]), ..Ipam::default() }),
            labels: Some(labels::of_project(&spec.name)),
            ..NetworkCreateRequest::default()
        };
        match self.client.create_network(request).await {
            Ok(created) => Ok(Operation::RemoveNetwork { id: created.id, name }),
            Err(error) if message(&error).contains("overlap") => Err(Failure::Conflict(vec![Conflict {
                what: format!("subnet {}", spec.network.subnet),
                owner: format!("a network that came up meanwhile ({})", message(&error)),
                free_with: "docker network rm NETWORK (docker network ls shows it)".to_owned(),
            }])),
            Err(error) => Err(failed(format!("cannot create network {name}"))(error)),
        }
    }

    pub(super) async fn remove_network(&self, id: &str, name: &str) -> Result<(), Failure> {
        let result = self.client.remove_network(id).await;
        tolerate(result, &[404]).map_err(failed(format!("cannot remove network {name}")))
    }
}
