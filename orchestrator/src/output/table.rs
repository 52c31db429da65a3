//! Tables without lines between their cells.

use comfy_table::{Table, presets};

/// One with this header and no rows yet.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(header);
    table
}

/// As it is shown: without the space that the library puts before the first column, and those after the last.
pub(crate) fn text_of(table: &Table) -> String {
    table
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}
