//! An issuer's web server: answers every path as the test requires, and counts requests.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::stream;
use tokio::sync::watch;

/// How long a test waits for an expected event before it fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the server sends.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    body: String,
    location: Option<&'static str>,
    is_streamed: bool,
    is_held: bool,
}

impl Answer {
    pub(crate) fn ok(body: String) -> Self {
        Self { body, ..Self::status(200) }
    }

    pub(crate) fn status(status: u16) -> Self {
        Self { status, body: String::new(), location: None, is_streamed: false, is_held: false }
    }

    pub(crate) fn redirect(location: &'static str) -> Self {
        Self { location: Some(location), ..Self::status(302) }
    }

    /// Sends the body in pieces, without announcing its length.
    pub(crate) fn streamed(self) -> Self {
        Self { is_streamed: true, ..self }
    }

    /// Sends nothing before [`Server::release`].
    pub(crate) fn held(self) -> Self {
        Self { is_held: true, ..self }
    }
}

/// Stops when dropped.
pub(crate) struct Server {
    port: u16,
    shared: Arc<Shared>,
    handle: ServerHandle,
}

struct Shared {
    answer: Mutex<Answer>,
    paths: watch::Sender<Vec<String>>,
    is_released: watch::Sender<bool>,
}

impl Server {
    pub(crate) fn start(answer: Answer) -> Self {
        let shared = Arc::new(Shared {
            answer: Mutex::new(answer),
            paths: watch::Sender::new(Vec::new()),
            is_released: watch::Sender::new(false),
        });
        let data = Arc::clone(&shared);
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::from(Arc::clone(&data))).default_service(web::to(respond))
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let port = server.addrs()[0].port();
        let running = server.run();
        let handle = running.handle();
        actix_web::rt::spawn(running);
        Self { port, shared, handle }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/jwks.json", self.port)
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    pub(crate) fn release(&self) {
        self.shared.is_released.send_replace(true);
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.paths.borrow().len()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.shared.paths.borrow().clone()
    }

    pub(crate) async fn wait_for_requests(&self, number: usize) {
        let mut paths = self.shared.paths.subscribe();
        let arrived = paths.wait_for(|paths| paths.len() >= number);
        tokio::time::timeout(PATIENCE, arrived).await.unwrap().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.release();
        drop(self.handle.stop(false));
    }
}

async fn respond(request: HttpRequest, shared: web::Data<Shared>) -> HttpResponse {
    shared.paths.send_modify(|paths| paths.push(request.path().to_owned()));
    let answer = shared.answer.lock().unwrap().clone();
    if answer.is_held {
        shared.is_released.subscribe().wait_for(|is_released| *is_released).await.unwrap();
    }
    let mut response = HttpResponse::build(StatusCode::from_u16(answer.status).unwrap());
    if let Some(location) = answer.location {
        response.insert_header(("location", location));
    }
    if !answer.is_streamed {
        return response.body(answer.body);
    }
    let pieces = answer.body.as_bytes().chunks(10_000).map(web::Bytes::copy_from_slice).collect::<Vec<_>>();
    response.streaming(stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>)))
}
