//! An external web server that returns a fixed answer to every request, and counts requests.

use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, HttpServer, web};

struct Shared {
    answer: Mutex<(u16, String)>,
    requests: Mutex<usize>,
}

/// Stops when dropped.
pub struct FixedServer {
    /// Its URL, without a trailing slash.
    pub url: String,
    shared: Arc<Shared>,
    handle: ServerHandle,
}

impl FixedServer {
    /// Answers with this status and body.
    pub fn start(status: u16, body: impl Into<String>) -> Self {
        let shared = Arc::new(Shared { answer: Mutex::new((status, body.into())), requests: Mutex::new(0) });
        let data = Arc::clone(&shared);
        let server = HttpServer::new(move || {
            App::new().app_data(web::Data::from(Arc::clone(&data))).default_service(web::to(respond))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("http://{}", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { url, shared, handle }
    }

    /// Changes the answer to this status and body.
    pub fn answer(&self, status: u16, body: impl Into<String>) {
        *self.shared.answer.lock().expect("no panic") = (status, body.into());
    }

    /// How many requests it got.
    pub fn requests(&self) -> usize {
        *self.shared.requests.lock().expect("no panic")
    }
}

impl Drop for FixedServer {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn respond(shared: web::Data<Shared>) -> HttpResponse {
    *shared.requests.lock().expect("no panic") += 1;
    let (status, body) = shared.answer.lock().expect("no panic").clone();
    HttpResponse::build(StatusCode::from_u16(status).expect("a status")).content_type("application/json").body(body)
}
