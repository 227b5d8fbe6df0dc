//! The program `local-stack` where it refuses to start.

use std::process::{Command, Output};

fn local_stack(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_local-stack")).args(arguments).output().unwrap()
}

#[test]
fn a_taken_port_is_one_clear_line_and_nothing_on_stdout() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let output =
        local_stack(&["--functions", ".", "--port", &port, "--data", &data.to_string_lossy(), "--fresh"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "error: port {port}, for the shop and the API, is in use; choose another base port with --port\n"
        )
    );
}

#[test]
fn an_unknown_option_is_answered_with_the_usage() {
    let output = local_stack(&["--prot", "1"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("local-stack --functions DIR"));
}
