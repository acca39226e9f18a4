//! Who is let in, and what with.

use super::net::Net;
use crate::rpc::door::{Door, Key};
use crate::rpc::guard::authorization;
use crate::rpc::server::{MAX_REQUEST_BYTES, RpcServer};
use crate::rpc::{CallError, Client, NodeArgs};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

const UPTIME: &str = r#"{"jsonrpc":"2.0","id":1,"method":"uptime"}"#;

struct Served {
    directory: TempDir,
    key: Key,
    stop: Arc<Notify>,
    serving: JoinHandle<()>,
}

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

async fn serve() -> Served {
    let directory = tempfile::tempdir().unwrap();
    let server = RpcServer::bind(directory.path(), loopback()).await.unwrap();
    let key = Key::read(directory.path()).unwrap();
    assert_eq!(key.address, server.address());
    let net = Net::start(false);
    let service = Arc::into_inner(net.service).unwrap();
    let stop = Arc::new(Notify::new());
    let stopped = stop.clone();
    let serving = tokio::spawn(async move { server.serve(service, stopped.notified()).await });
    Served {
        directory,
        key,
        stop,
        serving,
    }
}

impl Served {
    /// Sends a request with these lines in its head besides the length, and returns status and body.
    async fn send(&self, first: &str, lines: &[String], body: &str) -> (u16, String) {
        let head = lines.iter().fold(format!("{first} HTTP/1.1\r\n"), |head, line| {
            format!("{head}{line}\r\n")
        });
        let request = format!(
            "{head}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.key.address).await.unwrap();
        // A server that refuses a large body does not read it to its end.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut bytes = Vec::new();
        let mut buffer = [0; 4_096];
        while let Ok(read @ 1..) = stream.read(&mut buffer).await {
            bytes.extend_from_slice(&buffer[..read]);
        }
        let text = String::from_utf8(bytes).unwrap();
        let status = text
            .split(' ')
            .nth(1)
            .unwrap_or_else(|| panic!("no answer to {first} {lines:?}"));
        let body = text.split_once("\r\n\r\n").unwrap().1.to_owned();
        (status.parse().unwrap(), body)
    }

    fn host(&self) -> String {
        format!("host: {}", self.key.address)
    }

    fn pass(&self) -> String {
        format!("authorization: {}", authorization(&self.key.credentials))
    }
}

#[tokio::test]
async fn who_knows_the_cookie_is_served() {
    let served = serve().await;
    let (status, body) = served
        .send("POST /", &[served.host(), served.pass()], UPTIME)
        .await;
    assert_eq!(status, 200);
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert!(answer["result"].is_u64(), "{answer}");
    for name in [
        "localhost",
        "LOCALHOST:1",
        "127.0.0.1",
        "[::1]:8332",
        "127.1.2.3:80",
    ] {
        let host = format!("host: {name}");
        assert_eq!(
            served.send("POST /", &[host, served.pass()], UPTIME).await.0,
            200,
            "{name}"
        );
    }
}

#[tokio::test]
async fn who_does_not_is_not() {
    let served = serve().await;
    let wrong = "0".repeat(64);
    for pass in [
        String::new(),
        format!("authorization: {}", authorization(&format!("__cookie__:{wrong}"))),
        format!("authorization: {}", authorization("__cookie__:")),
        format!("authorization: Bearer {}", served.key.credentials),
        format!("authorization: Basic {}", served.key.credentials),
        served.pass()[..served.pass().len() - 1].to_owned(),
        format!("x-{}", served.pass()),
    ] {
        let lines: Vec<String> = [served.host(), pass]
            .into_iter()
            .filter(|line| !line.is_empty())
            .collect();
        let (status, body) = served.send("POST /", &lines, UPTIME).await;
        assert_eq!(status, 401, "{lines:?}");
        assert!(!body.contains(&served.key.credentials));
    }
}

#[tokio::test]
async fn web_pages_are_not_served_under_any_name() {
    let served = serve().await;
    for host in [
        "evil.example",
        "evil.example:80",
        "127.0.0.1.evil.example",
        "10.0.0.1",
        "localhost.evil.example",
        "0.0.0.0",
        "",
    ] {
        let lines = [format!("host: {host}"), served.pass()];
        let (status, _) = served.send("POST /", &lines, UPTIME).await;
        assert!(matches!(status, 400 | 403), "{host}: {status}");
    }
    assert_eq!(
        served.send("POST /", &[served.pass()], UPTIME).await.0,
        403,
        "no host"
    );
    let absolute = served
        .send(
            "POST http://evil.example/",
            &[served.host(), served.pass()],
            UPTIME,
        )
        .await;
    assert_eq!(absolute.0, 403);
    for origin in ["http://evil.example", "null", "http://localhost"] {
        let lines = [served.host(), served.pass(), format!("origin: {origin}")];
        assert_eq!(served.send("POST /", &lines, UPTIME).await.0, 403, "{origin}");
    }
}

#[tokio::test]
async fn there_is_one_way_in() {
    let served = serve().await;
    let lines = [served.host(), served.pass()];
    for (first, status) in [
        ("GET /", 405),
        ("PUT /", 405),
        ("OPTIONS /", 405),
        ("POST /wallet/x", 404),
    ] {
        assert_eq!(served.send(first, &lines, UPTIME).await.0, status, "{first}");
    }
}

#[tokio::test]
async fn a_request_has_an_end() {
    let served = serve().await;
    let lines = [served.host(), served.pass()];
    let padded = |bytes: usize| format!("{UPTIME}{}", " ".repeat(bytes - UPTIME.len()));
    assert_eq!(
        served.send("POST /", &lines, &padded(MAX_REQUEST_BYTES)).await.0,
        200
    );
    assert_eq!(
        served
            .send("POST /", &lines, &padded(MAX_REQUEST_BYTES + 1))
            .await
            .0,
        413
    );
    // And it is refused from its head, before anybody has sent it.
    let mut stream = TcpStream::connect(served.key.address).await.unwrap();
    let head = format!(
        "POST / HTTP/1.1\r\n{}\r\ncontent-length: 99999999\r\n\r\n",
        served.host()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");
}

#[tokio::test]
async fn the_files_are_private_and_go_with_the_server() {
    let served = serve().await;
    let cookie = served.directory.path().join(".cookie");
    assert!(is_private(&cookie));
    let other = tempfile::tempdir().unwrap();
    let door = Door::open(other.path(), loopback()).unwrap();
    assert_ne!(door.credentials(), served.key.credentials);
    // What a killed process has left is replaced.
    std::mem::forget(door);
    let again = Door::open(other.path(), loopback()).unwrap();
    assert_eq!(Key::read(other.path()).unwrap().credentials, again.credentials());
    served.stop.notify_one();
    served.serving.await.unwrap();
    assert_eq!(std::fs::read_dir(served.directory.path()).unwrap().count(), 0);
    assert!(TcpStream::connect(served.key.address).await.is_err());
}

#[cfg(unix)]
fn is_private(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777 == 0o600
}

#[cfg(not(unix))]
fn is_private(path: &Path) -> bool {
    path.exists()
}

#[tokio::test]
async fn only_this_machine_is_listened_to() {
    let directory = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let error = RpcServer::bind(directory.path(), address.parse().unwrap())
            .await
            .err()
            .unwrap();
        assert!(error.to_string().contains("not a loopback address"), "{error}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn the_client_finds_its_way_and_says_when_there_is_none() {
    let served = serve().await;
    let directory = served.directory.path().to_owned();
    let call = |method: &'static str, params: Value| {
        let dir = directory.clone();
        let calling = move || Client::new(&NodeArgs { dir }).unwrap().call(method, &params);
        async { tokio::task::spawn_blocking(calling).await.unwrap() }
    };
    assert_eq!(call("getblockcount", json!({})).await.unwrap(), 0);
    match call("getblockhash", json!({"height": 5})).await {
        Err(CallError::Node(error)) => assert_eq!(error.code, -8),
        other => panic!("{other:?}"),
    }
    std::fs::write(directory.join(".cookie"), "__cookie__:wrong").unwrap();
    assert!(matches!(
        call("getblockcount", json!({})).await,
        Err(CallError::Refused(_))
    ));
    served.stop.notify_one();
    served.serving.await.unwrap();
    assert!(matches!(
        call("getblockcount", json!({})).await,
        Err(CallError::Unreachable(_))
    ));
}
