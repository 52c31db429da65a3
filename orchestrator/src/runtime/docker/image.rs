//! The image: seen, built from memory, removed.

use std::collections::HashMap;
use std::path::Path;

use bollard::query_parameters::{
    BuildImageOptions, BuildImageOptionsBuilder, ListImagesOptionsBuilder, RemoveImageOptions,
    RemoveImageOptionsBuilder,
};
use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{Either, Full};

use super::super::Site;
use super::container::missing_image;
use super::{Docker, failed, is_status, labelled, message, report, tolerate};
use crate::build::foreign_context;
use crate::failure::Failure;
use crate::labels;
use crate::observed::ObservedImage;
use crate::output::Output;

/// What the engine says when somebody removes, with another image, a cached layer that it is building on just then.
const LAYER_GONE: &str = "failed to get digest";

impl Docker {
    pub(super) async fn observe_image(&self, name: &str) -> Result<Option<ObservedImage>, Failure> {
        match self.client.inspect_image(name).await {
            Ok(image) => {
                let config = image.config.unwrap_or_default();
                let labels = config.labels.unwrap_or_default();
                Ok(Some(ObservedImage {
                    id: image.id.unwrap_or_default(),
                    content: labels.get(labels::CONTENT).cloned(),
                    ours: labels.contains_key(labels::IMAGE),
                    env: report::variables(config.env),
                }))
            }
            Err(error) if is_status(&error, 404) => Ok(None),
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
        let path = folder.display().to_string();
        let labels = HashMap::from([(labels::FOLDER, path.as_str()), (labels::PROJECT, site.spec.name.as_str())]);
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
        let context = Bytes::from(context);
        let first = self.build_once(name, options.clone(), context.clone(), output).await;
        if !matches!(&first, Err(Failure::Image(words)) if words.contains(LAYER_GONE)) {
            return first;
        }
        output.detail("a layer was removed meanwhile; building again");
        self.build_once(name, options, context, output).await
    }

    async fn build_once(
        &self,
        name: &str,
        options: BuildImageOptions,
        context: Bytes,
        output: &Output,
    ) -> Result<(), Failure> {
        let context = Either::Left(Full::new(context));
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
                let words = format!("the image {name} cannot be built: {error}; run it again when that is mended");
                return Err(Failure::Image(format!("{}\n{words}", transcript.trim_end()).trim_start().to_owned()));
            }
        }
        Ok(())
    }

    pub(super) async fn remove_image(&self, name: &str) -> Result<(), Failure> {
        let result = self.client.remove_image(name, None::<RemoveImageOptions>, None).await.map(drop);
        tolerate(result, &[404]).map_err(failed(format!("cannot remove image {name}")))
    }

    /// Images that this tool built and a newer build has replaced, and those of somebody's folders. One that a container
    /// still uses stays; so do the layers of a build that is under way, which have no name either, but not these labels yet.
    pub(super) async fn prune_built(&self, project: Option<&str>) -> Result<usize, Failure> {
        let of_project = |label: &str| {
            let mut filters = labelled(label);
            let labels = filters.entry("label".to_owned()).or_default();
            labels.extend(project.map(|name| format!("{}={name}", labels::PROJECT)));
            filters
        };
        let mut replaced = of_project(labels::CONTENT);
        replaced.insert("dangling".to_owned(), vec!["true".to_owned()]);
        Ok(self.prune(&replaced).await? + self.prune(&of_project(labels::FOLDER)).await?)
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
