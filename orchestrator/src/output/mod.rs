//! Everything that is printed: results on stdout, progress on stderr. No other module prints.
//!
//! With `--output json` both are one JSON object a line: `{"v":1,"at":"…","event":"node.started","node":"node1","ms":612}`.
//! `v` changes when a field changes its meaning; new events and fields may come at any time.

mod bars;
mod event;
mod table;

use std::io::{IsTerminal, Write};
use std::time::SystemTime;

use console::{Color, Term};
use serde_json::{Value, json};

use crate::cli::{Global, OutputChoice};
use crate::failure::Failure;
use crate::runtime::LogLine;
use bars::Bars;
pub(crate) use event::Event;
pub(crate) use table::{table, text_of};

/// The version of the JSON events.
const VERSION: u8 = 1;

/// Of the nodes in `logs`.
const COLOURS: [Color; 6] = [Color::Cyan, Color::Yellow, Color::Green, Color::Magenta, Color::Blue, Color::Red];

enum Mode {
    Bars(Bars),
    Plain,
    Json,
}

/// Where a command's words go.
pub(crate) struct Output {
    mode: Mode,
    quiet: bool,
    verbose: bool,
}

impl Output {
    /// Bars only for a person: on a terminal, and not under CI.
    pub(crate) fn new(global: &Global) -> Self {
        let person = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let mode = match global.output {
            OutputChoice::Json => Mode::Json,
            OutputChoice::Auto if person => Mode::Bars(Bars::new()),
            OutputChoice::Auto | OutputChoice::Plain => Mode::Plain,
        };
        Self { mode, quiet: global.quiet, verbose: global.verbose }
    }

    /// Says nothing.
    pub(crate) fn silent() -> Self {
        Self { mode: Mode::Plain, quiet: true, verbose: false }
    }

    pub(crate) fn is_json(&self) -> bool {
        matches!(self.mode, Mode::Json)
    }

    /// Something happened.
    pub(crate) fn event(&self, event: &Event) {
        if self.quiet {
            return;
        }
        match &self.mode {
            Mode::Bars(bars) => bars.event(event),
            Mode::Plain => to_stderr(&event.line(self.verbose)),
            Mode::Json => to_stderr(&stamped(event.json()).to_string()),
        }
    }

    /// Something goes on: shown in place on a terminal, not at all elsewhere.
    pub(crate) fn progress(&self, text: &str) {
        if let (Mode::Bars(bars), false) = (&self.mode, self.quiet) {
            bars.progress(text);
        }
    }

    /// What a node is waiting for: shown in place on a terminal, not at all elsewhere.
    pub(crate) fn waiting(&self, node: &str, text: &str) {
        if let (Mode::Bars(bars), false) = (&self.mode, self.quiet) {
            bars.waiting(node, text);
        }
    }

    /// Something happened that is worth a line of its own also on a terminal.
    pub(crate) fn line(&self, text: &str, json: Value) {
        if self.quiet {
            return;
        }
        match &self.mode {
            Mode::Bars(bars) => bars.above(text),
            Mode::Plain => to_stderr(text),
            Mode::Json => to_stderr(&stamped(json).to_string()),
        }
    }

    /// A line for the machine that runs us, whatever the person wants to see; not among JSON.
    pub(crate) fn command(&self, text: &str) {
        if !self.is_json() {
            to_stdout(text);
        }
    }

    /// One line that the person should know, whatever goes on.
    pub(crate) fn note(&self, text: &str) {
        if self.quiet {
            return;
        }
        match &self.mode {
            Mode::Bars(bars) => bars.above(&format!("note: {text}")),
            Mode::Plain => to_stderr(&format!("note: {text}")),
            Mode::Json => to_stderr(&stamped(json!({"event": "note", "message": text})).to_string()),
        }
    }

    /// Only with `--verbose`.
    pub(crate) fn detail(&self, text: &str) {
        if !self.verbose || self.quiet || text.is_empty() {
            return;
        }
        match &self.mode {
            Mode::Bars(bars) => bars.above(text),
            Mode::Plain => to_stderr(text),
            Mode::Json => to_stderr(&stamped(json!({"event": "detail", "message": text})).to_string()),
        }
    }

    /// The command's result: `text` for a person, `json` (with an `event` field) for a program.
    pub(crate) fn result(&self, text: &str, json: Value) {
        self.finish();
        if self.is_json() {
            to_stdout(&stamped(json).to_string());
        } else if !text.is_empty() {
            to_stdout(text);
        }
    }

    /// A text that is for another program as it is, whatever the person wants to see.
    pub(crate) fn document(&self, text: &str) {
        to_stdout(text.trim_end());
    }

    /// The next picture of what is watched: on a terminal in the place of the last one, with `--output json` one object a
    /// line.
    ///
    /// # Errors
    /// Nobody reads it any more.
    pub(crate) fn picture(&self, text: &str, objects: Vec<Value>) -> std::io::Result<()> {
        let terminal = Term::buffered_stdout();
        if self.is_json() {
            for object in objects {
                terminal.write_line(&stamped(object).to_string())?;
            }
        } else {
            if terminal.is_term() {
                terminal.clear_screen()?;
            }
            terminal.write_line(text)?;
        }
        // All at once, so that nothing flickers.
        terminal.flush()
    }

    /// One line of a node's log; `index` chooses its colour.
    pub(crate) fn log_line(&self, index: usize, node: &str, width: usize, line: &LogLine) {
        if self.is_json() {
            let json = json!({"v": VERSION, "at": line.at, "event": "log", "node": node, "line": line.text});
            return to_stdout(&json.to_string());
        }
        let colour = COLOURS[index % COLOURS.len()];
        let name = console::style(format!("{node:width$} |")).fg(colour);
        to_stdout(&format!("{name} {}", line.text));
    }

    /// Why the command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.finish();
        if self.is_json() {
            let json = json!({"event": "failed", "exit_code": failure.exit_code(), "message": failure.to_string()});
            to_stderr(&stamped(json).to_string());
            return;
        }
        let word = console::style("error:").for_stderr().red().bold();
        let text = failure.to_string();
        to_stderr(&format!("{word} {}", text.replace('\n', "\n       ")));
    }

    /// A question to the person at the terminal. `None`: nobody can answer.
    pub(crate) fn ask(&self, question: &str) -> Option<bool> {
        if !std::io::stdin().is_terminal() {
            return None;
        }
        self.finish();
        let mut stderr = std::io::stderr();
        write!(stderr, "{question} [y/N] ").and_then(|()| stderr.flush()).ok()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ok()?;
        Some(matches!(answer.trim(), "y" | "Y" | "yes"))
    }

    fn finish(&self) {
        if let Mode::Bars(bars) = &self.mode {
            bars.finish();
        }
    }
}

/// `1 volume`, `2 volumes`.
pub(crate) fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// With version and time.
fn stamped(event: Value) -> Value {
    let at = humantime::format_rfc3339_millis(SystemTime::now()).to_string();
    let mut stamped = json!({"v": VERSION, "at": at});
    if let (Value::Object(all), Value::Object(event)) = (&mut stamped, event) {
        all.extend(event);
    }
    stamped
}

// A reader that went away (`orchestrator logs | head`) is no error of ours: what cannot be written is dropped.
fn to_stdout(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn to_stderr(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
