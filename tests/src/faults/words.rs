//! What a fault is called where people read of it. Pure.

use super::kind::Kind;

/// What it is like while it is on.
pub(super) fn begins(kind: Kind, names: &[&str]) -> String {
    let list = names.join(", ");
    match kind {
        Kind::Kill => format!("{list} is killed"),
        Kind::Restart => format!("{list} is restarted"),
        Kind::Pause => format!("{list} is frozen"),
        Kind::Stop => format!("{list} is stopped"),
        Kind::Wipe => format!("{list} is killed and loses its disk"),
        Kind::Partition => format!("{list} and the others do not hear each other"),
        Kind::OneWay => format!("the others do not hear {list}"),
        Kind::Bridge => {
            let (bridge, group) = (names.first().unwrap_or(&""), names.get(1..).unwrap_or_default().join(", "));
            format!("{group} and the others do not hear each other, {bridge} hears all")
        }
        Kind::Isolate => format!("{list} hears nobody and is heard by nobody"),
        Kind::Add | Kind::ReshardUp | Kind::ReshardDown => format!("{list} is asked to {}", kind.name()),
        Kind::RollingRestart => format!("{list} are restarted, one after the other"),
        Kind::KillAll => "all nodes are killed".to_owned(),
    }
}

/// What it is like from then on.
pub(super) fn ends(kind: Kind, names: &[&str]) -> String {
    match kind {
        Kind::Kill | Kind::Stop | Kind::Restart => format!("{} runs again", names.join(", ")),
        Kind::Wipe => format!("{} runs again, with an empty disk", names.join(", ")),
        Kind::Pause => format!("{} goes on", names.join(", ")),
        Kind::RollingRestart | Kind::KillAll => "all nodes run again".to_owned(),
        _ => "all nodes hear each other again".to_owned(),
    }
}
