//! A history as lines of JSON.

use std::io::{self, BufRead, Write};

use super::{Event, History};

impl History {
    /// Reads a history to its end. A last line that was cut off is left out, as whoever wrote it may have been killed.
    ///
    /// # Errors
    /// A line that is no event, with its number; or what reading says.
    pub fn read(source: impl BufRead) -> io::Result<Self> {
        let mut events = Vec::new();
        let mut wrong = None;
        for (number, line) in source.lines().enumerate() {
            let line = line?;
            if let Some(error) = wrong {
                return Err(error);
            }
            match serde_json::from_str(&line) {
                Ok(event) => events.push(event),
                Err(error) => {
                    let error = format!("line {} is no event of a history: {error}", number + 1);
                    wrong = Some(io::Error::new(io::ErrorKind::InvalidData, error));
                }
            }
        }
        match wrong {
            // Only the end of a file can be cut off, and only after a beginning.
            Some(error) if events.is_empty() => Err(error),
            _ => Ok(Self { events }),
        }
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// What writing says.
    pub fn write(&self, mut target: impl Write) -> io::Result<()> {
        self.events.iter().try_for_each(|event| event.write(&mut target))
    }
}

impl Event {
    /// Writes its line.
    ///
    /// # Errors
    /// What writing says.
    pub fn write(&self, mut target: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut target, self)?;
        target.write_all(b"\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{End, Kind, Operation};

    fn history() -> History {
        let operation = Operation {
            client: 1,
            node: "node1".into(),
            kind: Kind::Put,
            key: "x".into(),
            value: Some("1".into()),
            token_in: None,
            token_out: Some(1),
            status: Some(201),
            start_us: 10,
            end_us: 20,
            durable: Some(2),
            last: false,
        };
        History { events: vec![Event::Operation(operation), Event::End(End { end_us: 30 })] }
    }

    fn text(history: &History) -> String {
        let mut text = Vec::new();
        history.write(&mut text).expect("memory takes it");
        String::from_utf8(text).expect("JSON is text")
    }

    #[test]
    fn what_was_written_is_read() {
        let text = text(&history());
        assert_eq!(text.lines().count(), 2);
        assert!(
            text.starts_with(r#"{"type":"operation","client":1,"node":"node1","kind":"put","key":"x","value":"1","#),
            "{text}"
        );
        assert_eq!(History::read(text.as_bytes()).expect("a history"), history());
    }

    #[test]
    fn a_history_that_was_cut_off_is_read_and_known_as_such() {
        let text = text(&history());
        let read = History::read(&text.as_bytes()[..text.len() - 5]).expect("a history");
        assert_eq!(read.events.len(), 1);
        assert!(!read.is_whole() && history().is_whole());
    }

    #[test]
    fn a_wrong_line_is_named() {
        let text = format!("{}nonsense\n{}", text(&history()), text(&history()));
        let error = History::read(text.as_bytes()).expect_err("an error");
        assert!(error.to_string().starts_with("line 3 is no event"), "{error}");
        assert!(History::read(&b"nonsense"[..]).is_err());
    }
}
