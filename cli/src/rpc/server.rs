//! The way in: HTTP/1.1 on loopback.

use super::dispatch::answer;
use super::door::Door;
use super::guard::{Guard, Refused};
use super::service::Service;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

/// Largest request.
pub const MAX_REQUEST_BYTES: usize = 1024 * 1024;
/// Connections at a time; more are closed at once.
const MAX_CONNECTIONS: usize = 64;
/// Requests that are worked on at a time; more wait.
const MAX_REQUESTS: usize = 16;
/// Time for the head of a request, also for the next one on a connection.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// Time from the head to the answer.
const ANSWER_TIME: Duration = Duration::from_secs(60);
/// Time for the answers in progress when the server stops.
const DRAIN_TIME: Duration = Duration::from_secs(3);
/// Pause after a connection could not be taken: what is short (files, mostly) must come free first.
const RETRY_PAUSE: Duration = Duration::from_millis(50);

/// A server that is bound, and announced by the files of its [`Door`].
pub struct RpcServer {
    listener: TcpListener,
    address: SocketAddr,
    door: Door,
}

/// What connections share.
struct Shared {
    service: Service,
    guard: Guard,
    requests: Semaphore,
}

impl RpcServer {
    /// Binds `listen`, and writes the files that lead there into the node's `directory`, which is locked.
    ///
    /// # Errors
    /// When `listen` is not on loopback, is taken, or the files cannot be written.
    pub async fn bind(directory: &Path, listen: SocketAddr) -> io::Result<Self> {
        if !listen.ip().is_loopback() {
            let message =
                "is not a loopback address: whoever reaches the server could spend the node's coins";
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{listen} {message}"),
            ));
        }
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            door: Door::open(directory, address)?,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done; answers in progress are finished.
    pub async fn serve(self, service: Service, stop: impl Future<Output = ()>) {
        let shared = Arc::new(Shared {
            guard: Guard::new(self.door.credentials()),
            service,
            requests: Semaphore::new(MAX_REQUESTS),
        });
        let (stopping, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() < MAX_CONNECTIONS => {
                        connections.spawn(connection(stream, shared.clone(), stopped.clone()));
                    }
                    Ok(_) => {}
                    Err(_) => tokio::time::sleep(RETRY_PAUSE).await,
                },
            }
        }
        drop(self.listener);
        stopping.send_replace(true);
        let drained = async { while connections.join_next().await.is_some() {} };
        // Those that take longer are cut off when `connections` is dropped.
        let _ = tokio::time::timeout(DRAIN_TIME, drained).await;
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(respond(&shared, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let stopping = async { stopped.wait_for(|stopped| *stopped).await.is_ok() };
    // What a client gets wrong on its connection concerns nobody else.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopping => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    if let Err(refused) = shared.guard.check(&head) {
        return refusal(refused);
    }
    let answered = tokio::time::timeout(ANSWER_TIME, async {
        let body = Limited::new(body, MAX_REQUEST_BYTES).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "a request has at most 1 MiB"),
            false => Refused::new(StatusCode::BAD_REQUEST, "the request broke off"),
        })?;
        // The semaphore is never closed.
        let _permit = shared.requests.acquire().await;
        Ok(answer(&shared.service, &body.to_bytes()).await)
    });
    match answered.await {
        Ok(Ok(answer)) => {
            let mut response = Response::new(Full::from(answer.to_string()));
            let json = HeaderValue::from_static("application/json");
            response.headers_mut().insert(CONTENT_TYPE, json);
            response
        }
        Ok(Err(refused)) => refusal(refused),
        Err(_) => refusal(Refused::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the node is too busy",
        )),
    }
}

/// A refusal closes the connection: the rest of the request is not read.
fn refusal(refused: Refused) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(format!("{}\n", refused.message)));
    *response.status_mut() = refused.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    match refused.status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"camelid\""),
            );
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            headers.insert(ALLOW, HeaderValue::from_static("POST"));
        }
        _ => {}
    }
    response
}
