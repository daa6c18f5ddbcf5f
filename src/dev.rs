//! `topup dev`: the sandbox, the service and a demo page, started from nothing, without settings or a network.
//!
//! Reads no `.env`, no `DATABASE_URL` and no `STRIPE_*`, so that it never touches anything real. Keeps all data in one
//! folder of its own, which is the only thing that `--fresh` deletes. Listens on loopback.

use std::fs::{self, File, TryLockError};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use stripe_sandbox::{Sandbox, TEST_CARDS};
use url::Url;

use crate::access::api_keys::{self, CreateApiKeyError, KeyHash, Scope};
use crate::config::{Config, ConfigErrors, Source};
use crate::db::{Db, StoreError};
use crate::domain::account::AccountId;
use crate::domain::redirect::AllowedOrigin;
use crate::http::demo::product::{NoClient, Topup};
use crate::http::demo::sandbox::Controls;
use crate::http::demo::{DEMO_ACCOUNT, DEMO_PLANS, Demo};
use crate::plans::apply_plans::{ApplyPlansError, apply_plans};
use crate::plans::plan_file::{InvalidPlans, read_plans};
use crate::ports::IdGenerator;
use crate::startup::{Application, Environment, StartError, listen};

/// The file that `--fresh` requires in a folder before it deletes anything.
const MARKER: &str = "topup-dev.txt";
const MARKER_TEXT: &str = "The data of `topup dev`. `topup dev --fresh` deletes the files in this folder.\n";

/// How long the sandbox's page waits for a slow webhook endpoint. Stripe waits ten seconds, which is too long for a
/// demo.
const REDIRECT_WAIT: Duration = Duration::from_secs(2);

/// The cards named in the welcome text; the sandbox's pages list all of them.
const CARDS_TO_TRY: [&str; 5] =
    ["4242424242424242", "4000000000000002", "4000000000009995", "4000000000003220", "4000002500003155"];

/// The options of `topup dev`.
#[derive(Debug, Clone)]
pub struct DevOptions {
    /// The folder for all data.
    pub folder: PathBuf,
    /// Whether to delete the folder's content first.
    pub fresh: bool,
    /// The service's port; 0 for any free one.
    pub port: u16,
    /// The sandbox's port; 0 for any free one.
    pub sandbox_port: u16,
    /// The port of a `topup serve` beside it; 0 for any free one, `None` for the one after the service's.
    pub serve_port: Option<u16>,
    /// The developer's own pages, which may call the service and to which customers may return.
    pub origins: Vec<AllowedOrigin>,
}

