//! What a client asks for next.

use std::{fmt, str::FromStr};

use rand::{RngExt, SeedableRng, rngs::SmallRng};
use rand_distr::{Distribution as _, Zipf};
use serde::{Deserialize, Serialize};

use crate::{Kind, Load};

/// The exponent with which key-value stores are usually measured.
const ZIPF_EXPONENT: f64 = 0.99;

/// Shares of the operations, such as `get=50,put=50`. They need not make up a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Mix {
    get: u32,
    put: u32,
    delete: u32,
}

/// Why a text is no mix.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum MixError {
    /// Something other than the three operations with a number.
    #[error("`{0}` is not one of get=N, put=N and delete=N")]
    Part(String),
    /// Nothing would be asked for.
    #[error("all shares are 0")]
    Empty,
}

impl FromStr for Mix {
    type Err = MixError;

    fn from_str(text: &str) -> Result<Self, MixError> {
        let mut mix = Self { get: 0, put: 0, delete: 0 };
        for part in text.split(',') {
            let bad = || MixError::Part(part.to_owned());
            let (name, share) = part.split_once('=').ok_or_else(bad)?;
            let share = share.trim().parse().map_err(|_| bad())?;
            match name.trim() {
                "get" => mix.get = share,
                "put" => mix.put = share,
                "delete" => mix.delete = share,
                _ => return Err(bad()),
            }
        }
        if mix.sum() == 0 { Err(MixError::Empty) } else { Ok(mix) }
    }
}

impl From<Mix> for String {
    fn from(mix: Mix) -> Self {
        mix.to_string()
    }
}

impl TryFrom<String> for Mix {
    type Error = MixError;

    fn try_from(text: String) -> Result<Self, MixError> {
        text.parse()
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares = [("get", self.get), ("put", self.put), ("delete", self.delete)];
        let parts = shares.iter().filter(|(_, share)| *share > 0).map(|(name, share)| format!("{name}={share}"));
        f.write_str(&parts.collect::<Vec<_>>().join(","))
    }
}

impl Mix {
    fn sum(self) -> u64 {
        u64::from(self.get) + u64::from(self.put) + u64::from(self.delete)
    }

    fn kind(self, number: u64) -> Kind {
        if number < u64::from(self.get) {
            Kind::Get
        } else if number < u64::from(self.get) + u64::from(self.put) {
            Kind::Put
        } else {
            Kind::Delete
        }
    }
}

/// How often each key is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distribution {
    /// All alike.
    Uniform,
    /// A few often, most seldom: the nth in proportion to n to the power of -0.99.
    Zipf,
}

/// One client's choices.
pub(crate) struct Choices {
    random: SmallRng,
    mix: Mix,
    keys: u64,
    zipf: Option<Zipf<f64>>,
}

impl Choices {
    pub(crate) fn new(load: &Load, client: usize) -> Self {
        let seed = load.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(client as u64);
        let zipf = match load.distribution {
            Distribution::Uniform => None,
            // There is at least one key.
            Distribution::Zipf => Zipf::new(load.keys as f64, ZIPF_EXPONENT).ok(),
        };
        Self { random: SmallRng::seed_from_u64(seed), mix: load.mix, keys: load.keys, zipf }
    }

    pub(crate) fn next(&mut self) -> (Kind, u64) {
        let kind = self.mix.kind(self.random.random_range(0..self.mix.sum()));
        let key = match &self.zipf {
            Some(zipf) => zipf.sample(&mut self.random) as u64 - 1,
            None => self.random.random_range(0..self.keys),
        };
        (kind, key)
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::*;

    fn load(mix: &str, distribution: Distribution) -> Load {
        Load {
            connections: 1,
            warm_up: Duration::ZERO,
            duration: Duration::ZERO,
            rate: None,
            mix: mix.parse().expect(mix),
            keys: 100,
            value_bytes: 1,
            distribution,
            seed: 7,
        }
    }

    #[test]
    fn a_mix_is_read_and_written() {
        let mix = |text: &str| text.parse::<Mix>().map(|mix| mix.to_string());
        assert_eq!(mix("get=50,put=45,delete=5").as_deref(), Ok("get=50,put=45,delete=5"));
        assert_eq!(mix("put=1, get=0").as_deref(), Ok("put=1"));
        for text in ["", "get", "get=x", "patch=1", "get=-1"] {
            assert_eq!(mix(text), Err(MixError::Part(text.to_owned())));
        }
        assert_eq!(mix("get=0"), Err(MixError::Empty));
    }

    #[test]
    fn a_load_is_read_as_it_was_written() {
        let load = load("get=50,put=50", Distribution::Zipf);
        let text = serde_json::to_string(&load).expect("JSON");
        assert!(text.contains(r#""seconds":0.0"#) && text.contains(r#""mix":"get=50,put=50""#), "{text}");
        assert_eq!(serde_json::from_str::<Load>(&text).expect("the same"), load);
    }

    #[test]
    fn operations_come_in_their_shares() {
        let mut choices = Choices::new(&load("get=70,put=20,delete=10", Distribution::Uniform), 0);
        let mut counts = BTreeMap::new();
        for _ in 0..10_000 {
            *counts.entry(format!("{:?}", choices.next().0)).or_insert(0) += 1;
        }
        let near = |kind: &str, share: i32| (counts[kind] - share * 100_i32).abs() < 300;
        assert!(near("Get", 70) && near("Put", 20) && near("Delete", 10), "{counts:?}");
    }

    #[test]
    fn keys_are_asked_for_alike_or_as_zipf_says() {
        let counts = |distribution| {
            let mut choices = Choices::new(&load("get=1", distribution), 0);
            let mut counts = vec![0; 100];
            (0..10_000).for_each(|_| counts[choices.next().1 as usize] += 1);
            counts
        };
        let uniform = counts(Distribution::Uniform);
        assert!(uniform.iter().all(|count| (50..=160).contains(count)), "{uniform:?}");
        let zipf = counts(Distribution::Zipf);
        assert!(zipf[0] > 1500 && zipf[0] > 5 * zipf[9] && zipf[99] < 60, "{zipf:?}");
    }

    #[test]
    fn every_client_has_its_own_choices_and_a_seed_repeats_them() {
        let choices = |client| {
            let mut choices = Choices::new(&load("get=1", Distribution::Uniform), client);
            (0..20).map(|_| choices.next().1).collect::<Vec<_>>()
        };
        assert_eq!(choices(0), choices(0));
        assert_ne!(choices(0), choices(1));
    }
}
