//! `clean`: `down -v`, and the image.

use super::down::remove;
use super::session::Session;
use crate::failure::Failure;
use crate::plan::Removal;

pub(super) async fn run(session: &Session<'_>) -> Result<(), Failure> {
    let spec = &session.spec;
    let removal = Removal {
        project: &spec.name,
        volumes: true,
        logs: true,
        image: Some(&spec.image.name),
        cause: "asked for",
        ..Removal::default()
    };
    remove(session, &removal, "clean").await
}
