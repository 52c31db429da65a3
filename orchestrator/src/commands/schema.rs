//! `schema`: the JSON Schema of the cluster file.

use crate::failure::Failure;
use crate::output::Output;
use crate::spec::SCHEMA;

pub(super) fn run(output: &Output) -> Result<(), Failure> {
    output.document(SCHEMA);
    Ok(())
}
