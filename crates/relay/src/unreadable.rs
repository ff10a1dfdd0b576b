//! What is no HTTP/1 request. hyper answers such by itself, with a status, a length of 0 and the date;
//! here the relay's own refusal takes that answer's place, with its headers, and is counted.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::problem::Failure;
use crate::router::Relay;
use crate::service::Answer;

/// A connection on which hyper's refusals become the relay's.
pub(crate) struct Refusing<S> {
    stream: S,
    relay: Relay,
    /// What is left to send of a refusal.
    refusal: Bytes,
}

impl<S: AsyncWrite + Unpin> Refusing<S> {
    pub(crate) fn new(stream: S, relay: Relay) -> Self {
        Self { stream, relay, refusal: Bytes::new() }
    }

    /// Whether these bytes were hyper's refusal. It writes one by itself, and nothing after it.
    fn takes(&mut self, bytes: &[u8]) -> bool {
        let own = HypersOwn::read(bytes);
        if let Some(own) = &own {
            self.refusal = own.with(self.relay.refuse(failure(own.status)));
        }
        own.is_some()
    }

    fn poll_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.refusal.has_remaining() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.refusal))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                count => self.refusal.advance(count),
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn failure(status: StatusCode) -> Failure {
    let detail = match status {
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "There are more than 100 headers, or more than 16 KiB of them. Cookies are often the cause."
        }
        _ => "This is no HTTP request.",
    };
    Failure::invalid(status, detail)
}

/// The head of an answer that hyper made by itself.
struct HypersOwn<'a> {
    status: StatusCode,
    before_length: &'a str,
    after_length: &'a str,
}

impl<'a> HypersOwn<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        if !bytes.starts_with(b"HTTP/1.1 4") {
            return None;
        }
        let head = str::from_utf8(bytes).ok()?;
        let (before_length, after_length) = head.split_once("content-length: 0\r\n")?;
        // Every answer of the relay has an id.
        (!head.contains("\r\nx-request-id: ")).then_some(())?;
        let status = head.get("HTTP/1.1 ".len()..)?.get(..3)?.parse().ok()?;
        Some(Self { status, before_length, after_length })
    }

    /// The same with the headers and the body of this answer.
    fn with(&self, answer: Answer) -> Bytes {
        let (head, body) = answer.into_parts();
        // It is there in one piece.
        let body = body.collect().now_or_never().and_then(Result::ok).unwrap_or_default().to_bytes();
        let mut bytes = self.before_length.as_bytes().to_vec();
        for (name, value) in &head.headers {
            bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend(format!("content-length: {}\r\n{}", body.len(), self.after_length).into_bytes());
        bytes.extend(body);
        bytes.into()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Refusing<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Refusing<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.takes(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match slices {
            [only] => self.poll_write(context, only),
            _ => Pin::new(&mut self.stream).poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_refusal(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
