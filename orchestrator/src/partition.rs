//! Which nodes do not reach which others: directed cuts, and how groups of nodes become such. Pure.

use std::collections::BTreeSet;

use crate::observed::ObservedNode;

/// What `from` sends does not arrive at `to`. The other direction is a cut of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cut {
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Cut {
    pub(crate) fn new(from: &str, to: &str) -> Self {
        Self { from: from.to_owned(), to: to.to_owned() }
    }

    /// The other direction.
    pub(crate) fn reversed(&self) -> Self {
        Self::new(&self.to, &self.from)
    }
}

/// Those of the cuts whose nodes are both there: one that was removed since needs no cut.
pub(crate) fn among(cuts: BTreeSet<Cut>, nodes: &[ObservedNode]) -> BTreeSet<Cut> {
    let is_there = |name: &str| nodes.iter().any(|node| node.name == name);
    cuts.into_iter().filter(|cut| is_there(&cut.from) && is_there(&cut.to)).collect()
}

/// Groups of nodes to be set apart: two at least, and no node in two of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Groups(Vec<Vec<String>>);

impl Groups {
    /// Reads `A,B / C,D`, with or without spaces, and with a space in place of the slash.
    ///
    /// # Errors
    /// Fewer than two groups, a name that is missing, or a node that is named twice.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        // A space beside a comma separates nothing.
        let line = words.join(" ").replace(", ", ",").replace(" ,", ",");
        let groups = line.split(['/', ' ']).filter(|group| !group.is_empty());
        let groups: Vec<Vec<String>> = groups.map(|group| group.split(',').map(str::to_owned).collect()).collect();
        let mut seen = BTreeSet::new();
        for name in groups.iter().flatten() {
            if name.is_empty() {
                return Err(format!("`{line}`: a name is missing beside a comma"));
            }
            if !seen.insert(name) {
                return Err(format!("`{line}`: {name} is named twice, and each node is in one group"));
            }
        }
        if groups.len() < 2 {
            return Err(format!("`{line}`: two groups at least, as in `node1,node2 / node3,node4`"));
        }
        Ok(Self(groups))
    }

    /// All nodes of all groups.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().map(String::as_str)
    }

    /// No node reaches one of another group.
    pub(crate) fn apart(&self) -> BTreeSet<Cut> {
        let pairs = self.0.iter().flat_map(|one| self.0.iter().map(move |other| (one, other)));
        pairs.filter(|(one, other)| one != other).flat_map(|(one, other)| between(one, other)).collect()
    }

    /// The first group does not reach the second, which goes on reaching the first.
    ///
    /// # Errors
    /// There are more than two groups.
    pub(crate) fn one_way(&self) -> Result<BTreeSet<Cut>, String> {
        match self.0.as_slice() {
            [from, to] => Ok(between(from, to).collect()),
            groups => Err(format!("--one-way: exactly two groups, from the first to the second; got {}", groups.len())),
        }
    }
}

/// Each of `alone` and any other of `all` do not reach each other.
pub(crate) fn isolated(alone: &[String], all: &[&str]) -> BTreeSet<Cut> {
    let pairs =
        alone.iter().flat_map(|one| all.iter().filter(move |other| *other != one).map(move |other| (one, other)));
    pairs.map(|(one, other)| Cut::new(one, other)).flat_map(|cut| [cut.reversed(), cut]).collect()
}

fn between<'a>(from: &'a [String], to: &'a [String]) -> impl Iterator<Item = Cut> + 'a {
    from.iter().flat_map(move |from| to.iter().map(move |to| Cut::new(from, to)))
}

/// `node1 ↮ node2` where both directions are cut, `node1 ↛ node2` where one is; sorted.
pub(crate) fn lines(cuts: &BTreeSet<Cut>) -> Vec<String> {
    let once = cuts.iter().filter(|cut| cut.from < cut.to || !cuts.contains(&cut.reversed()));
    once.map(|cut| {
        let sign = if cuts.contains(&cut.reversed()) { '↮' } else { '↛' };
        format!("{} {sign} {}", cut.from, cut.to)
    })
    .collect()
}

