//! The running whole: every part started in the order in which one needs another, wired together, and
//! stopped without a trace.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use dynoxide::Database;
use lambda_gateway::{Gateway, GatewayConfig, OperatorKeys, ScheduleError, Template};
use portone_simulator::Simulator;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    bus::Bus,
    catalogue,
    console::{self, Console},
    data::DataFolder,
    docs,
    dynamodb::DynamoDb,
    iam::Roles,
    issuer::{self, Issuer},
    objects::{self, Objects},
    operator::{self, SignIn},
    options::{InitialSecret, Operators, Products, StackOptions},
    pipe::{DeadLetter, RunningPipe},
    portone,
    ports::{self, Ports},
    secret::{self, SECRET_ID},
    secrets_manager::SecretsManager,
    shop,
    wire::{Backend, Call, Hook, Mark, Wire},
};

/// A local system. Dropping it kills the functions; [`Stack::shutdown`] also waits for that.
pub struct Stack {
    gateway: Arc<Gateway>,
    bus: Bus,
    pipe: Arc<OnceLock<RunningPipe>>,
    stopping: watch::Sender<bool>,
    simulator: Simulator,
    dynamodb: DynamoDb,
    dynamodb_url: String,
    secrets_manager: SecretsManager,
    objects: Objects,
    issuer: Option<Issuer>,
    secret: tokio::sync::Mutex<Option<String>>,
    wires: BTreeMap<Backend, Wire>,
    epoch: Instant,
    data: Option<DataFolder>,
}

