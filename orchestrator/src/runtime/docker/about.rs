//! What the engine tells of itself.

use std::path::PathBuf;

use super::super::folder;
use super::connect::host;
use super::{Docker, failed};
use crate::failure::Failure;
use crate::observed::{About, Engine, Folder};

impl Docker {
    pub(super) async fn describe(&self) -> Result<About, Failure> {
        let version = self.client.version().await.map_err(failed("cannot ask the engine for its version"))?;
        let info = self.client.info().await.map_err(failed("cannot ask the engine about itself"))?;
        let engine = Engine {
            host: host(),
            version: version.version.unwrap_or_default(),
            api_version: version.api_version.unwrap_or_default(),
            components: version.components.unwrap_or_default().into_iter().map(|component| component.name).collect(),
            operating_system: info.operating_system.unwrap_or_default(),
            security_options: info.security_options.unwrap_or_default(),
            memory_bytes: info.mem_total.and_then(|bytes| bytes.try_into().ok()),
            limits_memory: info.memory_limit == Some(true),
            limits_pids: info.pids_limit == Some(true),
        };
        Ok(About { folder: data_folder(&engine, info.docker_root_dir), engine: Some(engine) })
    }
}

/// Only of an engine on this machine: any other has its folder elsewhere, under a name that may be here as well.
fn data_folder(engine: &Engine, path: Option<String>) -> Option<Folder> {
    let path = PathBuf::from(path?);
    let is_here = engine.host.starts_with("unix://") && !engine.is_virtual();
    (is_here && path.is_dir()).then(|| folder::look(&path))
}
