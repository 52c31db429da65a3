//! A finding from near: its operations large, with the arrows between them, and small what else went on there and then.

use std::fmt::Write;

use super::{chart::frame, escape, nodes, scale::Scale};
use crate::{
    check::{Arrow, Because, Finding},
    history::{Event, History, Kind, Operation},
};

const ROW: f64 = 64.0;
/// Before the first and after the last operation of the story, as a share of the time between.
const MARGIN: f64 = 0.08;
/// Operations around the story that are shown.
const AROUND_MAX: usize = 400;

pub(super) fn chart(history: &History, finding: &Finding) -> String {
    let told = finding.lines.iter().filter_map(|line| line.event);
    let told: Vec<(usize, &Operation)> = told.filter_map(|event| Some((event, operation(history, event)?))).collect();
    let (Some(from_us), Some(to_us)) =
        (told.iter().map(|(_, o)| o.start_us).min(), told.iter().map(|(_, o)| o.end_us).max())
    else {
        return String::new();
    };
    let margin_us = ((to_us - from_us) as f64 * MARGIN) as u64 + 1_000;
    let nodes = nodes(history);
    let scale = Scale::new(from_us.saturating_sub(margin_us), to_us + margin_us, &nodes, ROW);
    let mut svg = String::new();
    let near = history.operations().filter(|other| scale.shows(other.start_us, other.end_us));
    for other in near.take(AROUND_MAX) {
        let (x, y) = (scale.x(other.start_us), scale.y(&other.node));
        let class = if other.is_answered() { "other" } else { "other without" };
        let _ = writeln!(
            svg,
            "<path class=\"{class}\" d=\"M{x:.1} {:.1}v8\"><title>{}</title></path>",
            y - 4.0,
            escape(&words(other))
        );
    }
    for arrow in &finding.arrows {
        if let (Some(from), Some(to)) = (operation(history, arrow.from), operation(history, arrow.to)) {
            svg.push_str(&draw(arrow, place(&scale, from), place(&scale, to)));
        }
    }
    for (number, (_, operation)) in told.iter().enumerate() {
        let (x, y) = place(&scale, operation);
        let _ = writeln!(
            svg,
            "<path class=\"took\" d=\"M{:.1} {y:.1}H{:.1}\"/>",
            scale.x(operation.start_us),
            scale.x(operation.end_us)
        );
        let shape = if operation.kind == Kind::Get || operation.kind == Kind::Count {
            format!("<circle class=\"told\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"10\"/>")
        } else {
            format!("<rect class=\"told\" x=\"{:.1}\" y=\"{:.1}\" width=\"20\" height=\"20\"/>", x - 10.0, y - 10.0)
        };
        let _ = writeln!(svg, "{shape}<text class=\"number\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>", y + 4.0, number + 1);
        // Above and below by turns, so that neighbours do not write over each other.
        let label = if number % 2 == 0 { y - 16.0 } else { y + 26.0 };
        let anchor = if x > super::WIDTH / 2.0 { " end" } else { "" };
        let _ = writeln!(
            svg,
            "<text class=\"words{anchor}\" x=\"{x:.1}\" y=\"{label:.1}\">{}</text>",
            escape(&words(operation))
        );
    }
    let legend = "<p class=\"legend\">square: a write; circle: a read; solid arrow: a token was carried; dashed: a value was \
                  read; dotted: the order that follows; small strokes: other operations (long: answered)</p>\n";
    format!("{}{legend}", frame(history, &scale, "The operations of the story", &svg))
}

fn operation(history: &History, event: usize) -> Option<&Operation> {
    match history.events.get(event) {
        Some(Event::Operation(operation)) => Some(operation),
        _ => None,
    }
}

/// A read is where it was answered, a write where it was sent: what it says is then true of its arrows.
fn place(scale: &Scale<'_>, operation: &Operation) -> (f64, f64) {
    let at_us = if operation.kind == Kind::Get { operation.end_us } else { operation.start_us };
    (scale.x(at_us), scale.y(&operation.node))
}

fn draw(arrow: &Arrow, (x, y): (f64, f64), (to_x, to_y): (f64, f64)) -> String {
    let (class, name) = match arrow.because {
        Because::Token => ("token", "token".to_owned()),
        Because::Read => ("read", "read".to_owned()),
        Because::Rest => ("rest", "all healed".to_owned()),
        Because::Order => ("order", "order".to_owned()),
        Because::Way(count) => ("token", format!("by way of {count}")),
    };
    // Bent, so that two arrows between the same operations are two; it ends at the rim of the mark.
    let (across, down) = (to_x - x, to_y - y);
    let length = across.hypot(down).max(1.0);
    let bend = if arrow.because == Because::Order { -34.0 } else { 22.0 };
    let (middle_x, middle_y) = (x + across / 2.0 - down / length * bend, y + down / 2.0 + across / length * bend);
    let rim = (to_x - middle_x).hypot(to_y - middle_y).max(1.0);
    let (end_x, end_y) = (to_x - (to_x - middle_x) / rim * 12.0, to_y - (to_y - middle_y) / rim * 12.0);
    format!(
        "<path class=\"arrow {class}\" marker-end=\"url(#head)\" d=\"M{x:.1} {y:.1}Q{middle_x:.1} {middle_y:.1} {end_x:.1} {end_y:.1}\"/>\
         <text class=\"why\" x=\"{middle_x:.1}\" y=\"{middle_y:.1}\">{name}</text>\n"
    )
}

fn words(operation: &Operation) -> String {
    let Operation { client, kind, key, value, status, .. } = operation;
    let kind = format!("{kind:?}").to_lowercase();
    let value = value.as_deref().map(|value| format!(" {value:?}")).unwrap_or_default();
    let status = status.map_or("no reply".to_owned(), |status| status.to_string());
    format!("client {client}: {kind} {key}{value} ({status})")
}
