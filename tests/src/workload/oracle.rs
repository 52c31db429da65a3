//! What each answer must not be: a record of all writes with the past of their writers, and the rule that a read with a token
//! is never older than the past behind that token.

use std::sync::Arc;

/// Per key, the number of the newest write in somebody's causal past; 0 for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Past(Vec<u32>);

impl Past {
    pub(super) fn new(keys: usize) -> Self {
        Self(vec![0; keys])
    }

    pub(super) fn newest(&self, key: usize) -> u32 {
        self.0[key]
    }

    fn merge(&mut self, other: &Self) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            *ours = (*ours).max(*theirs);
        }
    }
}

/// What a read saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// The value of the key's write of this number.
    Write(u32),
    /// A 404.
    Nothing,
}

/// A write that was sent, whatever came of it.
struct Write {
    deletes: bool,
    /// What its writer had seen, itself included.
    past: Arc<Past>,
}

/// All writes to all keys, in the order of their one writer.
pub(super) struct Oracle {
    writes: Vec<Vec<Write>>,
}

impl Oracle {
    pub(super) fn new(keys: usize) -> Self {
        Self { writes: (0..keys).map(|_| Vec::new()).collect() }
    }

    /// Notes a write before it is sent; gives its number. `past` is what its writer has seen.
    pub(super) fn begin_write(&mut self, key: usize, deletes: bool, past: &Past) -> u32 {
        let number = self.writes[key].len() as u32 + 1;
        let mut past = past.clone();
        past.0[key] = number;
        self.writes[key].push(Write { deletes, past: Arc::new(past) });
        number
    }

    /// Takes the acknowledged write `number` into its writer's past.
    pub(super) fn end_write(&self, key: usize, number: u32, past: &mut Past) {
        past.0[key] = past.0[key].max(number);
    }

    /// Whether the write `number` left a value; `false` for 0, before the first write.
    pub(super) fn leaves_value(&self, key: usize, number: u32) -> bool {
        self.write(key, number).is_some_and(|write| !write.deletes)
    }

    fn write(&self, key: usize, number: u32) -> Option<&Write> {
        self.writes[key].get((number as usize).checked_sub(1)?)
    }

