//! A client that behaves, while others do not.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use crate::{client::Client, process::poll};

/// Writes and reads what it has written, over and over, on a connection that it keeps. Whatever goes wrong for it is a failure.
pub(crate) struct Witness {
    end: Arc<AtomicBool>,
    rounds: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Witness {
    /// Begins, and returns once it has been served.
    pub(crate) fn of(node: SocketAddr) -> Self {
        let (end, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (ends, counts) = (Arc::clone(&end), Arc::clone(&rounds));
        let thread = thread::spawn(move || {
            let mut client = Client::connect(node);
            let mut token = String::new();
            while !ends.load(Ordering::Relaxed) {
                let value = counts.fetch_add(1, Ordering::Relaxed);
                let put = client.ask(
                    &format!("PUT /kvs/{node}"),
                    &format!("{{\"value\": {value}, \"causal-metadata\": \"{token}\"}}"),
                );
                assert!(matches!(put.status, 200 | 201), "{put:?}");
                put.body["causal-metadata"].as_str().unwrap().clone_into(&mut token);
                let get = client.ask(&format!("GET /kvs/{node}"), &format!("{{\"causal-metadata\": \"{token}\"}}"));
                assert!(get.status == 200 && get.body["value"] == value, "{get:?}");
            }
        });
        let witness = Self { end, rounds, thread: Some(thread) };
        witness.sees(2);
        witness
    }

    /// Returns once it has been served so many times more.
    pub(crate) fn sees(&self, rounds: u64) {
        let from = self.rounds.load(Ordering::Relaxed);
        for round in 1..=rounds {
            poll("the witness is served", || {
                (self.rounds.load(Ordering::Relaxed) >= from + round || self.has_ended()).then_some(())
            });
        }
        assert!(!self.has_ended(), "the witness was not served");
    }

    fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Lets it end.
    pub(crate) fn dismiss(mut self) {
        self.end.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().expect("it was served all the time");
    }
}
