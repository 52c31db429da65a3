//! A finding: what is wrong, and a story that shows it.

use std::fmt;

/// What can be wrong: the bad patterns of causal convergence (Bouajjani, Enea, Guerraoui, Hamza, *On verifying causal
/// consistency*, POPL 2017), and what the contract promises besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// A value was read that nobody had written there by then, or a delete found a value where nobody had.
    ThinAir,
    /// Operations that are before each other.
    CausalCircle,
    /// Nothing was read although the reader's past has a put that no delete follows.
    MissedWrite,
    /// A value was read although the reader's past has a later write.
    OverwrittenRead,
    /// Reads from which it follows that two writes are before each other.
    ConflictCircle,
    /// An acknowledged write is gone when all is healed.
    LostWrite,
    /// When all is healed, two reads of one key differ.
    Divergence,
    /// When all is healed, a node counts more or fewer keys than its reads find.
    WrongCount,
}

/// What is wrong, and a story that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub pattern: Pattern,
    /// The story, in the order of time.
    pub lines: Vec<Line>,
    /// What follows from it.
    pub so: String,
    /// How its operations hang together.
    pub arrows: Vec<Arrow>,
}

/// One line of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The operation or fault that it is about, by its place in [`History::events`](crate::history::History::events); `None`
    /// for the operations between two of the story.
    pub event: Option<usize>,
    /// In microseconds since the run began: when a write or a fault began, when a read was answered.
    pub at_us: Option<u64>,
    /// In words.
    pub text: String,
}

/// From one operation of a story to another, both by their place in
/// [`History::events`](crate::history::History::events).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Arrow {
    /// The earlier.
    pub from: usize,
    /// The later.
    pub to: usize,
    /// Why it is later.
    pub because: Because,
}

/// Why an operation is after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Because {
    /// It carried the other's token.
    Token,
    /// It saw what the other wrote.
    Read,
    /// All was healed and quiet in between.
    Rest,
    /// A read of the story saw it, though it knew of the other.
    Order,
    /// By way of so many operations that the story leaves out.
    Way(usize),
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            match line.at_us {
                Some(at_us) => writeln!(formatter, "{:>9.3} s  {}", at_us as f64 / 1e6, line.text)?,
                None => writeln!(formatter, "{:13}{}", "", line.text)?,
            }
        }
        write!(formatter, "so: {}", self.so)
    }
}
