//! A webhook receiver controlled by the test: any status, a redirect, or silence until it is released.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, http::StatusCode, web};
use serde_json::Value;
use tokio::sync::watch;

const LIMIT: Duration = Duration::from_secs(20);

/// The answer to one webhook.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    Redirect(String),
    /// Waits for `release`, then answers 200.
    Hang,
}

/// A received webhook.
#[derive(Debug, Clone)]
pub struct Received {
    pub signature: String,
    pub content_type: String,
    pub raw: Vec<u8>,
}

impl Received {
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.raw).unwrap()
    }

    pub fn kind(&self) -> String {
        self.event()["type"].as_str().unwrap().to_owned()
    }
}

#[derive(Default)]
struct Inner {
    received: Vec<Received>,
    replies: VecDeque<Reply>,
}

pub struct Receiver {
    inner: Arc<Mutex<Inner>>,
    changes: watch::Sender<usize>,
    released: watch::Sender<bool>,
    handle: ServerHandle,
    pub url: String,
}

#[derive(Clone)]
struct Shared {
    inner: Arc<Mutex<Inner>>,
    changes: watch::Sender<usize>,
    released: watch::Sender<bool>,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::start_on(0).await
    }

    #[expect(clippy::unused_async, reason = "it must be called inside a runtime")]
    pub async fn start_on(port: u16) -> Self {
        let inner = Arc::new(Mutex::new(Inner::default()));
        let (changes, released) = (watch::Sender::new(0), watch::Sender::new(false));
        let shared = Shared { inner: Arc::clone(&inner), changes: changes.clone(), released: released.clone() };
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::new(shared.clone())).default_service(web::to(receive))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", port))
        .unwrap();
        let url = format!("http://{}/webhooks?from=sandbox", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { inner, changes, released, handle, url }
    }

    /// Answers the next webhooks with these replies, in order, and all later ones with 200.
    pub fn will(&self, replies: &[Reply]) {
        self.inner.lock().unwrap().replies.extend(replies.iter().cloned());
    }

    pub fn release(&self) {
        self.released.send_replace(true);
    }

    pub fn received(&self) -> Vec<Received> {
        self.inner.lock().unwrap().received.clone()
    }

    pub fn kinds(&self) -> Vec<String> {
        self.received().iter().map(Received::kind).collect()
    }

    /// Waits until the received webhooks satisfy the condition.
    pub async fn until(&self, is_so: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let mut changes = self.changes.subscribe();
        let waited = tokio::time::timeout(LIMIT, async {
            loop {
                changes.mark_unchanged();
                let received = self.received();
                if is_so(&received) {
                    return received;
                }
                changes.changed().await.unwrap();
            }
        });
        waited.await.unwrap_or_else(|_| panic!("received only {:?}", self.kinds()))
    }

    pub async fn until_kind(&self, kind: &str) -> Value {
        let found = |received: &[Received]| received.iter().find(|webhook| webhook.kind() == kind).cloned();
        let received = self.until(|received| found(received).is_some()).await;
        found(&received).unwrap().event()
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

async fn receive(request: HttpRequest, body: web::Bytes, shared: web::Data<Shared>) -> HttpResponse {
    let header =
        |name: &str| request.headers().get(name).map_or(String::new(), |value| value.to_str().unwrap().to_owned());
    let reply = {
        let mut inner = shared.inner.lock().unwrap();
        inner.received.push(Received {
            signature: header("stripe-signature"),
            content_type: header("content-type"),
            raw: body.to_vec(),
        });
        inner.replies.pop_front()
    };
    shared.changes.send_modify(|count| *count += 1);
    match reply.unwrap_or(Reply::Status(200)) {
        Reply::Status(status) => HttpResponse::build(StatusCode::from_u16(status).unwrap()).body("seen"),
        Reply::Redirect(to) => HttpResponse::Found().insert_header(("location", to)).finish(),
        Reply::Hang => {
            shared.released.subscribe().wait_for(|released| *released).await.unwrap();
            HttpResponse::Ok().finish()
        }
    }
}
