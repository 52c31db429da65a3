//! One thing that happened.

use std::time::Duration;

use serde_json::{Value, json};

/// An event of a command's progress.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// `node.started`: for programs, stable.
    pub(crate) name: &'static str,
    /// The same for people.
    pub(crate) text: String,
    pub(crate) node: Option<String>,
    pub(crate) cause: Option<String>,
    pub(crate) took: Option<Duration>,
}

impl Event {
    pub(crate) fn new(name: &'static str, text: impl Into<String>) -> Self {
        Self { name, text: text.into(), node: None, cause: None, took: None }
    }

    pub(crate) fn node(mut self, node: Option<&str>) -> Self {
        self.node = node.map(str::to_owned);
        self
    }

    pub(crate) fn cause(mut self, cause: &str) -> Self {
        self.cause = Some(cause.to_owned());
        self
    }

    pub(crate) fn took(mut self, took: Duration) -> Self {
        self.took = Some(took);
        self
    }

    /// For a log: `node1: started (612 ms)`, with the cause when asked for.
    pub(super) fn line(&self, verbose: bool) -> String {
        let mut line = self.node.as_ref().map(|node| format!("{node}: ")).unwrap_or_default();
        line.push_str(&self.text);
        if let Some(took) = self.took {
            line.push_str(&format!(" ({} ms)", took.as_millis()));
        }
        match &self.cause {
            Some(cause) if verbose => line.push_str(&format!(", because {cause}")),
            _ => {}
        }
        line
    }

    pub(super) fn json(&self) -> Value {
        let mut json = json!({"event": self.name, "message": self.text});
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                json[name] = value;
            }
        };
        set("node", self.node.clone().map(Value::from));
        set("cause", self.cause.clone().map(Value::from));
        set("ms", self.took.map(|took| Value::from(took.as_millis() as u64)));
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_an_object_say_the_same() {
        let event = Event::new("node.started", "started")
            .node(Some("node1"))
            .cause("the node is missing")
            .took(Duration::from_millis(612));
        assert_eq!(event.line(false), "node1: started (612 ms)");
        assert_eq!(event.line(true), "node1: started (612 ms), because the node is missing");
        let expected = json!({"event": "node.started", "message": "started", "node": "node1", "cause": "the node is missing", "ms": 612});
        assert_eq!(event.json(), expected);
    }
}
