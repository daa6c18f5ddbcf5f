//! Refuses requests forged by a web page: the Host header must name this machine (DNS rebinding), and a request that
//! changes something must not come from another origin (CSRF).

use std::net::IpAddr;

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::Next,
};

/// The middleware that does this.
pub(crate) async fn loopback_only<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(refusal) = refusal(&request) {
        let answer = HttpResponse::Forbidden().content_type("text/plain; charset=utf-8").body(refusal);
        return Ok(request.into_response(answer));
    }
    next.call(request).await.map(ServiceResponse::map_into_boxed_body)
}

fn refusal(request: &ServiceRequest) -> Option<&'static str> {
    let text = |name: header::HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    // HTTP/1.0 has no Host header; browsers always send one.
    let host = text(header::HOST)?;
    if !is_loopback(host) {
        return Some("The sandbox answers only requests whose Host is this machine (localhost, 127.0.0.1, [::1]).");
    }
    let foreign = text(header::ORIGIN).is_some_and(|origin| origin.strip_prefix("http://") != Some(host));
    (foreign && !request.method().is_safe()).then_some("The sandbox does not take requests from other pages.")
}

/// Whether a Host header names this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_names_of_this_machine_are_loopback() {
        for host in ["localhost", "LOCALHOST:80", "127.0.0.1:12111", "127.1.2.3", "[::1]:8080", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["example.com", "localhost.example.com:80", "127.0.0.1.example.com", "192.168.0.1", "", "10.0.0.1:80"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
