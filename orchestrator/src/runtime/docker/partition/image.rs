//! The image of the barriers: one for all projects, named by what it was made from.

use std::collections::HashMap;

use bollard::query_parameters::BuildImageOptionsBuilder;

use super::super::super::Site;
use super::super::{Docker, labelled};
use crate::build::{barrier_content, compile_barrier};
use crate::failure::Failure;
use crate::labels;

const NAME: &str = "orchestrator-barrier";
/// So many digits of the content's hash tell it apart.
const TAG_DIGITS: usize = 12;

impl Docker {
    /// The image's name; compiled and built first when there is none. Two that build it at once make the same.
    pub(in super::super) async fn prepare_barriers(&self, site: &Site<'_>) -> Result<String, Failure> {
        let content = barrier_content();
        let name = format!("{NAME}:{}", &content[..TAG_DIGITS]);
        if self.observe_image(&name).await?.is_none() {
            let context = compile_barrier(site.spec.image.build.as_deref(), self.target, site.output).await?;
            let labels = HashMap::from([(labels::CONTENT, content.as_str())]);
            let options = BuildImageOptionsBuilder::default().labels(&labels);
            self.build(&name, options, context, site.output).await?;
        }
        Ok(name)
    }

    /// Removes the images of barriers that no container uses, older ones too; answers how many.
    pub(in super::super) async fn prune_barrier_images(&self) -> Result<usize, Failure> {
        self.prune(&labelled(&format!("{}=barrier", labels::IMAGE))).await
    }
}
