//! What all charts have: the frame, the nodes' lines, the time axis, and the faults.

use std::fmt::Write;

use super::{WIDTH, escape, scale::Scale};
use crate::history::{Fault, History};

/// Below the lines, for the time axis.
const AXIS: f64 = 30.0;

/// A drawing with everything but the operations; `inside` comes on top.
pub(super) fn frame(history: &History, scale: &Scale<'_>, label: &str, inside: &str) -> String {
    let (height, bottom) = (scale.bottom() + AXIS, scale.bottom());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\n{MARKS}",
        escape(label)
    );
    for at_us in scale.ticks() {
        let x = scale.x(at_us);
        let _ = writeln!(svg, "<path class=\"tick\" d=\"M{x:.1} 34V{bottom:.1}\"/>");
        let _ = writeln!(svg, "<text class=\"time\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>", bottom + 20.0, moment(at_us));
    }
    for node in scale.nodes() {
        let y = scale.y(node);
        let _ = writeln!(svg, "<path class=\"node\" d=\"M90 {y:.1}H{}\"/>", WIDTH - 20.0);
        let _ = writeln!(svg, "<text class=\"name\" x=\"82\" y=\"{:.1}\">{}</text>", y + 4.0, escape(node));
    }
    for (begin, end) in history.spans() {
        svg.push_str(&fault(begin, end, scale));
    }
    svg.push_str(inside);
    svg.push_str("</svg>\n");
    svg
}

/// Heads of arrows, and the hatching of faults.
const MARKS: &str = "<defs>\
    <marker id=\"head\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
    <path d=\"M0 0L8 4L0 8z\"/></marker>\
    <pattern id=\"hatch\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
    <path class=\"hatch\" d=\"M0 0V6\"/></pattern></defs>\n";

fn fault(begin: &Fault, end: Option<&Fault>, scale: &Scale<'_>) -> String {
    let to_us = end.map_or(u64::MAX, |end| end.end_us);
    if !scale.shows(begin.start_us, to_us) {
        return String::new();
    }
    let (x, width) = (scale.x(begin.start_us), (scale.x(to_us) - scale.x(begin.start_us)).max(2.0));
    let what = [Some(begin), end].into_iter().flatten().map(|fault| fault.what.as_str()).collect::<Vec<_>>().join("; ");
    let mut svg = format!("<g class=\"fault\"><title>{}</title>\n", escape(&what));
    let (height, half) = (scale.row() * 0.8, scale.row() * 0.4);
    for node in &begin.nodes {
        let y = scale.y(node) - half;
        let _ = writeln!(svg, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>");
    }
    // Names that would lie on each other alternate between two heights.
    let y = if begin.number.is_multiple_of(2) { 14.0 } else { 28.0 };
    let _ = writeln!(svg, "<text class=\"kind\" x=\"{x:.1}\" y=\"{y}\">{}</text>\n</g>", escape(&begin.kind));
    svg
}

fn moment(at_us: u64) -> String {
    format!("{} s", at_us as f64 / 1e6)
}
