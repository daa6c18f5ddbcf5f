//! Names and addresses: what is checked is what is connected to.

use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A resolver with prepared answers, the last of which is repeated.
struct Names {
    answers: Vec<Vec<IpAddr>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(Self { answers: answers.iter().map(addresses).collect(), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Lookup for Names {
    fn lookup(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut asked = self.asked.lock().expect("no panic");
        let answer = self.answers[asked.len().min(self.answers.len() - 1)].clone();
        asked.push(name.to_owned());
        async move { Ok(answer) }.boxed()
    }
}

async fn send(sender: &Sender, url: &str) -> Outcome {
    let url = Url::parse(url).expect("a URL");
    let signatures = "v1,x".to_owned();
    let attempt = Attempt { url: &url, id: "msg_1", timestamp_seconds: 1, signatures, body: "{}".to_owned() };
    sender.send(attempt, 0).await
}

fn sender(names: &Arc<Names>, allowed: &[&str]) -> Sender {
    let allowed: Vec<IpNet> = allowed.iter().map(|network| network.parse().expect("a network")).collect();
    let lookup: Arc<dyn Lookup> = names.clone();
    Sender::new(&allowed, &lookup).expect("a client")
}

/// A listener that must not be reached, and one that answers each request with 200.
async fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

fn is_untouched(listener: TcpListener) -> bool {
    let listener = listener.into_std().expect("a listener");
    matches!(listener.accept(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn a_name_of_an_address_that_must_not_be_called_is_not_called() {
    let (listener, port) = listen().await;
    for (addresses, error) in [
        (
            &["127.0.0.1"][..],
            "the address 127.0.0.1 is private, and WEBHOOK_ALLOWED_NETWORKS does not name its network",
        ),
        (
            &["::ffff:127.0.0.1"],
            "the address ::ffff:127.0.0.1 is private, and WEBHOOK_ALLOWED_NETWORKS does not name its network",
        ),
        (
            &["8.8.8.8", "127.0.0.1"],
            "the address 127.0.0.1 is private, and WEBHOOK_ALLOWED_NETWORKS does not name its network",
        ),
        (&["169.254.169.254"], "the address 169.254.169.254 is never called"),
        (&["64:ff9b::a9fe:a9fe"], "the address 64:ff9b::a9fe:a9fe is never called"),
        (&[], "the name has no address"),
    ] {
        let names = Names::new(&[addresses]);
        let outcome = send(&sender(&names, &[]), &format!("https://hooks.example.test:{port}/")).await;
        assert_eq!((outcome.status, outcome.error.as_deref()), (None, Some(error)), "{addresses:?}");
        assert_eq!(names.asked(), ["hooks.example.test"], "{addresses:?}");
    }
    assert!(is_untouched(listener));
}

#[tokio::test]
async fn an_address_in_the_url_is_judged_although_nothing_is_resolved() {
    let (listener, port) = listen().await;
    let names = Names::new(&[&["8.8.8.8"]]);
    for host in ["127.0.0.1", "0x7f000001", "2130706433", "0177.1", "[::ffff:127.0.0.1]"] {
        let outcome = send(&sender(&names, &[]), &format!("https://{host}:{port}/")).await;
        assert!(outcome.error.as_deref().is_some_and(|error| error.contains("is private")), "{host}: {outcome:?}");
    }
    let outcome = send(&sender(&names, &["0.0.0.0/0"]), "http://169.254.169.254/latest/meta-data").await;
    assert_eq!(outcome.error.as_deref(), Some("the address 169.254.169.254 is never called"));
    assert_eq!(names.asked(), Vec::<String>::new());
    assert!(is_untouched(listener));
}

#[tokio::test]
async fn without_tls_only_allowed_networks_are_called() {
    let names = Names::new(&[&["8.8.8.8"]]);
    let outcome = send(&sender(&names, &["127.0.0.0/8"]), "http://hooks.example.test:8080/").await;
    assert_eq!(outcome.error.as_deref(), Some("the address 8.8.8.8 is public and needs https"));
}

/// A name that is public when it is checked and private when it is used (DNS rebinding): it is asked once for each
/// connection, and what was checked is what is connected to.
#[tokio::test]
async fn a_name_that_changes_between_check_and_use_is_asked_once() {
    let (listener, port) = listen().await;
    let (forbidden, other_port) = listen().await;
    // The first answer is in the allowed network. The second would be another machine's port on this one.
    let names = Names::new(&[&["127.0.0.1"], &["::1"]]);
    let sender = sender(&names, &["127.0.0.1/32"]);
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = [0; 4_096];
        let count = stream.read(&mut head).await.expect("a request");
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.expect("written");
        String::from_utf8_lossy(&head[..count]).into_owned()
    };
    let url = format!("http://hooks.example.test:{port}/hook");
    let (outcome, request) = tokio::join!(send(&sender, &url), serve);
    assert!(outcome.is_success(), "{outcome:?}");
    assert!(request.contains(&format!("host: hooks.example.test:{port}")), "{request}");
    assert_eq!(names.asked().len(), 1, "checked and connected to by one answer");
    let outcome = send(&sender, &format!("http://hooks.example.test:{other_port}/hook")).await;
    assert!(outcome.error.as_deref().is_some_and(|error| error.contains("the address ::1 is private")), "{outcome:?}");
    assert_eq!(names.asked().len(), 2);
    assert!(is_untouched(forbidden));
}

/// TLS to the address that was checked names the host of the URL, so that its certificate is the name's.
#[tokio::test]
async fn tls_names_the_host_and_not_the_address() {
    let (listener, port) = listen().await;
    let names = Names::new(&[&["127.0.0.1"]]);
    let sender = sender(&names, &["127.0.0.1/32"]);
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut hello = [0; 4_096];
        let count = stream.read(&mut hello).await.expect("a greeting");
        hello[..count].to_vec()
    };
    let url = format!("https://hooks.example.test:{port}/");
    let (outcome, hello) = tokio::join!(send(&sender, &url), serve);
    assert!(!outcome.is_success());
    let name = b"hooks.example.test";
    assert!(hello.windows(name.len()).any(|window| window == name), "no server name in the greeting");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (listener, port) = listen().await;
    let names = Names::new(&[&["127.0.0.1"]]);
    let sender = sender(&names, &["127.0.0.1/32"]);
    let serve = async {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut head = [0; 4_096];
        assert!(stream.read(&mut head).await.expect("a request") > 0);
        let answer = format!(
            "HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:{port}/other\r\ncontent-length: 0\r\n\
             connection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).await.expect("written");
    };
    let url = format!("http://hooks.example.test:{port}/");
    let (outcome, ()) = tokio::join!(send(&sender, &url), serve);
    assert_eq!((outcome.status, outcome.error.as_deref()), (Some(307), Some("the answer has the status 307")));
    assert!(is_untouched(listener), "no second request");
}
