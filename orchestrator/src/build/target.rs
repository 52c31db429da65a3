//! What the node is compiled for.

/// The platform of the compiled node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A static binary for an engine on this architecture.
    Static(&'static str),
    /// A binary for this machine.
    Native,
}

impl Target {
    /// The static target for an engine's architecture, in Docker's or the kernel's words.
    pub(crate) fn of_engine(architecture: &str) -> Option<Self> {
        match architecture {
            "amd64" | "x86_64" => Some(Self::Static("x86_64-unknown-linux-musl")),
            "arm64" | "aarch64" => Some(Self::Static("aarch64-unknown-linux-musl")),
            _ => None,
        }
    }

    /// Rust's name of the target; none for this machine's own.
    pub(crate) fn triple(self) -> Option<&'static str> {
        match self {
            Self::Static(triple) => Some(triple),
            Self::Native => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_decides_the_target() {
        assert_eq!(Target::of_engine("amd64"), Some(Target::Static("x86_64-unknown-linux-musl")));
        assert_eq!(Target::of_engine("arm64"), Some(Target::Static("aarch64-unknown-linux-musl")));
        assert_eq!(Target::of_engine("s390x"), None);
        assert_eq!(Target::Native.triple(), None);
    }
}
