//! `portone-simulator --port N`: the simulator by itself.

use std::{env, net::Ipv4Addr, process::ExitCode};

use anyhow::{Context, bail};
use portone_simulator::{Simulator, SimulatorConfig};
use tokio::net::TcpListener;

const USAGE: &str =
    "usage: portone-simulator [--port N] [--v1-port N] [--webhook-url URL] [--webhook-secret whsec_…]
                         [--api-secret SECRET] [--v1-key KEY] [--v1-secret SECRET]
                         [--v1-webhook-url URL] [--store ID] [--other-store ID]
                         [--state FILE] [--clock-speed N] [--seed N]";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portone-simulator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let (port, config) = arguments(env::args().skip(1))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
    let simulator = Simulator::start(listener, config).await?;
    eprintln!("V1 API {}", simulator.v1_url());
    println!("ready {}/", simulator.url());
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    simulator.shutdown().await;
    Ok(())
}

fn arguments(mut given: impl Iterator<Item = String>) -> anyhow::Result<(u16, SimulatorConfig)> {
    let (mut port, mut config) = (0, SimulatorConfig::default());
    let mut api_secrets = Vec::new();
    while let Some(name) = given.next() {
        let value = given.next().with_context(|| format!("{name} needs a value\n{USAGE}"))?;
        match name.as_str() {
            "--port" => port = value.parse().context("--port")?,
            "--v1-port" => config.v1_port = value.parse().context("--v1-port")?,
            "--v1-key" => config.v1_api_key = value,
            "--v1-secret" => config.v1_api_secret = value,
            "--v1-webhook-url" => config.v1_webhook_url = Some(value),
            "--webhook-url" => config.webhook.url = Some(value),
            "--webhook-secret" => config.webhook.secrets.push(value),
            "--store" => config.store_id = value,
            "--other-store" => config.sub_stores.push(value),
            "--api-secret" => api_secrets.push(value),
            "--state" => config.state_file = Some(value.into()),
            "--clock-speed" => config.clock_speed = value.parse().context("--clock-speed")?,
            "--seed" => config.seed = Some(value.parse().context("--seed")?),
            _ => bail!("unknown argument {name}\n{USAGE}"),
        }
    }
    if !api_secrets.is_empty() {
        config.api_secrets = api_secrets;
    }
    Ok((port, config))
}