    /// Judges what a read saw that carried the token behind `past`, and takes it into `past`.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(super) fn judge_read(&self, key: usize, seen: Seen, past: &mut Past) -> Result<(), String> {
        let newest = past.newest(key);
        match seen {
            Seen::Write(number) if !self.leaves_value(key, number) => {
                Err(format!("a value that was written; write {number} was not"))
            }
            Seen::Write(number) if number < newest => {
                Err(format!("write {newest} or newer, which the token covers; got {number}"))
            }
            Seen::Write(number) => {
                self.take(key, number, past);
                Ok(())
            }
            Seen::Nothing if newest == 0 => Ok(()),
            Seen::Nothing => self.judge_absence(key, newest, past),
        }
    }

    /// A 404 for a key whose write `newest` is in the past must come from that write or from a later one that deletes. Which of
    /// several later ones it was, nobody can tell: at least the first is in the reader's past from now on.
    fn judge_absence(&self, key: usize, newest: u32, past: &mut Past) -> Result<(), String> {
        let issued = self.writes[key].len() as u32;
        let deletion = (newest..=issued).find(|number| !self.leaves_value(key, *number));
        let Some(number) = deletion else {
            return Err(format!("write {newest} or newer, which the token covers and nobody deleted; got 404"));
        };
        self.take(key, number, past);
        Ok(())
    }

    /// Reads-from: whoever sees a write has its writer's past in its own.
    fn take(&self, key: usize, number: u32, past: &mut Past) {
        if let Some(write) = self.write(key, number) {
            past.merge(&write.past);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: usize = 0;
    const Y: usize = 1;

    fn write(oracle: &mut Oracle, key: usize, deletes: bool, past: &mut Past) -> u32 {
        let number = oracle.begin_write(key, deletes, past);
        oracle.end_write(key, number, past);
        number
    }

    #[test]
    fn a_read_older_than_the_readers_own_write_is_caught() {
        let (mut oracle, mut writer) = (Oracle::new(1), Past::new(1));
        write(&mut oracle, X, false, &mut writer);
        write(&mut oracle, X, false, &mut writer);
        assert_eq!(oracle.judge_read(X, Seen::Write(2), &mut writer), Ok(()));
        assert!(oracle.judge_read(X, Seen::Write(1), &mut writer).is_err());
        assert!(oracle.judge_read(X, Seen::Nothing, &mut writer).is_err());
    }

    #[test]
    fn a_read_older_than_an_earlier_read_is_caught() {
        let (mut oracle, mut writer, mut reader) = (Oracle::new(1), Past::new(1), Past::new(1));
        write(&mut oracle, X, false, &mut writer);
        write(&mut oracle, X, false, &mut writer);
        assert_eq!(oracle.judge_read(X, Seen::Write(1), &mut reader), Ok(()));
        assert_eq!(oracle.judge_read(X, Seen::Write(2), &mut reader), Ok(()));
        assert!(oracle.judge_read(X, Seen::Write(1), &mut reader).is_err());
    }

    #[test]
    fn a_read_older_than_what_another_value_depends_on_is_caught() {
        let mut oracle = Oracle::new(2);
        let (mut alice, mut bob, mut carol) = (Past::new(2), Past::new(2), Past::new(2));
        write(&mut oracle, X, false, &mut alice);
        assert_eq!(oracle.judge_read(X, Seen::Write(1), &mut bob), Ok(()));
        write(&mut oracle, Y, false, &mut bob);
        assert_eq!(oracle.judge_read(Y, Seen::Write(1), &mut carol), Ok(()));
        assert!(oracle.judge_read(X, Seen::Nothing, &mut carol).is_err());
    }

    #[test]
    fn what_only_strangers_have_seen_forbids_nothing() {
        let (mut oracle, mut writer, mut stranger) = (Oracle::new(1), Past::new(1), Past::new(1));
        write(&mut oracle, X, false, &mut writer);
        write(&mut oracle, X, false, &mut writer);
        assert_eq!(oracle.judge_read(X, Seen::Nothing, &mut stranger), Ok(()));
        assert_eq!(oracle.judge_read(X, Seen::Write(1), &mut stranger), Ok(()));
    }

    #[test]
    fn a_deleted_value_does_not_come_back() {
        let (mut oracle, mut writer, mut reader) = (Oracle::new(1), Past::new(1), Past::new(1));
        write(&mut oracle, X, false, &mut writer);
        write(&mut oracle, X, true, &mut writer);
        assert_eq!(oracle.judge_read(X, Seen::Nothing, &mut writer), Ok(()));
        assert!(oracle.judge_read(X, Seen::Write(1), &mut writer).is_err());
        // A reader that knew the value and then got the 404 has seen the deletion: rule "404 has a past".
        assert_eq!(oracle.judge_read(X, Seen::Write(1), &mut reader), Ok(()));
        assert_eq!(oracle.judge_read(X, Seen::Nothing, &mut reader), Ok(()));
        assert!(oracle.judge_read(X, Seen::Write(1), &mut reader).is_err());
    }

    #[test]
    fn a_value_that_nobody_wrote_is_caught() {
        let (mut oracle, mut writer) = (Oracle::new(1), Past::new(1));
        write(&mut oracle, X, true, &mut writer);
        let mut reader = Past::new(1);
        assert!(oracle.judge_read(X, Seen::Write(1), &mut reader).is_err());
        assert!(oracle.judge_read(X, Seen::Write(7), &mut reader).is_err());
    }

    #[test]
    fn a_write_under_way_may_be_seen() {
        let (mut oracle, mut writer, mut reader) = (Oracle::new(1), Past::new(1), Past::new(1));
        write(&mut oracle, X, false, &mut writer);
        oracle.begin_write(X, true, &writer);
        assert_eq!(oracle.judge_read(X, Seen::Write(1), &mut reader), Ok(()));
        assert_eq!(oracle.judge_read(X, Seen::Nothing, &mut reader), Ok(()));
    }
}
