//! Figures of small histories.

use super::*;
use crate::history::{Event, Fault, Kind, Phase};

/// At node1.
fn operation(start_us: u64, end_us: u64, status: Option<u16>) -> Event {
    Event::Operation(Operation {
        client: 1,
        node: "node1".into(),
        kind: Kind::Get,
        key: "x".into(),
        value: None,
        token_in: None,
        token_out: None,
        status,
        start_us,
        end_us,
        durable: None,
        last: false,
    })
}

fn fault(number: u32, kind: &str, phase: Phase, at_us: u64) -> Event {
    Event::Fault(Fault {
        number,
        kind: kind.into(),
        what: String::new(),
        nodes: vec![if kind == "kill" { "node1" } else { "node2" }.into()],
        destroys: Vec::new(),
        gives_up: Vec::new(),
        phase,
        start_us: at_us,
        end_us: at_us,
    })
}

#[test]
fn operations_count_for_the_faults_that_were_on_when_they_began() {
    let events = vec![
        operation(0, 10, Some(200)),
        fault(1, "kill", Phase::Begins, 20),
        operation(30, 40, Some(404)),
        operation(35, 60, None),
        operation(65, 70, Some(503)),
        fault(2, "pause", Phase::Begins, 80),
        operation(85, 90, Some(200)),
        fault(1, "kill", Phase::Ends, 100),
        fault(2, "pause", Phase::Ends, 130),
        operation(140, 150, Some(200)),
    ];
    let Availability { rows } = Availability::of(&History { events });
    let row = |name: &str| rows.iter().find(|row| row.name == name).expect("a row of this name");
    let all = row(ALL);
    assert_eq!((all.faults, all.operations, all.answered, all.unavailable, all.without_reply), (2, 5, 3, 1, 1));
    assert_eq!(all.longest_gap, Duration::from_micros(50));
    assert_eq!(all.elsewhere, (1, 1));
    let kill = row("kill");
    assert_eq!((kill.elsewhere, row("pause").elsewhere), ((0, 0), (0, 0)));
    assert_eq!((kill.operations, kill.answered, kill.longest_gap), (4, 2, Duration::from_micros(50)));
    let pause = row("pause");
    assert_eq!((pause.operations, pause.answered, pause.longest_gap), (1, 1, Duration::from_micros(40)));
}

#[test]
fn a_fault_that_did_not_end_is_on_until_the_end() {
    let events = vec![fault(1, "kill", Phase::Begins, 0), operation(10, 20, None), operation(30, 50, Some(200))];
    let Availability { rows } = Availability::of(&History { events });
    assert_eq!((rows[1].name.as_str(), rows[1].operations, rows[1].answered), ("kill", 2, 1));
}
