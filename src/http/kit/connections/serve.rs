//! Serves admitted connections: a stream that reports to its connection, and a service that drops a connection when it
//! is told to close, whatever the web server is waiting for.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_http::Protocol;
use actix_http::error::DispatchError;
use actix_web::dev::{Service, ServiceFactory};
use futures_util::future::LocalBoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::http::kit::connections::phase::Connection;
use crate::http::kit::connections::registry::Connections;

/// A client's TCP stream.
pub struct Stream {
    tcp: TcpStream,
    connection: Arc<Connection>,
}

impl Stream {
    /// The connection of this stream, for its requests.
    #[must_use]
    pub fn connection(&self) -> Arc<Connection> {
        self.connection.clone()
    }

    fn wrote(&self, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match &result {
            Poll::Pending => self.connection.write_blocks(),
            Poll::Ready(_) => self.connection.write_goes_on(),
        }
        result
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.tcp).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.connection.bytes_came(Instant::now());
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.wrote(result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.wrote(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(context)
    }
}

/// Serves HTTP on admitted connections. `H` is the web server's factory, then its service.
pub struct ConnectionService<H> {
    http: H,
    connections: Arc<Connections>,
}

impl<H> ConnectionService<H> {
    /// Creates the service around `http`.
    pub const fn new(http: H, connections: Arc<Connections>) -> Self {
        Self { http, connections }
    }
}

type Incoming = (Stream, Protocol, Option<SocketAddr>);

impl<H> ServiceFactory<TcpStream> for ConnectionService<H>
where
    H: ServiceFactory<Incoming, Config = (), Response = (), Error = DispatchError, InitError = ()>,
    H::Service: 'static,
    H::Future: 'static,
{
    type Response = ();
    type Error = DispatchError;
    type Config = ();
    type Service = ConnectionService<H::Service>;
    type InitError = ();
    type Future = LocalBoxFuture<'static, Result<Self::Service, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        let (http, connections) = (self.http.new_service(()), self.connections.clone());
        Box::pin(async move { Ok(ConnectionService { http: http.await?, connections }) })
    }
}

impl<H> Service<TcpStream> for ConnectionService<H>
where
    H: Service<Incoming, Response = (), Error = DispatchError>,
    H::Future: 'static,
{
    type Response = ();
    type Error = DispatchError;
    type Future = LocalBoxFuture<'static, Result<(), DispatchError>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), DispatchError>> {
        self.http.poll_ready(context)
    }

    fn call(&self, tcp: TcpStream) -> Self::Future {
        let peer = tcp.peer_addr().ok();
        let Some(admitted) = self.connections.admit(peer, Instant::now()) else {
            self.connections.count_refused();
            return Box::pin(std::future::ready(Ok(())));
        };
        let connection = admitted.connection();
        let serving = self.http.call((Stream { tcp, connection: connection.clone() }, Protocol::Http1, peer));
        Box::pin(async move {
            // Dropped last, so that the place is released after the socket is closed.
            let _admitted = admitted;
            let mut serving = pin!(serving);
            let ended = poll_fn(|context| {
                if connection.poll_closed(context) {
                    return Poll::Ready(None);
                }
                serving.as_mut().poll(context).map(Some)
            });
            match ended.await {
                Some(Err(DispatchError::Parse(error))) => tracing::debug!(%error, "a request that is not HTTP"),
                Some(Err(error)) => tracing::debug!(%error, "a connection broke"),
                Some(Ok(())) => {}
                None => tracing::debug!("a connection was closed for its time or its place"),
            }
            Ok(())
        })
    }
}
