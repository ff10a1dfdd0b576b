//! A crowd of callers, each an identity and a grant of its own, and then connections that take what they can.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::program::{Folder, PROGRAM_VARIABLE, Served};
use crate::support::{COMPOSER_LOGIN, until};

/// Twice as many as there is room for tokens.
const CALLERS: usize = 20_000;
/// Where another build of the program is given, which is surely a faster one.
const CALLERS_OF_A_RELEASE: usize = 100_000;
const CONNECTIONS: usize = 32;
/// The defaults of `limits.max_connections` and `limits.max_connections_per_address`.
const HOARDERS: usize = 2_000;
const HOARDERS_OF_AN_ADDRESS: usize = 200;
/// What `deploy/` gives the relay: `MemoryMax=256M`, and the same in the other files.
const MEMORY_KIB: u64 = 256 * 1024;

/// A platform that costs next to nothing, and gives tokens as large as row-level security makes them.
async fn platform() -> String {
    let answer = format!("{{\"token\":\"{}\"}}", "a".repeat(1_500));
    let app = Router::new()
        .route(COMPOSER_LOGIN, post(move || async move { ([(CONTENT_TYPE, "application/json")], answer) }));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    url
}

/// Asks once for each caller, one after the other; how many got a token.
async fn ask(address: SocketAddr, callers: impl Iterator<Item = usize>) -> usize {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut tokens, mut answer) = (0, Vec::new());
    for caller in callers {
        let request = format!(
            "POST /qrvey/composer-token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             x-user: user-{caller}\r\nx-forwarded-for: 2001:db8:{:x}:{:x}::1\r\ncontent-length: 2\r\n\r\n{{}}",
            caller >> 16,
            caller & 0xffff,
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        answer.clear();
        while !answer.ends_with(b"}") {
            assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "the relay hung up");
        }
        tokens += usize::from(answer.starts_with(b"HTTP/1.1 200"));
    }
    tokens
}

/// Takes every place, each with a request as large as it may be and not quite whole.
async fn hoard(port: u16) -> Vec<TcpStream> {
    let head = "POST /qrvey/composer-token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let headers: String = (0..15).map(|number| format!("a{number}: {}\r\n", "b".repeat(1_000))).collect();
    let body = " ".repeat(16_000);
    let request = format!("{head}{headers}content-length: 16384\r\n\r\n{body}");
    let mut streams = Vec::new();
    for number in 0..HOARDERS {
        let socket = TcpSocket::new_v4().unwrap();
        let address = Ipv4Addr::new(127, 0, 1, (number / HOARDERS_OF_AN_ADDRESS) as u8);
        socket.bind((address, 0).into()).unwrap();
        let mut stream = socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    streams
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes half a minute"]
async fn a_crowd_takes_bounded_memory() {
    let toml = format!(
        r#"
        trusted_proxies = ["127.0.0.1"]
        [qrvey]
        domain = "{}"
        [identity]
        mode = "header"
        trusted_proxies = ["127.0.0.1"]
        claims = {{ sub = "x-user" }}
        [profiles.default]
        userid = "u"
        appid = "a"
        clientid = {{ claim = "sub" }}
        [limits]
        header_timeout = "1m"
        body_timeout = "1m"
        [log]
        filter = "warn"
        "#,
        platform().await
    );
    let served =
        Served::start_with(&Folder::with(&toml), &[("QRVEY_RELAY__LOG__FILTER", "qrvey_relay::serve=info")])
            .await;
    let address: SocketAddr = served.address().parse().unwrap();
    let is_release = std::env::var_os(PROGRAM_VARIABLE).is_some();
    let callers = if is_release { CALLERS_OF_A_RELEASE } else { CALLERS };
    let asks =
        (0..CONNECTIONS).map(|first| tokio::spawn(ask(address, (first..callers).step_by(CONNECTIONS))));
    let tokens: usize = join_all(asks).await.into_iter().map(Result::unwrap).sum();
    assert_eq!(tokens, callers, "every one of them got a token");

    let metrics = served.metrics().await;
    let kept = metrics.lines().find_map(|line| line.strip_prefix("qrvey_relay_kept_tokens ")).unwrap();
    assert!(kept.parse::<u64>().unwrap() <= 10_000, "{kept}");
    let of_crowd = served.status_of_process("VmRSS");

    let hoarders = hoard(address.port()).await;
    let in_flight = format!("qrvey_relay_requests_in_flight {HOARDERS}\n");
    until("there is a place for each", Duration::from_secs(20), async || {
        served.metrics().await.contains(&in_flight)
    })
    .await;
    let mut one_more = TcpStream::connect(address).await.unwrap();
    let hung_up = timeout(Duration::from_secs(10), one_more.read(&mut [0; 1])).await;
    assert_eq!(hung_up.expect("there is a place for more").unwrap_or(0), 0);
    let memory = served.status_of_process("VmRSS");
    drop(hoarders);
    println!("the crowd: {of_crowd}; with the hoarders: {memory}");
    let kib: u64 = memory.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kib < MEMORY_KIB, "{memory}");
}
