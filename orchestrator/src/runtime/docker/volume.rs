//! The nodes' data volumes.

use std::net::SocketAddrV4;

use bollard::models::{Volume, VolumeCreateRequest};
use bollard::query_parameters::{ListVolumesOptions, ListVolumesOptionsBuilder, RemoveVolumeOptions};

use super::{Docker, failed, labelled, tolerate};
use crate::failure::Failure;
use crate::labels;
use crate::observed::ObservedVolume;
use crate::plan::Operation;
use crate::spec::ClusterSpec;

impl Docker {
    /// Those of every project.
    pub(super) async fn labelled_volumes(&self) -> Result<Vec<ObservedVolume>, Failure> {
        self.volumes_with(labels::PROJECT).await
    }

    pub(super) async fn project_volumes(&self, project: &str) -> Result<Vec<ObservedVolume>, Failure> {
        self.volumes_with(&format!("{}={project}", labels::PROJECT)).await
    }

    async fn volumes_with(&self, label: &str) -> Result<Vec<ObservedVolume>, Failure> {
        self.list_volumes(ListVolumesOptionsBuilder::default().filters(&labelled(label)).build()).await
    }

    pub(super) async fn all_volumes(&self) -> Result<Vec<ObservedVolume>, Failure> {
        self.list_volumes(ListVolumesOptions::default()).await
    }

    async fn list_volumes(&self, options: ListVolumesOptions) -> Result<Vec<ObservedVolume>, Failure> {
        let list = self.client.list_volumes(Some(options)).await.map_err(failed("cannot list volumes"))?;
        Ok(list.volumes.unwrap_or_default().into_iter().map(observed).collect())
    }

    pub(super) async fn create_volume(
        &self,
        volume: &str,
        socket: SocketAddrV4,
        spec: &ClusterSpec,
    ) -> Result<Operation, Failure> {
        let mut labels = labels::of_project(&spec.name);
        labels.insert(labels::SOCKET.to_owned(), socket.to_string());
        let request = VolumeCreateRequest {
            name: Some(volume.to_owned()),
            labels: Some(labels),
            ..VolumeCreateRequest::default()
        };
        self.client.create_volume(request).await.map_err(failed(format!("cannot create volume {volume}")))?;
        Ok(Operation::RemoveVolume { volume: volume.to_owned() })
    }

    pub(super) async fn remove_volume(&self, volume: &str) -> Result<(), Failure> {
        let result = self.client.remove_volume(volume, None::<RemoveVolumeOptions>).await;
        tolerate(result, &[404]).map_err(failed(format!("cannot remove volume {volume}")))
    }
}

fn observed(volume: Volume) -> ObservedVolume {
    ObservedVolume {
        project: labels::project(Some(&volume.labels)),
        socket: volume.labels.get(labels::SOCKET).and_then(|socket| socket.parse().ok()),
        name: volume.name,
    }
}
