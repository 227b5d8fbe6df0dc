//! The listeners of a system: bound first and all at once, so that everything started afterwards knows
//! where everything else is, and so that a taken port is told before anything runs.

use std::io;

use anyhow::bail;
use tokio::net::TcpListener;

/// The listeners in use, in the order of their ports.
pub(crate) struct Ports {
    pub(crate) shop_and_api: TcpListener,
    pub(crate) simulator: TcpListener,
    pub(crate) dynamodb: TcpListener,
    pub(crate) secrets_manager: TcpListener,
    pub(crate) runtime_api: TcpListener,
    pub(crate) simulator_v1: TcpListener,
}

impl Ports {
    /// Binds 127.0.0.1 from `base` upwards, or to whatever is free.
    pub(crate) async fn bind(base: Option<u16>) -> anyhow::Result<Self> {
        Ok(Self {
            shop_and_api: bind(base, 0, "the shop and the API").await?,
            simulator: bind(base, 1, "the PortOne simulator").await?,
            dynamodb: bind(base, 2, "DynamoDB").await?,
            secrets_manager: bind(base, 3, "Secrets Manager").await?,
            runtime_api: bind(base, 4, "the Lambda Runtime API").await?,
            simulator_v1: bind(base, 5, "the PortOne simulator's V1").await?,
        })
    }
}

async fn bind(base: Option<u16>, offset: u16, what: &str) -> anyhow::Result<TcpListener> {
    let Some(base) = base else { return Ok(free().await?) };
    let Some(port) = base.checked_add(offset) else { bail!("there is no port {base} + {offset} for {what}") };
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            bail!("port {port}, for {what}, is in use; choose another base port with --port")
        }
        Err(error) => bail!("port {port}, for {what}: {error}"),
    }
}

/// A listener on any free port of 127.0.0.1.
pub(crate) async fn free() -> io::Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", 0)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_is_told_with_what_it_is_for() {
        let taken = free().await.unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = Ports::bind(Some(port)).await.err().unwrap();
        assert_eq!(
            error.to_string(),
            format!("port {port}, for the shop and the API, is in use; choose another base port with --port")
        );
        assert!(Ports::bind(Some(65_535)).await.is_err());
    }
}
