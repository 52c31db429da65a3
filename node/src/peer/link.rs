//! One connection while it is a link: frames out in batches, frames in to the runtime.

use std::{fmt, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use node_core::Envelope;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::{Semaphore, mpsc},
    task::yield_now,
    time::{sleep, timeout},
};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use super::{
    FRAME_BYTES_MAX, PeerInput,
    neighbour::{Neighbour, Term},
};

/// A link on which nothing arrives for this long is dead.
const SILENCE: Duration = Duration::from_secs(3);
/// An empty frame goes out when nothing else has for this long, so that a quiet link is not a silent one.
const KEEPALIVE: Duration = Duration::from_secs(1);
/// A link that has not taken a frame for this long is closed: its peer reads so slowly that what it gets is stale.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a superseded connection may bring in what was under way on it.
const SUPERSEDED_GRACE: Duration = Duration::from_secs(1);
/// Bytes that are encoded before the socket is written to, when more frames wait.
const WRITE_BYTES: usize = 128 * 1024;

/// The connection after the handshake.
pub(super) type Stream = TokioIo<Upgraded>;
type Frames<S> = Framed<S, LengthDelimitedCodec>;

/// Why a link has ended.
pub(super) enum End {
    /// The other side closed it.
    Closed,
    /// It broke, or a frame was too long.
    Broken(io::Error),
    /// Nothing arrived for [`SILENCE`].
    Silent,
    /// Nothing could be written for [`WRITE_TIMEOUT`].
    Stuck,
    /// A frame was not an envelope.
    Malformed(postcard::Error),
    /// An envelope named another sender than the handshake.
    Foreign,
    /// Another connection took over.
    Superseded,
    /// The runtime has ended.
    Stopped,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("closed by the peer"),
            Self::Broken(error) => write!(f, "broken: {error}"),
            Self::Silent => write!(f, "silent for {SILENCE:?}"),
            Self::Stuck => write!(f, "took nothing for {WRITE_TIMEOUT:?}"),
            Self::Malformed(error) => write!(f, "a frame is not a message: {error}"),
            Self::Foreign => f.write_str("a message from another sender"),
            Self::Superseded => f.write_str("superseded by another connection"),
            Self::Stopped => f.write_str("the node is stopping"),
        }
    }
}

/// Runs the link until it ends.
///
/// `arrived` has room for what may wait for the runtime, in bytes.
pub(super) async fn serve<S: AsyncRead + AsyncWrite>(
    stream: S,
    neighbour: &Neighbour,
    term: &Term,
    inputs: &mpsc::Sender<PeerInput>,
    arrived: &Arc<Semaphore>,
) -> End {
    let codec = LengthDelimitedCodec::builder().max_frame_length(FRAME_BYTES_MAX).new_codec();
    let mut frames = Framed::new(stream, codec);
    frames.set_backpressure_boundary(WRITE_BYTES);
    let (sink, stream) = frames.split();
    tokio::select! {
        end = read(stream, neighbour, inputs, arrived) => end,
        end = write(sink, neighbour, term) => end,
    }
}

async fn read<S: AsyncRead + AsyncWrite>(
    mut frames: SplitStream<Frames<S>>,
    neighbour: &Neighbour,
    inputs: &mpsc::Sender<PeerInput>,
    arrived: &Arc<Semaphore>,
) -> End {
    loop {
        let frame = match timeout(SILENCE, frames.next()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => return End::Broken(error),
            Ok(None) => return End::Closed,
            Err(_) => return End::Silent,
        };
        neighbour.metrics.received(frame.len());
        if frame.is_empty() {
            continue;
        }
        // A frame is shorter than the bound, which fits.
        let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let Ok(share) = Arc::clone(arrived).acquire_many_owned(bytes).await else {
            return End::Stopped;
        };
        let envelope: Envelope = match postcard::from_bytes(&frame) {
            Ok(envelope) => envelope,
            Err(error) => return End::Malformed(error),
        };
        if envelope.from != neighbour.address() {
            return End::Foreign;
        }
        if inputs.send(PeerInput::Message(Box::new(envelope), share)).await.is_err() {
            return End::Stopped;
        }
    }
}

