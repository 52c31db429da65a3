# The node and nothing else. The binary is built outside, once:
#   cargo build --release -p node --target x86_64-unknown-linux-musl
#   docker build -t assignment4-img .
# `orchestrator build` sends this same file, with the same paths, from memory.
FROM scratch
LABEL orchestrator.image="node"

# A volume mounted at /data takes its owner from this folder.
COPY --chown=65532:65532 orchestrator/image/data /data

ARG TARGET=x86_64-unknown-linux-musl
COPY target/${TARGET}/release/node /node

USER 65532:65532
ENV DATA_DIR=/data
# Sparse, because every probe is also an event in the engine's stream.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 CMD ["/node", "healthcheck"]
ENTRYPOINT ["/node"]