/// The cuts of one node in words: `cut from node2, node3`; one for each way in which it may be cut.
pub(crate) fn of_node(name: &str, cuts: &BTreeSet<Cut>) -> Vec<String> {
    let is_mutual = |cut: &&Cut| cuts.contains(&cut.reversed());
    let (mutual, outward): (Vec<&Cut>, Vec<&Cut>) = cuts.iter().filter(|cut| cut.from == name).partition(is_mutual);
    let inward = cuts.iter().filter(|cut| cut.to == name && !is_mutual(cut)).map(|cut| cut.from.as_str());
    let to = |cuts: Vec<&Cut>| cuts.iter().map(|cut| cut.to.as_str()).collect::<Vec<_>>().join(", ");
    let ways = [
        ("cut from", to(mutual)),
        ("does not reach", to(outward)),
        ("not reached by", inward.collect::<Vec<_>>().join(", ")),
    ];
    ways.into_iter().filter(|(_, others)| !others.is_empty()).map(|(way, others)| format!("{way} {others}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Groups, String> {
        Groups::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    fn cuts(pairs: &[(&str, &str)]) -> BTreeSet<Cut> {
        pairs.iter().map(|(from, to)| Cut::new(from, to)).collect()
    }

    #[test]
    fn groups_are_read_however_they_are_spaced() {
        let expected = parse("a,b / c,d").expect("groups");
        assert_eq!(expected.names().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        for line in ["a,b c,d", "a,b/c,d", "a, b / c ,d", "a,b /c,d"] {
            assert_eq!(parse(line), Ok(expected.clone()), "{line}");
        }
    }

    #[test]
    fn what_is_no_division_is_refused() {
        for (line, word) in [
            ("a,b", "two groups at least"),
            ("a,b /", "two groups at least"),
            ("a,b / b,c", "b is named twice"),
            ("a,a / b", "a is named twice"),
            ("a,,b / c", "a name is missing"),
        ] {
            let message = parse(line).expect_err(line);
            assert!(message.contains(word), "{message}");
        }
    }

    #[test]
    fn groups_apart_are_cut_both_ways_and_not_within() {
        let expected = [("a", "c"), ("b", "c"), ("c", "a"), ("c", "b")];
        assert_eq!(parse("a,b / c").expect("groups").apart(), cuts(&expected));
        assert_eq!(parse("a / b / c").expect("groups").apart().len(), 6);
    }

    #[test]
    fn one_way_is_from_the_first_group_to_the_second() {
        assert_eq!(parse("a,b / c").expect("groups").one_way(), Ok(cuts(&[("a", "c"), ("b", "c")])));
        assert!(parse("a / b / c").expect("groups").one_way().expect_err("three").contains("exactly two groups"));
    }

    #[test]
    fn an_isolated_node_is_cut_from_all_others_and_from_other_isolated_ones() {
        assert_eq!(isolated(&["a".to_owned()], &["a", "b", "c"]), parse("a / b,c").expect("groups").apart());
        let all = isolated(&["a".to_owned(), "b".to_owned()], &["a", "b", "c"]);
        assert_eq!(all, parse("a / b / c").expect("groups").apart());
    }

    #[test]
    fn cuts_are_told_once_a_pair_and_by_their_direction() {
        let cuts = cuts(&[("a", "b"), ("b", "a"), ("c", "a")]);
        assert_eq!(lines(&cuts), ["a ↮ b", "c ↛ a"]);
        assert_eq!(of_node("a", &cuts), ["cut from b", "not reached by c"]);
        assert_eq!(of_node("c", &cuts), ["does not reach a"]);
        assert!(of_node("d", &cuts).is_empty());
    }
}
