//! The clauses of the contract, one sentence each, by the ids that scenarios name.

/// One promise.
#[derive(Clone, Copy, Debug)]
pub struct Clause {
    /// How scenarios name it.
    pub id: &'static str,
    /// The part of the contract that it is in.
    pub section: &'static str,
    /// What is promised.
    pub text: &'static str,
}

const fn clause(section: &'static str, id: &'static str, text: &'static str) -> Clause {
    Clause { id, section, text }
}

const START: &str = "Starting a node";
const DIALECTS: &str = "Dialects";
const KEY_VALUE: &str = "Key-value operations";
const TOKENS: &str = "Tokens and versions";
const CONSISTENCY: &str = "Consistency and availability";
const VIEW: &str = "View operations";
const SHARDS: &str = "Shard operations";

/// All clauses, in the order of the contract.
pub const CLAUSES: &[Clause] = &[
    clause(START, "start-listens", "A node listens on the port of `SOCKET_ADDRESS`."),
    clause(
        START,
        "start-ungrouped",
        "A node without `SHARD_COUNT`, where a placement exists, is in no shard until `add-member`.",
    ),
    clause(START, "start-ungrouped-view", "It announces itself: every other node's view contains it within 5 s."),
    clause(START, "start-ungrouped-answers", "It answers every endpoint and forwards key-value requests."),
    clause(START, "start-one-shard", "No `SHARD_COUNT` on any node is one shard of all nodes."),
    clause(START, "start-any-order", "Nodes start in any order, seconds apart."),
    clause(
        START,
        "start-answers-at-once",
        "A node answers as soon as it listens; never a wrong 404 before the view has formed.",
    ),
    clause(START, "start-first-only", "`VIEW` and `SHARD_COUNT` matter at the first start only."),
    clause(START, "start-defaults", "Everything but `SOCKET_ADDRESS` and `VIEW` has a default."),
    clause(START, "start-extra-ports", "`EXTRA_PORTS` are listened on; one equal to the main port is dropped."),
    clause(
        START,
        "start-bad-variable",
        "A bad variable: exit code 2 and one line that names variable, value and what is expected.",
    ),
    clause(START, "start-readme", "The README's requests answer as printed, the first and the second time."),
    clause(DIALECTS, "dialect-auto", "`API_DIALECT=auto` takes the generation from the port of `SOCKET_ADDRESS`."),
    clause(DIALECTS, "dialect-fall-paths", "The paths of fall 2021 are served always, in their own shape."),
    clause(DIALECTS, "dialect-lists", "Lists are comma-separated strings in 2019, and arrays later."),
    clause(DIALECTS, "dialect-order", "Lists of addresses are in numeric order."),
    clause(DIALECTS, "dialect-shard-ids", "Shard ids are JSON strings everywhere."),
    clause(DIALECTS, "dialect-get-body", "A GET may carry a JSON body with its token."),
    clause(DIALECTS, "dialect-result", "The paths of fall 2021 answer `result` beside `message`."),
    clause(DIALECTS, "dialect-content-type", "A body may come without `Content-Type`."),
    clause(DIALECTS, "dialect-slash", "Trailing slashes are accepted."),
    clause(DIALECTS, "dialect-unknown-fields", "Unknown JSON fields are ignored."),
    clause(KEY_VALUE, "get-existing", "GET of an existing key: 200 with its value."),
    clause(KEY_VALUE, "get-missing", "GET of a key never written or deleted: 404."),
    clause(KEY_VALUE, "put-new", "PUT of a new or deleted key: 201, `replaced` false."),
    clause(KEY_VALUE, "put-existing", "PUT of an existing key: 200, `replaced` true."),
    clause(KEY_VALUE, "put-without-value", "PUT without value: 400."),
    clause(KEY_VALUE, "put-long-key", "PUT of a key longer than 50 characters: 400."),
    clause(KEY_VALUE, "empty-key", "An empty key: 400."),
    clause(KEY_VALUE, "delete-existing", "DELETE of an existing key: 200."),
    clause(KEY_VALUE, "delete-missing", "DELETE of a missing key: 404."),
    clause(
        KEY_VALUE,
        "bad-body",
        "A body that is no JSON or of the wrong type, or a bad token: 400, and `error` says what is wrong.",
    ),
    clause(KEY_VALUE, "method-405", "An unsupported method: 405 with `Allow`."),
    clause(KEY_VALUE, "body-413", "A body over the limit: 413 that names the limit."),
    clause(KEY_VALUE, "key-decoding", "Keys are percent-decoded; length counts Unicode scalar values."),
    clause(KEY_VALUE, "any-value", "A value is any JSON value, null included."),
    clause(
        KEY_VALUE,
        "unavailable-503",
        "Dependencies not available, or no live member: 503 with `error` and `Retry-After`.",
    ),
    clause(TOKENS, "token-first", "The token is empty, null or absent at first; it may be echoed as received."),
    clause(TOKENS, "token-format", "`version` and `causal-metadata` are printable ASCII strings, never empty."),
    clause(TOKENS, "token-size", "They are at most a few hundred bytes in a healthy cluster of seven."),
    clause(TOKENS, "token-32k", "A request with up to 32 KiB of token is accepted."),
    clause(
        TOKENS,
        "version-pure",
        "`version` is a pure function of the write: the same bytes from every replica, now and later.",
    ),
    clause(TOKENS, "put-version", "A PUT answers `version` equal to `causal-metadata`."),
    clause(TOKENS, "get-version", "A GET without metadata answers `causal-metadata` equal to `version`."),
    clause(
        TOKENS,
        "put-catches-up",
        "A PUT with metadata that the node has not caught up with catches up, then decides 200 or 201.",
    ),
    clause(
        TOKENS,
        "put-never-503",
        "A PUT never gets 503 because of its dependencies; a DELETE only when it cannot know.",
    ),
    clause(CONSISTENCY, "one-shard-per-key", "Each key lives in exactly one shard; any node can compute which."),
    clause(CONSISTENCY, "forwarding", "A node outside the shard forwards; any member may take the write."),
    clause(
        CONSISTENCY,
        "causal",
        "Causal consistency for every client that passes its tokens along, across nodes and shards.",
    ),
    clause(CONSISTENCY, "convergent", "Replicas converge to the same values with the same versions."),
    clause(CONSISTENCY, "causal-moving", "Tokens hold across restarts, `add-member` and `reshard`."),
    clause(CONSISTENCY, "kept-on-disk", "Acknowledged writes are there after all nodes have ended and started again."),
    clause(CONSISTENCY, "isolated-writes", "An isolated replica accepts reads and writes of its shard within 1 s."),
    clause(CONSISTENCY, "isolated-others-503", "An isolated replica answers 503 within 1 s for keys of other shards."),
    clause(CONSISTENCY, "heals", "After the network heals all replicas converge."),
    clause(
        CONSISTENCY,
        "never-older",
        "A read whose token names a write that no reachable replica has is 503, never an older value.",
    ),
    clause(
        CONSISTENCY,
        "given-up",
        "When the only disks that held a write are known to be gone, it is given up, and reads go on.",
    ),
    clause(VIEW, "view-get", "GET: 200 with the nodes that are up."),
    clause(VIEW, "view-put", "PUT of an address: 201."),
    clause(VIEW, "view-put-there", "PUT of an address that is there: 404 (fall 2021: 200, `already present`)."),
    clause(VIEW, "view-delete", "DELETE of an address: 200."),
    clause(VIEW, "view-delete-missing", "DELETE of an address that is not there: 404."),
    clause(VIEW, "view-bad-address", "No or a malformed `socket-address`: 400 that says so."),
    clause(VIEW, "view-spreads", "A view change by request spreads to all nodes."),
    clause(VIEW, "view-failed-leave", "Detected failures leave the view within 5 s."),
    clause(VIEW, "view-return", "Returning nodes come back into the view."),
    clause(
        VIEW,
        "view-return-empty",
        "A node that returns with an empty disk at its address holds all keys of its shard again.",
    ),
    clause(
        VIEW,
        "view-deleted-stays-out",
        "A live node deleted by request stays out until it is PUT again or starts again.",
    ),
    clause(VIEW, "view-deleted-forwards", "It keeps its data, forwards, and does not count for reshard."),
    clause(SHARDS, "shard-ids", "GET `shard-ids`: 200 with all ids."),
    clause(
        SHARDS,
        "node-shard-id",
        "GET `node-shard-id`: 200 with the node's shard; null (2019: empty) for an ungrouped node.",
    ),
    clause(SHARDS, "shard-members", "GET `shard-id-members`: 200 with the members."),
    clause(
        SHARDS,
        "key-count",
        "GET `shard-id-key-count`: 200 with an integer, exact, from any node; no live member: 503.",
    ),
    clause(SHARDS, "unknown-shard", "An unknown shard id: 404."),
    clause(SHARDS, "add-member", "PUT `add-member`: 200 when the node is a member and holds the shard's keys."),
    clause(SHARDS, "add-member-unknown", "… of an address that is not in the view: 404."),
    clause(SHARDS, "add-member-again", "… of a member of that shard: 404."),
    clause(SHARDS, "add-member-too-few", "… of a member of another shard that would fall below two nodes: 400."),
    clause(SHARDS, "add-member-bad-address", "… without a good `socket-address`: 400 that says so."),
    clause(SHARDS, "add-member-port", "… by another port, when exactly one node of the view has that IP: that node."),
    clause(SHARDS, "reshard", "PUT `reshard`: 200 when every key is where it belongs."),
    clause(SHARDS, "reshard-too-few", "… with fewer than two nodes a shard: 400."),
    clause(SHARDS, "reshard-bad-count", "… with a count that is no positive integer: 400 that says so."),
    clause(SHARDS, "reshard-slow", "… not finished within 60 s: 503 that says how far it is; it goes on."),
    clause(SHARDS, "reshard-ungrouped", "… puts ungrouped live nodes to use."),
    clause(SHARDS, "reshard-counts-up", "… counts only nodes that are up."),
    clause(SHARDS, "reshard-same-count", "… may keep the count, to replace dead members."),
    clause(SHARDS, "reshard-serves", "Reads and writes are served during a reshard."),
    clause(SHARDS, "two-members", "Every shard has two members at least, each node is in one shard at most."),
    clause(SHARDS, "spread", "Keys per shard stay within ±25 % of the mean at 600 keys and two or three shards."),
    clause(SHARDS, "no-self-reshard", "Nodes never reshard by themselves."),
];
