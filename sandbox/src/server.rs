//! Starts and stops a sandbox inside the caller's tokio runtime.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn, web};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::{
    config::{Config, StartError},
    delivery,
    engine::{Engine, Setup},
    http,
    model::{State, ids::IdSource, version::DEFAULT_API_VERSION},
    persist,
};

const WORKERS: usize = 2;
const SHUTDOWN_SECONDS: u64 = 2;

/// A running sandbox. Dropping it also stops it, without waiting.
pub struct Sandbox {
    engine: Arc<Engine>,
    handle: ServerHandle,
    server: Option<JoinHandle<io::Result<()>>>,
    deliveries: Option<JoinHandle<()>>,
    saving: Option<JoinHandle<()>>,
}

impl Sandbox {
    /// Starts a sandbox. It is listening when this returns.
    ///
    /// # Errors
    /// If the configuration is refused, the address is in use, or the state file cannot be used.
    pub async fn start(config: Config) -> Result<Sandbox, StartError> {
        config.check()?;
        let state = match &config.state_file {
            Some(path) => load(path.clone()).await?,
            None => State::default(),
        };
        let (listener, address) = listen(config.bind)?;
        let engine = Arc::new(Engine::new(Setup {
            ids: match config.seed {
                Some(seed) => IdSource::from_number(seed),
                None => IdSource::seeded(random_seed()?),
            },
            state,
            address,
            secret_key: config.secret_key,
            retry: config.retry,
            redirect_wait: config.redirect_wait,
            state_file: config.state_file.clone(),
        }));
        engine.run(None, DEFAULT_API_VERSION, |state, context| {
            for endpoint in &config.webhook_endpoints {
                state.ensure_endpoint(context, endpoint);
            }
        });
        engine.with(|core| {
            for standby in config.webhook_endpoints.iter().filter(|endpoint| endpoint.standby) {
                let known = core.state.endpoints.iter().find(|endpoint| endpoint.url == standby.url);
                if let Some(id) = known.map(|endpoint| endpoint.id.clone()) {
                    core.receivers.put_on_standby(&id);
                }
            }
        });
        if let Some(path) = config.state_file {
            first_save(&engine, path).await?;
        }
        let shared = web::Data::from(Arc::clone(&engine));
        let server = HttpServer::new(move || {
            App::new().app_data(shared.clone()).wrap(from_fn(http::guard::loopback_only)).configure(http::routes)
        })
        .workers(WORKERS)
        .disable_signals()
        .shutdown_timeout(SHUTDOWN_SECONDS)
        .listen(listener)
        .map_err(|source| StartError::Listen { address, source })?
        .run();
        let handle = server.handle();
        let saver = Arc::clone(&engine);
        Ok(Sandbox {
            handle,
            server: Some(tokio::spawn(server)),
            deliveries: Some(tokio::spawn(delivery::run(Arc::clone(&engine)))),
            saving: Some(tokio::spawn(async move { saver.keep_saving().await })),
            engine,
        })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.engine.address
    }

    /// The base URL for a Stripe client, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.engine.base_url().to_owned()
    }

    /// Stops the sandbox: refuses new requests, finishes running ones, releases held ones and saves the state.
    ///
    /// Pending webhooks are in the state file and are delivered after the next start.
    pub async fn stop(mut self) {
        self.engine.stopping.send_replace(true);
        self.handle.stop(true).await;
        for task in [self.deliveries.take(), self.saving.take()].into_iter().flatten() {
            task.await.ok();
        }
        if let Some(server) = self.server.take() {
            server.await.ok();
        }
        self.engine.save_at_the_end().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.engine.stopping.send_replace(true);
        if self.server.is_some() {
            // The call itself sends the command; the future would only wait for the end.
            drop(self.handle.stop(false));
        }
    }
}

fn listen(bind: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(bind),
        _ => StartError::Listen { address: bind, source },
    };
    let listener = TcpListener::bind(bind).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

/// The sandbox's only source of randomness: every id of a run derives from this seed.
#[expect(clippy::disallowed_methods, reason = "the one place that asks the operating system")]
fn random_seed() -> Result<[u8; 32], StartError> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(|_| StartError::NoRandomness)?;
    Ok(seed)
}

async fn load(path: PathBuf) -> Result<State, StartError> {
    let shown = path.clone();
    spawn_blocking(move || persist::load(&path))
        .await
        .unwrap_or_else(|error| Err(StartError::StateFile { path: shown, reason: error.to_string() }))
}

/// Saves once at the start, so that a file that is not writable is found before data is lost.
async fn first_save(engine: &Engine, path: PathBuf) -> Result<(), StartError> {
    engine.save_now().await.map_err(|error| StartError::StateFile { path, reason: error.to_string() })
}
