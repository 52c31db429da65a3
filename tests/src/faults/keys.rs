//! The keys of a run. Some are few, so that clients meet on them; others are many and there from the beginning, so that
//! there is something to copy, and something that a cluster may have put away by the time it is asked for. Pure.

use crate::dice::Dice;

/// Of 100 keys that are chosen, so many are of the few, and so many more are pages; the rest are notes.
const HOT_PERCENT: usize = 50;
const PAGE_PERCENT: usize = 25;
/// What every page begins with, and every note.
const PAGE: &str = "page";
const NOTE: &str = "note";
/// How long the value of a page is.
pub(super) const PAGE_BYTES: usize = 4096;

/// What clients do with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Read,
    Write,
    Delete,
}

/// The keys of a run.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    /// Read, written and deleted all the time.
    hot: Vec<String>,
    /// Long, and never deleted: of such a key nothing is never right.
    pages: Vec<String>,
    /// Short, and by client; deleted as often as they are written, but by that client only, so that nobody else can have
    /// deleted one.
    notes: Vec<Vec<String>>,
}

impl Keys {
    /// So many that all clients meet on, so many pages, and for each client so many notes.
    pub(super) fn new(hot: usize, pages: usize, clients: usize, notes: usize) -> Self {
        let numbered = |prefix: &str, count: usize| (0..count).map(|index| format!("{prefix}{index}")).collect();
        let notes = (0..clients).map(|client| numbered(&format!("{NOTE}{client}-"), notes)).collect();
        Self { hot: numbered("key", hot), pages: numbered(PAGE, pages), notes }
    }

    pub(super) fn hot(&self) -> &[String] {
        &self.hot
    }

    /// What a client writes before anything is broken: its notes, and its part of the pages.
    pub(super) fn first_of(&self, client: usize) -> impl Iterator<Item = &str> {
        let pages = self.pages.iter().skip(client).step_by(self.notes.len());
        pages.chain(&self.notes[client]).map(String::as_str)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.hot.iter().chain(&self.pages).chain(self.notes.iter().flatten()).map(String::as_str)
    }

    /// Of the kind that the dice say, and where there is none of it one of the few.
    pub(super) fn choose(&self, dice: &mut Dice) -> &str {
        let kind = dice.below(100);
        let client = dice.below(self.notes.len());
        let keys = match kind {
            _ if kind < HOT_PERCENT => &self.hot,
            _ if kind < HOT_PERCENT + PAGE_PERCENT => &self.pages,
            _ => &self.notes[client],
        };
        let keys = if keys.is_empty() { &self.hot } else { keys };
        &keys[dice.below(keys.len())]
    }

    /// A note of this client's, if it has one.
    pub(super) fn some_note_of(&self, client: usize, dice: &mut Dice) -> Option<&str> {
        let notes = &self.notes[client];
        if notes.is_empty() { None } else { Some(&notes[dice.below(notes.len())]) }
    }

    /// Whether only this client may write and delete it.
    pub(super) fn is_note_of(&self, client: usize, key: &str) -> bool {
        self.notes[client].iter().any(|note| note == key)
    }
}

pub(super) fn is_note(key: &str) -> bool {
    key.starts_with(NOTE)
}

/// What is done with it, as the dice say.
pub(super) fn deed(key: &str, dice: &mut Dice) -> Deed {
    // Of 100 deeds, so many read, and so many more write; the rest delete.
    let (read, write) = match key {
        _ if key.starts_with(PAGE) => (60, 40),
        _ if is_note(key) => (40, 30),
        _ => (50, 40),
    };
    match dice.below(100) {
        choice if choice < read => Deed::Read,
        choice if choice < read + write => Deed::Write,
        _ => Deed::Delete,
    }
}

/// A value as it is written: that of a page is made long.
pub(super) fn lengthen(key: &str, value: &str) -> String {
    let bytes = if key.starts_with(PAGE) { PAGE_BYTES } else { 0 };
    format!("{value:.<bytes$}")
}

/// A value as it is told: a long one without what it was made long with, if all of that is there.
pub(super) fn shorten(text: &str) -> &str {
    if text.len() == PAGE_BYTES { text.trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_never_deleted_and_notes_often_are() {
        let mut dice = Dice::new(1, 0);
        let mut deleted = |key: &str| (0..1000).filter(|_| deed(key, &mut dice) == Deed::Delete).count();
        assert_eq!(deleted("page7"), 0);
        assert!(deleted("note1-7") > deleted("key7"));
    }

    #[test]
    fn every_key_is_chosen_and_only_those_that_there_are() {
        let (keys, mut dice) = (Keys::new(2, 3, 2, 1), Dice::new(1, 0));
        let mut chosen: Vec<&str> = (0..1000).map(|_| keys.choose(&mut dice)).collect();
        chosen.sort_unstable();
        chosen.dedup();
        assert_eq!(chosen, ["key0", "key1", "note0-0", "note1-0", "page0", "page1", "page2"]);
        assert!((0..100).all(|_| Keys::new(2, 0, 2, 0).choose(&mut dice).starts_with("key")));
    }

    #[test]
    fn what_is_there_first_is_written_by_one_client_and_notes_by_whom_they_belong_to() {
        let keys = Keys::new(2, 3, 2, 2);
        assert_eq!(keys.first_of(0).collect::<Vec<_>>(), ["page0", "page2", "note0-0", "note0-1"]);
        assert_eq!(keys.first_of(1).collect::<Vec<_>>(), ["page1", "note1-0", "note1-1"]);
        assert!(keys.is_note_of(1, "note1-0") && !keys.is_note_of(0, "note1-0") && !keys.is_note_of(1, "page1"));
    }

    #[test]
    fn a_page_comes_back_as_it_was_unless_a_part_of_it_is_missing() {
        let text = lengthen("page1", "17");
        assert_eq!((text.len(), shorten(&text)), (PAGE_BYTES, "17"));
        assert_ne!(shorten(&text[1..]), "7");
        assert_eq!(shorten(&lengthen("key1", "17")), "17");
    }
}
