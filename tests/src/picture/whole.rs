//! The whole run: at each node and in each stretch of time, how much was asked and how much was answered.

use std::{collections::BTreeMap, fmt::Write};

use super::{chart::frame, nodes, scale::Scale};
use crate::history::{Event, History};

const ROW: f64 = 30.0;
/// Stretches of time.
const STRETCHES: u64 = 200;

pub(super) fn chart(history: &History) -> String {
    let nodes = nodes(history);
    let ends = history.events.iter().map(|event| match event {
        Event::Operation(operation) => operation.end_us,
        Event::Fault(fault) => fault.end_us,
        Event::Unrest(unrest) => unrest.end_us,
        Event::End(end) => end.end_us,
        Event::Run(_) => 0,
    });
    let end_us = ends.max().unwrap_or(0).max(1);
    let scale = Scale::new(0, end_us, &nodes, ROW);
    let stretch_us = end_us.div_ceil(STRETCHES).max(1);
    let mut cells: BTreeMap<(&str, u64), (u32, u32)> = BTreeMap::new();
    for operation in history.operations() {
        let (asked, answered) = cells.entry((&operation.node, operation.start_us / stretch_us)).or_default();
        *asked += 1;
        *answered += u32::from(operation.is_answered());
    }
    let most = cells.values().map(|(asked, _)| *asked).max().unwrap_or(1);
    let mut svg = String::new();
    for ((node, stretch), (asked, answered)) in cells {
        let (x, y) = (scale.x(stretch * stretch_us), scale.y(node) + ROW * 0.4);
        let width = scale.x((stretch + 1) * stretch_us) - x;
        let height = |count: u32| f64::from(count) / f64::from(most) * ROW * 0.8;
        let (up, lost) = (height(answered), height(asked - answered));
        let _ = writeln!(
            svg,
            "<rect class=\"answered\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"{up:.1}\"/>",
            y - up
        );
        if asked > answered {
            let top = y - up - lost;
            let _ = writeln!(
                svg,
                "<rect class=\"unanswered\" x=\"{x:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{lost:.1}\">\
                 <title>{} of {asked} not answered</title></rect>",
                asked - answered
            );
        }
    }
    let legend = "<p class=\"legend\">filled: operations answered; framed: not answered; hatched: a fault is on (its words on \
                  hovering)</p>\n";
    format!("{}{legend}", frame(history, &scale, "The whole run, by node and time", &svg))
}
