//! The web server: its routes, its middleware, and the limits on its connections.

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_service::map_config;
use actix_web::dev::{AppConfig, Server};
use actix_web::middleware::from_fn;
use actix_web::{App as WebApp, web};

use super::{Environment, StartError};
use crate::config::Config;
use crate::http;
use crate::http::documentation;
use crate::http::kit::connections::{ConnectionService, ConnectionTimes, Connections, Stream};
use crate::http::kit::middleware::{KnownRoutes, cors, log_request, no_route, security_headers};
use crate::http::state::HttpState;
use crate::system::raise_open_files;

/// How long a closing connection waits for the client's last bytes.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Open files reserved for other purposes than clients: the database, Stripe, the log, the runtime. Another sixteenth
/// of all files is reserved for connections that wait to be admitted or dropped.
const FILES_KEPT: u64 = 96;
/// At least this many connections are allowed, however few open files there are.
const FEWEST_CONNECTIONS: u64 = 16;
/// How long a graceful stop waits for running requests; longer than any request may take.
const STOP_TIMEOUT_SECONDS: u64 = 35;

/// The limits on client connections: as configured, but never more than the open files allow.
fn connections(config: &Config, times: ConnectionTimes) -> Arc<Connections> {
    let files = raise_open_files();
    let for_clients = files.saturating_sub(FILES_KEPT).saturating_sub(files / 16).max(FEWEST_CONNECTIONS);
    let wanted = config.max_connections.map_or(for_clients, |wanted| u64::from(wanted.get()));
    if wanted > for_clients {
        let hint = "raise the limit of open files (ulimit -n) or lower MAX_CONNECTIONS";
        tracing::warn!(wanted, possible = for_clients, files, hint, "not enough open files for MAX_CONNECTIONS");
    }
    let max = usize::try_from(wanted.min(for_clients)).unwrap_or(usize::MAX);
    Arc::new(Connections::new(max, times, config.trusted_proxies.clone()))
}

/// Builds the server on this listener and starts it.
///
/// # Errors
/// When it cannot listen.
pub(super) fn build_server(
    config: &Config,
    listener: TcpListener,
    state: web::Data<HttpState>,
    environment: &Environment,
) -> Result<Server, StartError> {
    let mut document = documentation::document();
    document.servers = Some(vec![utoipa::openapi::Server::new(config.public_url.as_str())]);
    let known = web::Data::new(KnownRoutes::new(&document));
    let pages = web::Data::new(documentation::Documentation::new(&document));
    let allowed_headers = config.allowed_headers.clone();
    let (origins, is_https) = (config.allowed_origins.clone(), config.public_url.starts_with("https://"));
    let has_console = config.console.is_on;
    #[cfg(feature = "dev")]
    let demo = environment.demo.clone();
    let app = move || {
        let app = WebApp::new().configure(http::routes::served);
        let app = app.app_data(state.clone()).app_data(known.clone());
        let app = app.configure(|config| documentation::documentation_routes(config, &pages));
        let app = app.configure(http::elements::routes);
        let app = if has_console { app.configure(http::console::routes) } else { app };
        #[cfg(feature = "dev")]
        let app = app.configure(|config| http::demo::routes(config, demo.as_ref()));
        let app = app.default_service(web::route().to(no_route));
        #[cfg(feature = "dev")]
        let app = app.wrap(from_fn(http::demo::refuse_foreign_hosts));
        app.wrap(cors(&origins, &allowed_headers)).wrap(security_headers(is_https)).wrap(from_fn(log_request))
    };
    let connections = connections(config, environment.connection_times);
    tokio::spawn(connections.clone().keep_bounded());
    let workers =
        environment.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, NonZeroUsize::get));
    let server = Server::build();
    let stopping = server.graceful_shutdown_signal();
    // The web server's own limit is slightly higher: it stops accepting, while ours lets the longest waiting give way.
    let per_worker = connections.max().div_ceil(workers).saturating_add(16);
    let server = server.workers(workers).max_concurrent_connections(per_worker).disable_signals();
    let server = server.shutdown_timeout(STOP_TIMEOUT_SECONDS).listen("topup", listener, move || {
        let (times, stopping) = (connections.times(), stopping.clone());
        let stopping = move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        };
        let http = HttpService::<Stream, _, _>::build()
            .graceful_shutdown_signal(stopping)
            .keep_alive(times.idle)
            .client_request_timeout(times.head)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .on_connect_ext(|stream: &Stream, extensions| {
                extensions.insert(stream.connection());
            });
        ConnectionService::new(http.finish(map_config(app(), |()| AppConfig::default())), connections.clone())
    });
    Ok(server.map_err(StartError::Server)?.run())
}
