//! The program, as a person and a script meet it.

use std::process::Output;

use end_to_end::{Shop, shop::secret_with};
use serde_json::{Value, json};
use tokio::process::Command;

pub async fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_doctor"));
    program.args(arguments).env_clear().envs(variables.iter().copied());
    program.output().await.unwrap()
}

#[tokio::test]
async fn it_ends_with_0_unless_something_fails_and_speaks_json_when_asked() {
    let shop = Shop::open().await;
    let sound = run(&["--url", shop.stack.url()], &[]).await;
    assert!(sound.status.success(), "{sound:?}");
    let text = String::from_utf8(sound.stdout).unwrap();
    assert!(text.contains("ok           2 secret: every member is as it should be, for V2 and V1"), "{text}");
    assert!(text.contains("for a person to look at: contract, "), "{text}");

    let shop =
        Shop::open_with(|options| options.secret = secret_with(&[("orderTokenKey", json!("eA=="))])).await;
    let broken = run(&["--url", shop.stack.url(), "--json"], &[]).await;
    assert_eq!(broken.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&broken.stdout).unwrap();
    // The functions do not start with it either, which the webhook's address shows.
    assert_eq!(report["fail"], 2, "{report:#}");
    let finding = report["findings"].as_array().unwrap().iter().find(|f| f["verdict"] == "fail").unwrap();
    assert_eq!((&finding["number"], &finding["check"]), (&json!(2), &json!("secret")));
    assert!(finding["cure"].as_str().unwrap().contains("openssl rand"));
}

#[tokio::test]
async fn a_stack_and_an_address_together_are_refused() {
    for arguments in [&["--stack", "a", "--url", "b"][..], &["--region", "c"], &["d"]] {
        let ended = run(arguments, &[]).await;
        assert_eq!(ended.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&ended.stderr).contains("cargo xtask doctor [--stack"), "{ended:?}");
    }
}
