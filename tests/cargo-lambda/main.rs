//! `cargo lambda watch` and `cargo lambda invoke` with the files of `events/`, as README and `events/README.md` name
//! them. `CARGO_LAMBDA` is the folder of the program; `cargo xtask test cargo-lambda` sets it.

use std::{
    env,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use end_to_end::Shop;
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    time::{Instant, sleep, timeout},
};

/// `cargo lambda watch` builds the function before it answers the first invocation.
const BUILD_MAX: Duration = Duration::from_secs(600);
/// `cargo lambda invoke` waits for ever when no function answers.
const INVOKE_MAX: Duration = Duration::from_secs(120);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cargo_lambda() -> Command {
    let folder = env::var("CARGO_LAMBDA").expect("CARGO_LAMBDA is the folder of cargo-lambda");
    let path = format!("{folder}:{}", env::var("PATH").unwrap_or_default());
    let mut command = Command::new(Path::new(&folder).join("cargo-lambda"));
    command.current_dir(root()).env("PATH", path).arg("lambda").kill_on_drop(true).stdin(Stdio::null());
    command
}

/// `cargo lambda watch` with the variables that the template sets for `function`.
async fn watch(shop: &Shop, function: &str) -> (Child, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut watch = cargo_lambda();
    watch.args(["watch", "--ignore-changes", "--invoke-address", "127.0.0.1", "--invoke-port"]);
    watch.arg(port.to_string()).env("CARGO_TARGET_DIR", root().join("target")).envs([
        ("TABLE_NAME", shop.stack.table_name()),
        ("PORTONE_SECRET_ID", "local/portone"),
        ("PORTONE_API_BASE", shop.portone().url()),
        ("PORTONE_STORE_ID", "store-a"),
        ("PORTONE_CHANNEL_KEY", "channel-key-a"),
        ("PAYMENT_MODE", "LIVE"),
        ("ALLOWED_ORIGINS", "https://shop.example"),
        ("AWS_REGION", "ap-northeast-2"),
        ("AWS_ACCESS_KEY_ID", function),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", shop.table_wire().url()),
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", shop.secret_wire().url()),
    ]);
    let child = watch.spawn().expect("cargo-lambda starts");
    let begun = Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        assert!(begun.elapsed() < BUILD_MAX, "cargo lambda watch does not listen");
        sleep(Duration::from_millis(100)).await;
    }
    (child, port)
}

async fn invoke(port: u16, function: &str, file: &str) -> Value {
    let mut invoke = cargo_lambda();
    invoke.args(["invoke", function, "--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()]);
    invoke.args(["--output-format", "json", "--data-file"]).arg(format!("events/{file}"));
    let output = timeout(INVOKE_MAX.max(BUILD_MAX), invoke.output()).await.expect("an answer").unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{file}: {text}{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}: {text}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_of_events_are_answered_through_cargo_lambda() {
    let shop = Shop::open().await;
    let (_watch, port) = watch(&shop, "create-order").await;
    let created = invoke(port, "create-order", "create-order.json").await;
    assert_eq!(created["statusCode"], 201, "{created}");
    let refused = invoke(port, "create-order", "create-order.refused.json").await;
    assert_eq!(refused["statusCode"], 422, "{refused}");
    let orders = shop.stored_orders();
    assert_eq!(orders.len(), 1, "the order of the sample is in the table");

    let (_watch, port) = watch(&shop, "list-products").await;
    let listed = invoke(port, "list-products", "list-products.json").await;
    assert_eq!(listed["statusCode"], 200, "{listed}");
}