/// Why `topup dev` does not start. Each message says how to fix it.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// The folder cannot be used.
    #[error("cannot use the folder {}: {source}; choose another one with --data-dir", .folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// The folder contains other files, which `--fresh` would delete.
    #[error("{} holds files that are not of `topup dev`; choose another folder with --data-dir", .0.display())]
    NotOurs(PathBuf),
    /// Another `topup dev` uses the folder.
    #[error("another `topup dev` uses {}; stop it, or choose another folder with --data-dir", .0.display())]
    InUse(PathBuf),
    /// The stored secrets cannot be read.
    #[error("{} is damaged; start anew with --fresh", .0.display())]
    Damaged(PathBuf),
    /// The sandbox does not start.
    #[error("the Stripe sandbox does not start: {0}")]
    Sandbox(#[from] stripe_sandbox::StartError),
    /// The service does not start.
    #[error(transparent)]
    Service(#[from] StartError),
    /// The generated settings are invalid: a bug in this program.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The database cannot be created.
    #[error("the database in the data folder cannot be used; start anew with --fresh")]
    Database(#[from] StoreError),
    /// The demo's token cannot be signed.
    #[error("the demo's token cannot be signed")]
    Token(#[from] jsonwebtoken::errors::Error),
    /// The API key of the demo's server cannot be created.
    #[error("the demo's API key cannot be created")]
    Key(#[from] CreateApiKeyError),
    /// The HTTP client of the demo's server cannot be created.
    #[error(transparent)]
    Client(#[from] NoClient),
    /// The demo's plans are invalid: a bug in this program.
    #[error(transparent)]
    Plans(#[from] InvalidPlans),
    /// The demo's plans cannot be sold.
    #[error("the demo's plans cannot be made: {0}; start anew with --fresh")]
    PlansNotApplied(#[from] ApplyPlansError),
}

/// Created at the first start and stored, so that tokens and signatures survive a restart.
#[derive(Serialize, Deserialize)]
struct Secrets {
    stripe_secret_key: String,
    webhook_secret: String,
    jwt_secret: String,
    /// The API key of the demo's server, which spends. `None` before the first start.
    #[serde(default)]
    server_key: Option<String>,
    /// The API key with which the demo page signs in to the console. `None` before the first start.
    #[serde(default)]
    console_key: Option<String>,
}

/// An API key of the demo.
#[derive(Debug, Clone, Copy)]
enum DemoKey {
    /// Of the product's server.
    Server,
    /// Of the operator.
    Console,
}

impl DemoKey {
    const fn name(self) -> &'static str {
        match self {
            Self::Server => "demo",
            Self::Console => "demo console",
        }
    }

    const fn scopes(self) -> &'static [Scope] {
        match self {
            Self::Server => &[Scope::Spend, Scope::Read],
            Self::Console => &[Scope::Admin],
        }
    }

    fn stored(self, secrets: &mut Secrets) -> &mut Option<String> {
        match self {
            Self::Server => &mut secrets.server_key,
            Self::Console => &mut secrets.console_key,
        }
    }
}

/// The running sandbox and service.
pub struct Dev {
    sandbox: Sandbox,
    application: Application,
    folder: PathBuf,
    token: String,
    /// The API key that the sandbox accepts.
    stripe_secret_key: String,
    /// The API key of the demo's server.
    server_key: String,
    /// The settings of a `topup serve` beside it, as lines of a `.env`.
    serve_env: String,
    // Held while the folder is in use.
    _lock: File,
}

impl Dev {
    /// Starts the sandbox and the service.
    ///
    /// # Errors
    /// See [`DevError`].
    pub async fn start(options: DevOptions, environment: Environment) -> Result<Self, DevError> {
        let folder = options.folder.clone();
        let lock = prepare_folder(&options)?;
        let mut secrets = load_secrets(&folder, environment.ids.as_ref())?;
        // Bind the service's port first, because the sandbox must know where to deliver.
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = listen(loopback(options.port))?;
        let address = listener.local_addr().map_err(StartError::Server)?;
        let beside = match options.serve_port {
            Some(0) => listen(loopback(0))?.local_addr().map_err(StartError::Server)?,
            Some(port) => loopback(port),
            None => loopback(address.port().checked_add(1).unwrap_or(1024)),
        };
        let sandbox = start_sandbox(&folder, loopback(options.sandbox_port), &secrets, address, beside).await?;
        let config = config(&options, &secrets, address, &sandbox.url())?;
        Db::connect(config.database_url.expose_secret(), true).await?.migrate_and_close().await?;
        let server_key = demo_key(&folder, &config, &mut secrets, &environment, DemoKey::Server).await?;
        let console_key = demo_key(&folder, &config, &mut secrets, &environment, DemoKey::Console).await?;
        let serve_env = serve_env(&secrets, &sandbox.url(), beside);
        let demo = Demo {
            jwt_secret: SecretString::from(secrets.jwt_secret.as_str()),
            sandbox: sandbox.url(),
            controls: Controls::new(sandbox.url())?,
            pricing: config.pricing.clone(),
            topup: Topup::new(format!("http://{address}"), SecretString::from(server_key.as_str()))?,
            console_key: Some(SecretString::from(console_key)),
        };
        let account = AccountId::parse(DEMO_ACCOUNT).map_err(|error| io::Error::other(error.to_string()));
        let account = account.map_err(|source| DevError::Folder { folder: folder.clone(), source })?;
        let token = demo.token(&account, environment.clock.now_ms())?;
        let environment = Environment { demo: Some(demo), ..environment };
        let application = Application::build(config, listener, environment).await?;
        apply_plans(&application.app(), &read_plans(DEMO_PLANS)?, false).await?;
        let stripe_secret_key = secrets.stripe_secret_key;
        Ok(Self { sandbox, application, folder, token, stripe_secret_key, server_key, serve_env, _lock: lock })
    }

    /// The URL of the demo page.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.application.address())
    }

    /// The text to print after the start.
    #[must_use]
    pub fn welcome(&self) -> String {
        let (url, sandbox) = (self.url(), self.sandbox.url());
        let to_try = TEST_CARDS.iter().filter(|card| CARDS_TO_TRY.contains(&card.number));
        let cards: Vec<String> = to_try.map(|card| format!("    {:<22}{}", spaced(card.number), card.what)).collect();
        let cards = cards.join("\n");
        let (token, key, serve_env) = (&self.token, &self.stripe_secret_key, &self.serve_env);
        let (folder, server_key) = (self.folder.display(), &self.server_key);
        format!(
            "\nTopup is running with a Stripe sandbox. No money moves.\n\n  \
             Demo      {url}/\n  Console   {url}/console (the demo page signs in)\n  API docs  {url}/docs\n  Sandbox   {sandbox}/\n  Controls  {sandbox}/_sandbox\n  Its key   {key}\n\n  \
             Cards to try (any future date, any CVC)\n{cards}\n\n  \
             Open a checkout from the command line\n\n\
             curl -s -X POST {url}/credits/sessions -H 'Authorization: Bearer {token}' \
             -H 'Content-Type: application/json' \
             -d '{{\"credits\":250,\"successUrl\":\"{url}/?session_id={{CHECKOUT_SESSION_ID}}\"}}'\n\n  \
             Spend some of the demo customer's credits\n\n\
             curl -s {url}/accounts/{DEMO_ACCOUNT}/credits/debits -H 'x-api-key: {server_key}' \
             -H 'Idempotency-Key: my-first-work' -H 'Content-Type: application/json' -d '{{\"credits\":5}}'\n\n  \
             Run `topup serve` beside it, on the same sandbox: save these lines as .env in another folder, and run\n  \
             `topup migrate` and `topup serve` there\n\n\
             {serve_env}\n  \
             Send the sandbox's webhooks to a program of your own (the answer has the signing secret)\n\n\
             curl -s {sandbox}/v1/webhook_endpoints -u {key}: -d url=http://127.0.0.1:3000/webhooks \
             -d 'enabled_events[]=*'\n\n  \
             Data in   {folder} (start anew with --fresh)\n  Stop with Ctrl-C\n\n"
        )
    }

    /// Serves until `stop` completes, then stops everything in order.
    ///
    /// # Errors
    /// When the web server fails.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> Result<(), DevError> {
        let result = self.application.run_until_stopped(stop).await;
        self.sandbox.stop().await;
        Ok(result?)
    }
}

fn spaced(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

fn prepare_folder(options: &DevOptions) -> Result<File, DevError> {
    let folder = &options.folder;
    let failed = |source| DevError::Folder { folder: folder.clone(), source };
    let exists = folder.exists();
    let is_empty = !exists || fs::read_dir(folder).map_err(failed)?.next().is_none();
    if !is_empty && !folder.join(MARKER).is_file() {
        return Err(DevError::NotOurs(folder.clone()));
    }
    fs::create_dir_all(folder).map_err(failed)?;
    let lock = take_lock(folder)?;
    if options.fresh {
        // Keep the lock file, which is locked.
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_file() && !path.ends_with("lock") {
                fs::remove_file(path).map_err(failed)?;
            }
        }
    }
    fs::write(folder.join(MARKER), MARKER_TEXT).map_err(failed)?;
    Ok(lock)
}

fn take_lock(folder: &Path) -> Result<File, DevError> {
    let failed = |source| DevError::Folder { folder: folder.to_owned(), source };
    // The marker is written before the lock file, so that a start that dies in between leaves a recognisable folder.
    fs::write(folder.join(MARKER), MARKER_TEXT).map_err(failed)?;
    let lock = File::create(folder.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(DevError::InUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn load_secrets(folder: &Path, ids: &dyn IdGenerator) -> Result<Secrets, DevError> {
    let path = folder.join("secrets.json");
    let failed = |source| DevError::Folder { folder: folder.to_owned(), source };
    if path.exists() {
        let text = fs::read_to_string(&path).map_err(failed)?;
        return serde_json::from_str(&text).map_err(|_| DevError::Damaged(path));
    }
    let random = || ids.secret_bytes().map(hex::encode).map_err(failed);
    let secrets = Secrets {
        stripe_secret_key: format!("sk_test_sandbox{}", random()?),
        webhook_secret: format!("whsec_{}", random()?),
        jwt_secret: random()?,
        server_key: None,
        console_key: None,
    };
    store_secrets(folder, &secrets)?;
    Ok(secrets)
}

fn store_secrets(folder: &Path, secrets: &Secrets) -> Result<(), DevError> {
    let failed = |source| DevError::Folder { folder: folder.to_owned(), source };
    let text = serde_json::to_string_pretty(secrets).map_err(|error| failed(io::Error::other(error)))?;
    let (temporary, path) = (folder.join("secrets.json.new"), folder.join("secrets.json"));
    write_private(&temporary, &text).and_then(|()| fs::rename(&temporary, &path)).map_err(failed)
}

/// An API key of the demo. It is created once, and again if the database does not know it.
async fn demo_key(
    folder: &Path,
    config: &Config,
    secrets: &mut Secrets,
    environment: &Environment,
    which: DemoKey,
) -> Result<String, DevError> {
    let db = Db::connect(config.database_url.expose_secret(), false).await?;
    let stored = which.stored(secrets).clone().and_then(|key| Some((KeyHash::of_presented(&key)?, key)));
    if let Some((hash, key)) = stored
        && api_keys::find(&db, &hash).await?.is_some()
    {
        db.close().await;
        return Ok(key);
    }
    let (ids, clock) = (environment.ids.as_ref(), environment.clock.as_ref());
    let key = api_keys::create(&db, ids, clock, which.name(), which.scopes(), None).await?;
    db.close().await;
    let key = key.secret.expose_secret().to_owned();
    *which.stored(secrets) = Some(key.clone());
    store_secrets(folder, secrets)?;
    Ok(key)
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    io::Write::write_all(&mut options.open(path)?, text.as_bytes())
}

async fn start_sandbox(
    folder: &Path,
    bind: SocketAddr,
    secrets: &Secrets,
    service: SocketAddr,
    beside: SocketAddr,
) -> Result<Sandbox, DevError> {
    let mut config = stripe_sandbox::Config::local(secrets.stripe_secret_key.as_str())
        .with_webhook(webhook_url(service), secrets.webhook_secret.as_str())
        .with_standby_webhook(webhook_url(beside), secrets.webhook_secret.as_str());
    config.bind = bind;
    config.redirect_wait = REDIRECT_WAIT;
    config.state_file = Some(folder.join("sandbox.json"));
    Ok(Sandbox::start(config).await?)
}

fn webhook_url(service: SocketAddr) -> String {
    format!("http://{service}/webhooks/stripe")
}

/// The settings with which `topup serve` on this address uses the same sandbox.
fn serve_env(secrets: &Secrets, sandbox: &str, address: SocketAddr) -> String {
    let (key, webhook_secret) = (&secrets.stripe_secret_key, &secrets.webhook_secret);
    format!(
        "STRIPE_API_BASE={sandbox}\nSTRIPE_SECRET_KEY={key}\nSTRIPE_WEBHOOK_SECRET={webhook_secret}\n\
         BIND_ADDRESS={address}\nDATABASE_URL=sqlite:topup-sandbox.db\nALLOWED_ORIGINS=http://localhost:3000\n\
         WEBHOOK_ALLOWED_NETWORKS=127.0.0.0/8,::1\n"
    )
}

fn config(options: &DevOptions, secrets: &Secrets, address: SocketAddr, sandbox: &str) -> Result<Config, DevError> {
    let mut origins = format!("http://{address},http://localhost:{}", address.port());
    for origin in &options.origins {
        origins = format!("{origins},{origin}");
    }
    let folder = &options.folder;
    let database = database_url(folder).map_err(|source| DevError::Folder { folder: folder.clone(), source })?;
    let address = address.to_string();
    let settings = [
        ("BIND_ADDRESS", address.as_str()),
        ("DATABASE_URL", database.as_str()),
        ("STRIPE_SECRET_KEY", secrets.stripe_secret_key.as_str()),
        ("STRIPE_WEBHOOK_SECRET", secrets.webhook_secret.as_str()),
        ("STRIPE_API_BASE", sandbox),
        ("JWT_SECRET", secrets.jwt_secret.as_str()),
        ("ALLOWED_ORIGINS", origins.as_str()),
        ("WEBHOOK_ALLOWED_NETWORKS", "127.0.0.0/8,::1"),
        ("CONSOLE", "on"),
        ("SAVED_CARDS", "on"),
        ("AUTO_TOPUP", "on"),
    ];
    Ok(Config::load(&settings.into_iter().collect::<Source>())?)
}

/// The database URL for a folder, whose name may have characters with a meaning in URLs.
fn database_url(folder: &Path) -> io::Result<String> {
    let path = fs::canonicalize(folder)?.join("topup.db");
    let url = Url::from_file_path(&path).map_err(|()| io::Error::other("it has no absolute path"))?;
    Ok(format!("sqlite://{}", url.path()))
}
