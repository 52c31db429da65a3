//! The pure parts that every operation goes through: `cargo bench -p node-core`.

use std::{hint::black_box, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use node_core::{
    Body, Dot, Envelope, Frontier, Hlc, Identity, Key, Origin, PlacementId, Record, SlotId, Token, TokenKey,
};

const VALUE_BYTES: usize = 64;

fn origin(uuid: u64) -> Origin {
    Origin { uuid: uuid << 32, epoch: 3 }
}

/// A token that has observed a write of one of three nodes in each of so many slots.
fn token(slots: u8) -> Token {
    let mut token = Token::default();
    token.clock = Hlc::from_wall_ms(1_700_000_000_000);
    for slot in 0..slots {
        token.observe(Dot { slot: SlotId(slot), origin: origin(u64::from(slot % 3)), seq: 1_000 });
    }
    token
}

fn frontier(seq: u64) -> Frontier {
    (0..3).map(|uuid| (origin(uuid), seq)).collect()
}

fn record(seq: u64, key: &TokenKey) -> Arc<Record> {
    let dot = Dot { slot: SlotId(7), origin: origin(1), seq };
    let hlc = Hlc::from_wall_ms(1_700_000_000_000);
    let name = Key::new(&format!("key{seq}")).expect("a key");
    Arc::new(Record::new(&name, Some(&[b'x'; VALUE_BYTES]), hlc, dot, &token(1).encode(key)))
}

fn tokens(c: &mut Criterion) {
    let key = TokenKey::new(None);
    let mut group = c.benchmark_group("token");
    for slots in [1, 16, 255] {
        let made = token(slots);
        let text = made.encode(&key);
        group.bench_function(format!("encode/{slots}"), |b| b.iter(|| black_box(&made).encode(&key)));
        group.bench_function(format!("decode/{slots}"), |b| b.iter(|| Token::decode(black_box(&text), &key)));
        let write = token(1);
        group.bench_function(format!("merge/{slots}"), |b| {
            b.iter_batched_ref(|| made.clone(), |token| token.merge(black_box(&write)), BatchSize::SmallInput);
        });
    }
}

fn frontiers(c: &mut Criterion) {
    let (have, wanted) = (frontier(1_000), frontier(999));
    c.bench_function("frontier/covers", |b| b.iter(|| black_box(&have).covers(black_box(&wanted))));
}

/// With the hash that says which slot a key is in.
fn keys(c: &mut Criterion) {
    c.bench_function("key/new", |b| b.iter(|| Key::new(black_box("a-key-of-some-length-0123456789"))));
}

fn frames(c: &mut Criterion) {
    let key = TokenKey::new(None);
    let identity = Identity { uuid: 1, incarnation: 1, epoch: 3 };
    let mut group = c.benchmark_group("frame");
    for records in [1, 32] {
        let envelope = Envelope {
            from: "10.10.0.2:8080".parse().expect("an address"),
            identity,
            to_identity: Some(identity),
            placement: PlacementId::default(),
            membership: 7,
            body: Body::Replicate { slot: SlotId(7), records: (1..=records).map(|seq| record(seq, &key)).collect() },
        };
        let frame = postcard::to_stdvec(&envelope).expect("a frame");
        group.throughput(Throughput::Bytes(frame.len() as u64));
        group.bench_function(format!("encode/{records}"), |b| b.iter(|| postcard::to_stdvec(black_box(&envelope))));
        group.bench_function(format!("decode/{records}"), |b| {
            b.iter(|| postcard::from_bytes::<Envelope>(black_box(&frame)));
        });
    }
}

criterion_group!(hot, tokens, frontiers, keys, frames);
criterion_main!(hot);
