//! Sizes of memory as people write them: `256MiB`, `1g`, `268435456`.

const UNITS: [(&str, u64); 11] = [
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("k", 1 << 10),
    ("m", 1 << 20),
    ("g", 1 << 30),
    ("b", 1),
    ("", 1),
];

/// Bytes; `None` when it is not a size.
pub(crate) fn parse_memory(text: &str) -> Option<u64> {
    let lower = text.trim().to_lowercase();
    let digits = lower.find(|c: char| !c.is_ascii_digit()).unwrap_or(lower.len());
    let (number, unit) = lower.split_at(digits);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// `12.3 MiB`.
pub(crate) fn format_memory(bytes: u64) -> String {
    indicatif::BinaryBytes(bytes).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_docker_reads_them() {
        for (text, bytes) in [("256MiB", 268_435_456), ("256m", 268_435_456), ("1 GB", 1_000_000_000), ("42", 42)] {
            assert_eq!(parse_memory(text), Some(bytes), "{text}");
        }
        for text in ["", "MiB", "12 apples", "-1", "1.5g", "99999999999999999999g"] {
            assert_eq!(parse_memory(text), None, "{text}");
        }
    }
}
