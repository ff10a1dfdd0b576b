//! The public listener: HTTP/1.1 and HTTP/2, plain or through TLS, with bounds on what a connection
//! may cost.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::activity::Activity;
use crate::certificate::Certificate;
use crate::config::Limits;
use crate::connections::{Place, Places};
use crate::router::Relay;
use crate::unreadable::Refusing;

/// The most bytes of a request's headers together; of their number, hyper takes 100.
const MAX_HEADER_BYTES: usize = 16 * 1024;
const MAX_STREAMS_PER_CONNECTION: u32 = 128;
/// So many answers that a caller does not take may have a body that says why there is no place.
const MAX_UNTAKEN: usize = 8;
/// What HTTP/2 lets a caller send of bodies before they are read, on a connection as on a stream.
const WINDOW_BYTES: u32 = 64 * 1024 - 1;
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(20);
/// After a fault such as too many open files, which the next try may well meet again.
const PAUSE_AFTER_FAULT: Duration = Duration::from_millis(50);

/// What all connections have in common.
struct Listener {
    relay: Relay,
    places: Places,
    http: Builder<TokioExecutor>,
    certificate: Option<Arc<Certificate>>,
    header_timeout: Duration,
}

/// Serves callers until `stop` resolves, then finishes what is in flight.
pub(crate) async fn listen(
    socket: TcpListener,
    relay: Relay,
    limits: Limits,
    certificate: Option<Arc<Certificate>>,
    stop: impl Future<Output = ()>,
) {
    let places = Places::new(limits.max_connections, limits.max_connections_per_address, relay.clone());
    let header_timeout = limits.header_timeout;
    let listener =
        Arc::new(Listener { relay, places, http: http(header_timeout), certificate, header_timeout });
    let connections = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            // Without a place the connection is closed.
            Ok((stream, peer)) => {
                if let Some(place) = listener.places.take(peer.ip()) {
                    let (listener, watcher) = (Arc::clone(&listener), connections.watcher());
                    tokio::spawn(async move {
                        listener.accept(stream, peer, watcher).await;
                        drop(place);
                    });
                }
            }
            Err(_) => tokio::time::sleep(PAUSE_AFTER_FAULT).await,
        }
    }
    drop(socket);
    // Whoever is slower than that is cut off when the process ends.
    let _ = timeout(limits.shutdown_timeout, connections.shutdown()).await;
}

fn http(header_timeout: Duration) -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().max_buf_size(MAX_HEADER_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_BYTES as u32)
        .max_concurrent_streams(MAX_STREAMS_PER_CONNECTION)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES)
        .keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(header_timeout);
    http
}

impl Listener {
    async fn accept(&self, stream: TcpStream, peer: SocketAddr, watcher: Watcher) {
        // An answer goes out in one piece, so there is nothing to wait for.
        let _ = stream.set_nodelay(true);
        match &self.certificate {
            None => self.serve(stream, peer, watcher).await,
            Some(certificate) => {
                if let Ok(Ok(stream)) =
                    timeout(self.header_timeout, certificate.acceptor().accept(stream)).await
                {
                    self.serve(stream, peer, watcher).await;
                }
            }
        }
    }

    async fn serve<S>(&self, stream: S, peer: SocketAddr, watcher: Watcher)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let peer = peer.ip().to_canonical();
        let activity = Arc::new(Activity::default());
        let (relay, of_service) = (self.relay.clone(), Arc::clone(&activity));
        let open = Arc::new(());
        let service = service_fn(|request| {
            let (relay, busy) = (relay.clone(), of_service.begin());
            // A connection's place is for one request at a time, which with HTTP/1 is all there can be.
            let others = Arc::strong_count(&open) - 1;
            let place = if others == 0 { Some(None) } else { self.places.take(peer).map(Some) };
            let open = Arc::clone(&open);
            async move {
                let answer = match &place {
                    Some(_) => relay.answer(Some(peer), request).await,
                    None if others < MAX_UNTAKEN => relay.turn_away(request),
                    None => relay.turn_away(request).map(|_| Full::default()),
                };
                drop(busy);
                let held = Some(Held { _open: open, _place: place.flatten() });
                Ok::<_, Infallible>(answer.map(|body| Untaken { body, held }))
            }
        });
        let stream = TokioIo::new(Refusing::new(stream, self.relay.clone()));
        let connection = watcher.watch(self.http.serve_connection(stream, service));
        tokio::select! {
            biased;
            // What breaks here is the caller's.
            _ = connection => {}
            () = activity.ceases_for(self.header_timeout) => {}
        }
    }
}

/// What a request has until the caller has taken its answer.
struct Held {
    _open: Arc<()>,
    _place: Option<Place>,
}

/// The body of an answer that is not taken yet.
struct Untaken {
    body: Full<Bytes>,
    held: Option<Held>,
}

/// All bytes of such a body, which HTTP/2 keeps while the caller lets only some of them be sent.
struct UntakenBytes {
    bytes: Bytes,
    _held: Option<Held>,
}

impl Body for Untaken {
    type Data = UntakenBytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<UntakenBytes>, Infallible>>> {
        let Self { body, held } = &mut *self;
        let with_held = |bytes| UntakenBytes { bytes, _held: held.take() };
        Pin::new(body).poll_frame(context).map_ok(|frame| frame.map_data(with_held))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Buf for UntakenBytes {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
    }
}
