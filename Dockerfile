# The node and nothing else. The binary is built outside, once:
#   cargo build --release -p node --target x86_64-unknown-linux-musl
#   docker build -t assignment4-img .
# (arm64: --target aarch64-unknown-linux-musl, and --build-arg TARGET=aarch64-unknown-linux-musl)
# `orchestrator build` sends this same file, with the same paths, from memory.
FROM scratch
LABEL orchestrator.image="node"

# A volume mounted at /data takes its owner from this folder.
COPY --chown=65532:65532 orchestrator/image/data /data
ENV DATA_DIR=/data
USER 65532:65532

# Sparse, because every probe is also an event in the engine's stream.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 CMD ["/node", "healthcheck"]
ENTRYPOINT ["/node"]

# Last, so that a changed node leaves the layers above in the cache.
ARG TARGET=x86_64-unknown-linux-musl
COPY target/${TARGET}/release/node /node
