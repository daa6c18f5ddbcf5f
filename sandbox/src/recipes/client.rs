//! Sends one plain HTTP request and parses its JSON response.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// A request. `path` may have a query.
pub(super) struct Outgoing {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

/// Returns the status and the JSON body, or why there is none.
pub(super) async fn send(base_url: &str, secret_key: &str, outgoing: &Outgoing) -> Result<(u16, Value), String> {
    match tokio::time::timeout(TIMEOUT, exchange(base_url, secret_key, outgoing)).await {
        Ok(result) => result,
        Err(_) => Err("no answer within 30 seconds".to_owned()),
    }
}

async fn exchange(base_url: &str, secret_key: &str, outgoing: &Outgoing) -> Result<(u16, Value), String> {
    let url = Url::parse(base_url).map_err(|error| error.to_string())?;
    if url.scheme() != "http" {
        return Err("the base URL must begin with http://".to_owned());
    }
    let host = url.host_str().ok_or("the base URL has no host")?;
    let port = url.port_or_known_default().unwrap_or(80);
    // Strip the brackets of an IPv6 URL.
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((name, port)).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let connection = tokio::spawn(connection);
    let request = Request::builder()
        .method(outgoing.method)
        .uri(&outgoing.path)
        .header(header::HOST, format!("{host}:{port}"))
        .header(header::CONTENT_TYPE, outgoing.content_type)
        .header(header::AUTHORIZATION, format!("Bearer {secret_key}"))
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(outgoing.body.clone())))
        .map_err(|error| error.to_string())?;
    let answer = sender.send_request(request).await.map_err(|error| error.to_string());
    let result = match answer {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
            let bytes = body.map_err(|error| error.to_string())?.to_bytes();
            serde_json::from_slice(&bytes)
                .map(|body| (status, body))
                .map_err(|_| format!("status {status} without JSON"))
        }
        Err(error) => Err(error),
    };
    connection.abort();
    result
}