/// Writes until the link is superseded, then lets the reader have the rest.
async fn write<S: AsyncRead + AsyncWrite>(
    mut frames: SplitSink<Frames<S>, Bytes>,
    neighbour: &Neighbour,
    term: &Term,
) -> End {
    loop {
        if let Err(end) = write_queued(&mut frames, neighbour).await {
            // What it has not taken is stale, and others need the room.
            neighbour.lose_queued();
            return end;
        }
        tokio::select! {
            () = term.superseded.cancelled() => break,
            // Whoever is about to fill it too goes first: one write takes the frames of all.
            () = neighbour.filled.notified() => yield_now().await,
            () = sleep(KEEPALIVE) => {
                if let Err(end) = in_time(frames.feed(Bytes::new())).await {
                    return end;
                }
            }
        }
    }
    if let Err(end) = in_time(frames.close()).await {
        return end;
    }
    sleep(SUPERSEDED_GRACE).await;
    End::Superseded
}

/// Everything that waits, in one flush.
async fn write_queued<S: AsyncRead + AsyncWrite>(
    frames: &mut SplitSink<Frames<S>, Bytes>,
    neighbour: &Neighbour,
) -> Result<(), End> {
    while let Some(frame) = neighbour.outbox.pop() {
        neighbour.metrics.sent(frame.len());
        in_time(frames.feed(frame)).await?;
    }
    in_time(frames.flush()).await
}

async fn in_time(writing: impl Future<Output = io::Result<()>>) -> Result<(), End> {
    match timeout(WRITE_TIMEOUT, writing).await {
        Ok(written) => written.map_err(End::Broken),
        Err(_) => Err(End::Stuck),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tokio::{
        io::{AsyncWriteExt, duplex, split},
        sync::{Semaphore, mpsc},
        time::{Instant, sleep},
    };

    use super::{End, KEEPALIVE, WRITE_TIMEOUT, serve};
    use crate::{
        metrics::Metrics,
        peer::{FRAME_BYTES_MAX, neighbour::Neighbour, outbox::Budget, precedence::Dialler},
    };

    #[tokio::test]
    async fn a_peer_that_lives_and_never_reads_is_closed_and_its_room_given_back() {
        let (own, peer) = (([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 1).into());
        let metrics = Metrics::new("10.0.0.1:1", "2021").peers.of(peer);
        let neighbour = Neighbour::new(own, peer, Budget::default(), metrics);
        let term = neighbour.begin(Dialler::Own, 1).unwrap();
        let frame = Bytes::from(vec![0; 1024 * 1024]);
        (0..64).for_each(|_| neighbour.push(frame.clone()));
        assert_eq!(neighbour.outbox.bytes(), FRAME_BYTES_MAX);

        let (near, far) = duplex(64 * 1024);
        let (_never_read, mut far) = split(far);
        let (inputs, _runtime) = mpsc::channel(1);
        let arrived = Arc::new(Semaphore::new(FRAME_BYTES_MAX));
        let alive = async {
            while far.write_all(&[0; 4]).await.is_ok() {
                // One frame is being written, one is in the sink's hand, and one waits for it.
                assert!(neighbour.outbox.bytes() >= FRAME_BYTES_MAX - 3 * frame.len(), "moved where nobody counts");
                sleep(KEEPALIVE / 4).await;
            }
            std::future::pending::<()>().await;
        };
        let start = Instant::now();
        let end = tokio::select! {
            end = serve(near, &neighbour, &term, &inputs, &arrived) => end,
            () = alive => unreachable!("it never ends"),
        };
        assert!(matches!(end, End::Stuck), "{end}");
        assert!(start.elapsed() < 2 * WRITE_TIMEOUT);
        assert_eq!(neighbour.outbox.bytes(), 0);
    }
}
