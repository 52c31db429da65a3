//! The image: seen, built from memory, removed.

use std::collections::HashMap;
use std::path::Path;

use bollard::query_parameters::{
    BuildImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions, RemoveImageOptionsBuilder,
};
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{Either, Full};

use super::super::Site;
use super::container::missing_image;
use super::{Docker, failed, is_status, labelled, message, tolerate};
use crate::build::foreign_context;
use crate::failure::Failure;
use crate::labels;
use crate::observed::ObservedImage;
use crate::output::Output;

impl Docker {
    pub(super) async fn observe_image(&self, name: &str) -> Result<Option<ObservedImage>, Failure> {
        match self.client.inspect_image(name).await {
            Ok(image) => {
                let labels = image.config.and_then(|config| config.labels).unwrap_or_default();
                Ok(Some(ObservedImage {
                    id: image.id.unwrap_or_default(),
                    content: labels.get(labels::CONTENT).cloned(),
                    ours: labels.contains_key(labels::IMAGE),
                }))
            }
            Err(error) if is_status(&error, 404) => Ok(None),
            // The engine takes that for a server's error.
            Err(error) if message(&error).contains("invalid reference format") => {
                Err(Failure::Image(format!("`{name}` is no name of an image")))
            }
            Err(error) => Err(failed(format!("cannot inspect image {name}"))(error)),
        }
    }

    pub(super) async fn build_image(&self, site: &Site<'_>) -> Result<(), Failure> {
        let artifact = site.artifact.ok_or_else(|| missing_image(site.spec))?;
        let labels =
            HashMap::from([(labels::CONTENT, artifact.content.as_str()), (labels::PROJECT, site.spec.name.as_str())]);
        let arguments = HashMap::from([("TARGET", self.target.triple().unwrap_or_default())]);
        let options = BuildImageOptionsBuilder::default().labels(&labels).buildargs(&arguments);
        self.build(&site.spec.image.name, options, artifact.context.clone(), site.output).await
    }

    /// Builds the image of the site's spec from a folder that is not ours.
    pub(super) async fn build_foreign(&self, folder: &Path, site: &Site<'_>) -> Result<(), Failure> {
        let context = foreign_context(folder)?;
        let labels = HashMap::from([(labels::PROJECT, site.spec.name.as_str())]);
        let options = BuildImageOptionsBuilder::default().labels(&labels);
        self.build(&site.spec.image.name, options, context, site.output).await
    }

    /// Builds an image from a context in memory.
    pub(super) async fn build(
        &self,
        name: &str,
        options: BuildImageOptionsBuilder,
        context: Vec<u8>,
        output: &Output,
    ) -> Result<(), Failure> {
        let options = options.dockerfile("Dockerfile").t(name).rm(true).forcerm(true).build();
        let context = Either::Left(Full::new(Bytes::from(context)));
        let mut stream = Box::pin(self.client.build_image(options, None, Some(context)));
        let mut transcript = String::new();
        while let Some(step) = stream.next().await {
            let error = match step {
                Ok(step) => {
                    let text = step.stream.unwrap_or_default();
                    output.detail(text.trim_end());
                    transcript.push_str(&text);
                    step.error_detail.map(|detail| detail.message.unwrap_or_default())
                }
                Err(error) => Some(message(&error)),
            };
            if let Some(error) = error {
                return Err(Failure::Image(format!(
                    "{}\nthe image {name} cannot be built: {error}",
                    transcript.trim_end()
                )));
            }
        }
        Ok(())
    }

    pub(super) async fn remove_image(&self, name: &str) -> Result<(), Failure> {
        let result = self.client.remove_image(name, None::<RemoveImageOptions>, None).await.map(drop);
        tolerate(result, &[404]).map_err(failed(format!("cannot remove image {name}")))
    }

    /// Images that this tool built and a newer build has replaced. One that a container still uses stays; so do the
    /// layers of a build that is under way, which have no name either, but not this label yet.
    pub(super) async fn prune_dangling(&self, project: Option<&str>) -> Result<usize, Failure> {
        let mut filters = match project {
            Some(name) => labelled(&format!("{}={name}", labels::PROJECT)),
            None => labelled(labels::PROJECT),
        };
        filters.insert("dangling".to_owned(), vec!["true".to_owned()]);
        self.prune(&filters).await
    }

    /// Removes those images that no container uses; answers how many.
    pub(super) async fn prune(&self, filters: &HashMap<String, Vec<String>>) -> Result<usize, Failure> {
        let options = ListImagesOptionsBuilder::default().filters(filters).build();
        let images = self.client.list_images(Some(options)).await.map_err(failed("cannot list images"))?;
        let mut removed = 0;
        for image in images {
            let options = RemoveImageOptionsBuilder::default().build();
            let result = self.client.remove_image(&image.id, Some(options), None).await.map(drop);
            if result.is_ok() {
                removed += 1;
            }
            tolerate(result, &[404, 409]).map_err(failed(format!("cannot remove image {}", image.id)))?;
        }
        Ok(removed)
    }
}
