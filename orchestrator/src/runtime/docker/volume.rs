//! The nodes' data volumes.

use bollard::models::{Volume, VolumeCreateRequest};
use bollard::query_parameters::{ListVolumesOptions, ListVolumesOptionsBuilder, RemoveVolumeOptions};

use super::{Docker, failed, labelled, tolerate};
use crate::failure::Failure;
use crate::labels;
use crate::plan::Operation;
use crate::spec::ClusterSpec;

impl Docker {
    pub(super) async fn labelled_volumes(&self) -> Result<Vec<Volume>, Failure> {
        self.list_volumes(ListVolumesOptionsBuilder::default().filters(&labelled(labels::PROJECT)).build()).await
    }

    pub(super) async fn all_volumes(&self) -> Result<Vec<Volume>, Failure> {
        self.list_volumes(ListVolumesOptions::default()).await
    }

    async fn list_volumes(&self, options: ListVolumesOptions) -> Result<Vec<Volume>, Failure> {
        let list = self.client.list_volumes(Some(options)).await.map_err(failed("cannot list volumes"))?;
        Ok(list.volumes.unwrap_or_default())
    }

    pub(super) async fn create_volume(&self, volume: &str, spec: &ClusterSpec) -> Result<Operation, Failure> {
        let request = VolumeCreateRequest {
            name: Some(volume.to_owned()),
            labels: Some(labels::of_project(&spec.name)),
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
