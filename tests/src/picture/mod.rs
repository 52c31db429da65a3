//! A history as one page of HTML for people: nodes as lines, operations and faults on a time axis, and of each finding its
//! story with the arrows between its operations. Nothing is loaded from elsewhere, and nothing runs; what colour says,
//! shapes, dashes and words say too.

mod chart;
mod close;
mod scale;
mod whole;

use std::fmt::Write;

use crate::{
    check::Verdict,
    faults::Availability,
    history::{History, Run},
};

/// Pixels.
const WIDTH: f64 = 1160.0;
const STYLE: &str = include_str!("style.css");

/// The page.
#[must_use]
pub fn page(history: &History, verdict: &Verdict) -> String {
    let none = Run::default();
    let run = history.run().unwrap_or(&none);
    let operations = history.operations().count();
    let title = format!("{}, seed {}", run.store, run.seed);
    let mut body = format!("<h1>{}</h1>\n<p class=\"verdict\">{operations} operations: ", escape(&title));
    match verdict {
        Verdict::Valid => body.push_str("valid</p>\n"),
        Verdict::Unknown(reasons) => {
            let _ = writeln!(body, "unknown, because {}</p>", escape(&reasons.join("; ")));
        }
        Verdict::Invalid(findings) => {
            let s = if findings.len() == 1 { "" } else { "s" };
            let _ = writeln!(body, "invalid, {} finding{s}</p>", findings.len());
            for (index, finding) in findings.iter().enumerate() {
                let _ = writeln!(body, "<h2>{}. {:?}</h2>", index + 1, finding.pattern);
                let _ = writeln!(body, "<pre>{}</pre>", escape(&finding.to_string()));
                body.push_str(&close::chart(history, finding));
            }
        }
    }
    body.push_str("<h2>The whole run</h2>\n");
    body.push_str(&whole::chart(history));
    let _ = writeln!(body, "<pre>{}</pre>", escape(&Availability::of(history).to_string()));
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(&title)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The nodes from top to bottom: those of the run, then whoever else appears.
fn nodes(history: &History) -> Vec<&str> {
    let mut nodes: Vec<&str> = history.run().map_or(Vec::new(), |run| run.nodes.iter().map(String::as_str).collect());
    let of_faults = history.faults().flat_map(|fault| fault.nodes.iter().map(String::as_str));
    for node in history.operations().map(|operation| operation.node.as_str()).chain(of_faults) {
        if !nodes.contains(&node) {
            nodes.push(node);
        }
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        check::check,
        history::{End, Event, Fault, Kind, Operation, Phase},
    };

    fn operation(kind: Kind, node: &str, at_ms: u64) -> Operation {
        Operation {
            client: 1,
            node: node.into(),
            kind,
            key: "<x>".into(),
            value: None,
            token_in: None,
            token_out: None,
            status: Some(404),
            start_us: at_ms * 1000,
            end_us: at_ms * 1000 + 500,
            durable: None,
            last: false,
        }
    }

    fn history(read: Operation) -> History {
        let put = Operation {
            value: Some("1".into()),
            token_out: Some(1),
            status: Some(201),
            ..operation(Kind::Put, "node1", 10)
        };
        let kill = Fault {
            number: 1,
            kind: "kill".into(),
            what: "node2 is killed".into(),
            nodes: vec!["node2".into()],
            destroys: Vec::new(),
            gives_up: Vec::new(),
            phase: Phase::Begins,
            start_us: 15_000,
            end_us: 16_000,
        };
        let back =
            Fault { phase: Phase::Ends, what: "node2 runs".into(), start_us: 17_000, end_us: 18_000, ..kill.clone() };
        let run = Run { seed: 7, store: "a & b".into(), nodes: vec!["node1".into(), "node2".into()] };
        let events = vec![
            Event::Run(run),
            Event::Operation(put),
            Event::Fault(kill),
            Event::Fault(back),
            Event::Operation(Operation { token_in: Some(1), token_out: Some(2), last: true, ..read }),
            Event::End(End { end_us: 40_000 }),
        ];
        History { events }
    }

    #[test]
    fn a_finding_is_shown_with_its_story_and_arrows() {
        let history = history(operation(Kind::Get, "node2", 20));
        let page = page(&history, &check(&history));
        for part in [
            "a &amp; b, seed 7",
            "invalid, 1 finding<",
            "reads &lt;x&gt; at node2",
            "class=\"arrow token\"",
            "node2 is killed",
        ] {
            assert!(page.contains(part), "no {part} in {page}");
        }
        assert!(!page.contains("<x>") && !page.contains("NaN"), "{page}");
    }

    #[test]
    fn a_valid_history_is_shown_whole() {
        let found = Operation { value: Some("1".into()), status: Some(200), ..operation(Kind::Get, "node2", 20) };
        let history = history(found);
        let page = page(&history, &check(&history));
        assert!(
            page.contains("2 operations: valid") && page.contains("The whole run") && !page.contains("arrow token")
        );
    }

    #[test]
    fn nothing_is_loaded_and_nothing_runs() {
        let history = history(operation(Kind::Get, "node2", 20));
        let page = page(&history, &check(&history));
        for part in ["<script", "http:", "https:", "onload", "@import"] {
            assert!(!page.replace("http://www.w3.org/2000/svg", "").contains(part), "{part}");
        }
    }

    #[test]
    fn an_empty_history_is_a_page_too() {
        assert!(page(&History::default(), &check(&History::default())).contains("unknown"));
    }
}