impl Stack {
    /// Starts everything but the functions, which start when they are first invoked. Any number of systems
    /// may run side by side on free ports.
    pub async fn start(options: StackOptions) -> anyhow::Result<Self> {
        let epoch = Instant::now();
        let ports = Ports::bind(options.base_port).await?;
        let data = options.data.as_deref().map(|path| DataFolder::open(path, options.fresh)).transpose()?;
        let secret = initial_secret(&options.secret, data.as_ref())?;

        let url = address(&ports.shop_and_api)?;
        let origins = format!("{url},{}", url.replace("127.0.0.1", "localhost"));
        let mut overrides = BTreeMap::from([
            ("AllowedOrigins".to_owned(), origins.clone()),
            ("PortoneSecretId".to_owned(), SECRET_ID.to_owned()),
        ]);
        let issuer = match options.operators {
            Operators::Keys => None,
            Operators::Tokens => Some(Issuer::new(&url)?),
        };
        if let Some(issuer) = &issuer {
            overrides.insert("JwtIssuer".to_owned(), issuer.url());
            overrides.insert("JwtAudience".to_owned(), issuer::AUDIENCE.to_owned());
        }
        let template = Template::read(&options.root.join("template.yaml"), &overrides)?;

        let table = template.table().context("template.yaml has no table")?.clone();
        let table = if options.stream { table } else { table.without_stream() };
        let (dynamodb_url, dynamodb) = match &options.dynamodb {
            Some(url) => (url.trim_end_matches('/').to_owned(), DynamoDb::elsewhere(url, &table)?),
            None => {
                let url = address(&ports.dynamodb)?;
                (url, DynamoDb::start(ports.dynamodb, data.as_ref().map(DataFolder::path), &table)?)
            }
        };
        load_products(&dynamodb, &options)?;

        let secrets_manager_url = address(&ports.secrets_manager)?;
        let secrets_manager = SecretsManager::start(ports.secrets_manager);
        let secrets_manager_direct = secrets_manager_url.clone();
        if let Some(secret) = &secret {
            secrets_manager.create(SECRET_ID, secret).await?;
        }

        let objects = ports::free().await?;
        let objects_url = address(&objects)?;
        let folder = data.as_ref().map(|data| data.file(objects::FOLDER));
        let objects = Objects::start(objects, folder, template.buckets())?;

        let known: Value =
            secret.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let state = data.as_ref().map(|data| data.file("portone.json"));
        let config = portone::config(&options, &known, &url, state);
        let (store_id, channel_key) = portone::shop_channel(&config, options.payment_mode)?;
        let simulator = portone::start(ports.simulator, ports.simulator_v1, config).await?;

        let roles = Roles::new(&template, table, options.roles_record.as_deref())?;
        let roles = roles.of_a_table_called(dynamodb.table());
        let roles = Arc::new(roles);
        let mut wires = BTreeMap::new();
        for (backend, upstream) in [
            (Backend::DynamoDb, dynamodb_url.clone()),
            (Backend::SecretsManager, secrets_manager_url),
            (Backend::S3, objects_url),
            (Backend::Portone, simulator.url().to_owned()),
            (Backend::PortoneV1, simulator.v1_url().to_owned()),
        ] {
            wires.insert(
                backend,
                Wire::start(backend, ports::free().await?, upstream, epoch, Some(roles.clone()))?,
            );
        }

        let wire = |backend: Backend| wires[&backend].url().to_owned();
        let mut platform_environment = BTreeMap::from(
            [
                ("AWS_ENDPOINT_URL_DYNAMODB", wire(Backend::DynamoDb)),
                ("AWS_ENDPOINT_URL_SECRETS_MANAGER", wire(Backend::SecretsManager)),
                ("AWS_ENDPOINT_URL_S3", wire(Backend::S3)),
                ("PORTONE_API_BASE", wire(Backend::Portone)),
                ("PORTONE_V1_API_BASE", wire(Backend::PortoneV1)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        platform_environment.extend(options.extra_env.clone());
        let environment = BTreeMap::from(
            [
                ("TABLE_NAME", dynamodb.table()),
                ("PORTONE_SECRET_ID", SECRET_ID),
                ("PORTONE_STORE_ID", &store_id),
                ("PORTONE_CHANNEL_KEY", &channel_key),
                ("PAYMENT_MODE", options.payment_mode.as_str()),
                ("ALLOWED_ORIGINS", &origins),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        // Past the wires: who looks from outside is not counted among the functions' calls.
        let mut told = environment.clone();
        told.extend(options.extra_env.clone());
        told.insert("PORTONE_API_BASE".to_owned(), simulator.url().to_owned());
        told.insert("PORTONE_V1_API_BASE".to_owned(), simulator.v1_url().to_owned());
        let system = json!({
            "environment": told,
            "endpoints": { "dynamodb": &dynamodb_url, "secretsManager": secrets_manager_direct },
        });
        let bus = Bus::default();
        let running = Arc::new(OnceLock::new());
        let (stopping, stops) = watch::channel(false);
        let console = Console {
            bus: bus.clone(),
            pipe: Arc::downgrade(&running),
            portone: format!("{}/console", simulator.url()),
            system,
            stopping: stops,
        };
        let operators = OperatorKeys::default();
        let pages = console::router(console)
            .merge(operator::router(
                &options.root.join("console"),
                issuer.as_ref().map_or(SignIn::Keys(&operators), SignIn::At),
                &format!("{}/console", simulator.url()),
            ))
            .merge(docs::router(&options.root.join("docs")))
            .merge(shop::router(&options.root, &simulator))
            .merge(issuer.as_ref().map(Issuer::router).unwrap_or_default());
        let pipe = template.pipe().filter(|_| options.stream).cloned();
        let log = options.log.clone();
        let gateway = Gateway::start(GatewayConfig {
            listener: ports.shop_and_api,
            runtime_listener: ports.runtime_api,
            binaries: binaries(&template, &options.functions),
            template,
            environment,
            platform_environment,
            max_environments: options.max_environments,
            run_schedules: options.run_schedules,
            operator: operators,
            permit: {
                let roles = roles.clone();
                Arc::new(move |who, action, resource| {
                    roles.permit(who, action, resource).map_err(|denial| denial.to_string())
                })
            },
            fallback: pages,
            log: options.log,
        })
        .await?;
        let gateway = Arc::new(gateway);
        if let Some(pipe) = pipe {
            let file = data.as_ref().map(|data| data.file("pipe.json"));
            let pipe = RunningPipe::start(pipe, &dynamodb, gateway.clone(), roles, bus.clone(), file, log)?;
            running.get_or_init(|| pipe);
        }

        Ok(Self {
            gateway,
            bus,
            pipe: running,
            stopping,
            simulator,
            dynamodb,
            dynamodb_url,
            secrets_manager,
            objects,
            issuer,
            secret: tokio::sync::Mutex::new(secret),
            wires,
            epoch,
            data,
        })
    }

    /// The shop's and the API's base URL, without a slash at its end.
    pub fn url(&self) -> &str {
        self.gateway.url()
    }

    /// The functions.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// For [`crate::Fault::CallBefore`] and [`crate::Fault::CallAfter`]: SIGKILLs every process of a function.
    /// The call that it happens to goes no further, since nobody is there to hear of it.
    pub fn killer(&self, function: &str) -> Hook {
        let (gateway, function) = (self.gateway.clone(), function.to_owned());
        Arc::new(move |_| {
            let (gateway, function) = (gateway.clone(), function.clone());
            Box::pin(async move {
                let _ = gateway.kill(&function).await;
                std::future::pending::<()>().await;
            })
        })
    }

    /// Who signs operators in, if they bring tokens.
    pub fn issuer(&self) -> Option<&Issuer> {
        self.issuer.as_ref()
    }

    /// Runs a function's schedule once, now, with the template's `Input`: `reconcile`, or where a function
    /// has several, `reconcile/Hourly`.
    pub async fn run_schedule(&self, name: &str) -> Result<Value, ScheduleError> {
        self.gateway.run_schedule(name).await
    }

    /// The event bus.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Whether what is committed reaches the bus. Where the table is elsewhere, nothing does.
    pub fn has_pipe(&self) -> bool {
        self.pipe.get().is_some()
    }

    /// Holds the pipe from the table to the bus. Resolves when no batch is under way; what the functions
    /// commit from now on reaches the bus after [`Stack::resume_pipe`].
    pub async fn pause_pipe(&self) {
        if let Some(pipe) = self.pipe.get() {
            pipe.pause().await;
        }
    }

    /// Lets the pipe go on.
    pub fn resume_pipe(&self) {
        if let Some(pipe) = self.pipe.get() {
            pipe.resume();
        }
    }

    /// Resolves when everything that is committed now has been through the pipe: on the bus, filtered out,
    /// or a dead letter. While the pipe is paused it does not resolve.
    pub async fn pipe_caught_up(&self) -> anyhow::Result<()> {
        match self.pipe.get() {
            Some(pipe) => pipe.caught_up().await,
            None => Ok(()),
        }
    }

    /// The batches that the pipe gave up, oldest first.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        self.pipe.get().map(RunningPipe::dead_letters).unwrap_or_default()
    }

    /// Tries every dead letter once more, and answers how many came through.
    pub async fn redrive(&self) -> anyhow::Result<usize> {
        match self.pipe.get() {
            Some(pipe) => pipe.redrive().await,
            None => Ok(0),
        }
    }

    /// PortOne.
    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// DynamoDB's endpoint past the wire: for tools and tests, whose calls are not counted.
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    /// The objects in the buckets.
    pub fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The embedded database itself. Panics where the table is elsewhere.
    pub fn database(&self) -> &Database {
        self.dynamodb.database().expect("the table is in the embedded database")
    }

    /// The table, past the wire.
    pub fn table(&self) -> &DynamoDb {
        &self.dynamodb
    }

    /// The table's name.
    pub fn table_name(&self) -> &str {
        self.dynamodb.table()
    }

    /// The wire between the functions and a backend: counts, latency, faults.
    pub fn wire(&self, backend: Backend) -> &Wire {
        &self.wires[&backend]
    }

    /// Takes every fault off every wire.
    pub fn heal(&self) {
        self.wires.values().for_each(Wire::heal);
    }

    /// Gives every wire this latency.
    pub fn set_latency(&self, latency: Duration) {
        self.wires.values().for_each(|wire| wire.set_latency(latency));
    }

    /// The present, as a point from which calls are counted.
    pub fn mark(&self) -> Mark {
        Mark(self.epoch.elapsed())
    }

    /// The functions' calls to all backends since `mark`, in the order of arrival.
    pub fn calls_since(&self, mark: Mark) -> Vec<Call> {
        mark.since(self.wires.values())
    }

    /// What Secrets Manager has now; `None` if there is no secret.
    pub async fn secret(&self) -> Option<String> {
        self.secret.lock().await.clone()
    }

    /// Rotates the secret in Secrets Manager, or creates it. PortOne's own secrets stay: rotate those at
    /// the simulator. Kept with the data if that is kept and this is JSON.
    pub async fn set_secret(&self, secret: &str) -> anyhow::Result<()> {
        let mut current = self.secret.lock().await;
        match *current {
            Some(_) => self.secrets_manager.put(SECRET_ID, secret).await?,
            None => self.secrets_manager.create(SECRET_ID, secret).await?,
        }
        if let (Some(data), Ok(json)) = (&self.data, serde_json::from_str(secret)) {
            secret::save(&data.file("secret.json"), &json)?;
        }
        *current = Some(secret.to_owned());
        Ok(())
    }

    /// Stops everything and leaves no process. Repeating it does nothing.
    pub async fn shutdown(&self) {
        self.stopping.send_replace(true);
        if let Some(pipe) = self.pipe.get() {
            pipe.stop();
        }
        self.gateway.shutdown().await;
        self.simulator.shutdown().await;
        self.wires.values().for_each(Wire::stop);
        self.secrets_manager.stop();
        self.objects.stop();
        self.dynamodb.stop();
    }
}

fn address(listener: &TcpListener) -> anyhow::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}

fn initial_secret(initial: &InitialSecret, data: Option<&DataFolder>) -> anyhow::Result<Option<String>> {
    let generated = || match data {
        Some(data) => secret::load_or_generate(&data.file("secret.json")),
        None => Ok(secret::generate()),
    };
    Ok(match initial {
        InitialSecret::Missing => None,
        InitialSecret::Text(text) => Some(text.clone()),
        InitialSecret::Generated => Some(generated()?.to_string()),
        InitialSecret::Changed(changes) => {
            let mut secret = generated()?;
            if let Some(members) = secret.as_object_mut() {
                for (name, value) in changes {
                    match value {
                        Value::Null => members.remove(name),
                        value => members.insert(name.clone(), value.clone()),
                    };
                }
            }
            Some(secret.to_string())
        }
    })
}

fn load_products(dynamodb: &DynamoDb, options: &StackOptions) -> anyhow::Result<()> {
    let (file, keep) = match &options.products {
        Products::None => return Ok(()),
        Products::Demo => (options.root.join("shop/products.json"), true),
        Products::File(file) => (file.clone(), false),
    };
    let content = std::fs::read(&file).with_context(|| file.display().to_string())?;
    match catalogue::parse(content) {
        Ok(products) => dynamodb.load(&products, keep),
        Err(faults) => bail!("{}:\n{faults}", file.display()),
    }
}

/// `<folder>/<name>/bootstrap` as a release build leaves it, or `<folder>/<name>` as cargo does.
fn binaries(template: &Template, folder: &Path) -> BTreeMap<String, PathBuf> {
    let place = |name: &str| {
        let bootstrap = folder.join(name).join("bootstrap");
        if bootstrap.is_file() { bootstrap } else { folder.join(name) }
    };
    template.functions().iter().map(|function| (function.name.clone(), place(&function.name))).collect()
}
