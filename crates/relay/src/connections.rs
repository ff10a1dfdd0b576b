//! A bound on connections: past it, new ones are closed at once, so that slow senders cost others
//! no memory.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;

use axum::Extension;
use axum::middleware::AddExtension;
use axum_server::accept::Accept;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Layer;

/// Lets so many connections in at once.
#[derive(Debug, Clone)]
pub(crate) struct BoundedAcceptor {
    free: Arc<Semaphore>,
}

/// A connection's place; it lives in the connection's service, and so as long as the connection.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    _permit: Arc<OwnedSemaphorePermit>,
}

impl BoundedAcceptor {
    pub(crate) fn new(max_connections: usize) -> Self {
        Self { free: Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS))) }
    }
}

impl<I, S> Accept<I, S> for BoundedAcceptor {
    type Stream = I;
    type Service = AddExtension<S, Place>;
    type Future = Ready<io::Result<(I, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        ready(match Arc::clone(&self.free).try_acquire_owned() {
            Ok(permit) => Ok((stream, Extension(Place { _permit: Arc::new(permit) }).layer(service))),
            Err(_) => Err(io::Error::other("limits.max_connections is reached")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_place_is_free_again_when_its_connection_is_gone() {
        let acceptor = BoundedAcceptor::new(1);
        let first = acceptor.accept((), ()).await;
        assert!(first.is_ok());
        assert!(acceptor.accept((), ()).await.is_err());
        drop(first);
        assert!(acceptor.accept((), ()).await.is_ok());
    }
}
