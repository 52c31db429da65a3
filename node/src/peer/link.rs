//! One connection while it is a link: frames out in batches, frames in to the runtime.

use std::{fmt, io, time::Duration};

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream::SplitSink, stream::SplitStream};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use node_core::Envelope;
use tokio::{
    sync::mpsc,
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
/// How long a superseded connection may bring in what was under way on it.
const SUPERSEDED_GRACE: Duration = Duration::from_secs(1);
/// Bytes that are encoded before the socket is written to, when more frames wait.
const WRITE_BYTES: usize = 128 * 1024;

/// The connection after the handshake.
pub(super) type Stream = TokioIo<Upgraded>;
type Frames = Framed<Stream, LengthDelimitedCodec>;

/// Why a link has ended.
pub(super) enum End {
    /// The other side closed it.
    Closed,
    /// It broke, or a frame was too long.
    Broken(io::Error),
    /// Nothing arrived for [`SILENCE`].
    Silent,
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
            Self::Malformed(error) => write!(f, "a frame is not a message: {error}"),
            Self::Foreign => f.write_str("a message from another sender"),
            Self::Superseded => f.write_str("superseded by another connection"),
            Self::Stopped => f.write_str("the node is stopping"),
        }
    }
}

/// Runs the link until it ends.
pub(super) async fn serve(stream: Stream, neighbour: &Neighbour, term: &Term, inputs: &mpsc::Sender<PeerInput>) -> End {
    let codec = LengthDelimitedCodec::builder().max_frame_length(FRAME_BYTES_MAX).new_codec();
    let mut frames = Framed::new(stream, codec);
    frames.set_backpressure_boundary(WRITE_BYTES);
    let (sink, stream) = frames.split();
    tokio::select! {
        end = read(stream, neighbour, inputs) => end,
        end = write(sink, neighbour, term) => end,
    }
}

async fn read(mut frames: SplitStream<Frames>, neighbour: &Neighbour, inputs: &mpsc::Sender<PeerInput>) -> End {
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
        let envelope: Envelope = match postcard::from_bytes(&frame) {
            Ok(envelope) => envelope,
            Err(error) => return End::Malformed(error),
        };
        if envelope.from != neighbour.address() {
            return End::Foreign;
        }
        if inputs.send(PeerInput::Message(envelope)).await.is_err() {
            return End::Stopped;
        }
    }
}

/// Writes until the link is superseded, then lets the reader have the rest.
async fn write(mut frames: SplitSink<Frames, Bytes>, neighbour: &Neighbour, term: &Term) -> End {
    loop {
        if let Err(error) = write_queued(&mut frames, neighbour).await {
            return End::Broken(error);
        }
        tokio::select! {
            () = term.superseded.cancelled() => break,
            () = neighbour.filled.notified() => {}
            () = sleep(KEEPALIVE) => {
                if let Err(error) = frames.feed(Bytes::new()).await {
                    return End::Broken(error);
                }
            }
        }
    }
    if let Err(error) = frames.close().await {
        return End::Broken(error);
    }
    sleep(SUPERSEDED_GRACE).await;
    End::Superseded
}

/// Everything that waits, in one flush.
async fn write_queued(frames: &mut SplitSink<Frames, Bytes>, neighbour: &Neighbour) -> io::Result<()> {
    for frame in neighbour.outbox.take() {
        neighbour.metrics.sent(frame.len());
        frames.feed(frame).await?;
    }
    frames.flush().await
}
