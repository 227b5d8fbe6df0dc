//! The secret of one local system: made up at its first start, kept where its data is, and shaped as the
//! functions and Secrets Manager expect it. Nothing of it is ever in the repository or in a log.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::RngCore as _;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

/// The name under which the functions find it.
pub const SECRET_ID: &str = "local/portone";

/// A secret of random values, with every member of both PortOne generations.
pub fn generate() -> Value {
    json!({
        "v2ApiSecret": token(48),
        "v2WebhookSecrets": [format!("whsec_{}", token(32))],
        "v1ApiKey": token(12),
        "v1ApiSecret": token(48),
        "orderTokenKey": token(32),
    })
}

fn token(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    rand::rng().fill_bytes(&mut random);
    STANDARD.encode(random)
}

/// The secret kept in `file`, made now if there is none. Only the owner may read the file.
pub fn load_or_generate(file: &Path) -> io::Result<Value> {
    match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|error| io::Error::other(format!("{}: {error}", file.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = generate();
            save(file, &secret)?;
            Ok(secret)
        }
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", file.display()))),
    }
}

/// Replaces the kept secret. Written beside it, readable by the owner alone, and renamed, so that a
/// half-written one is never read.
pub fn save(file: &Path, secret: &Value) -> io::Result<()> {
    let mut beside = NamedTempFile::new_in(file.parent().unwrap_or(Path::new(".")))?;
    writeln!(beside, "{secret:#}")?;
    beside.as_file().sync_all()?;
    beside.persist(file)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret.json");
        let first = load_or_generate(&file).unwrap();
        assert_eq!(load_or_generate(&file).unwrap(), first);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(generate(), first);
        let key = STANDARD.decode(first["orderTokenKey"].as_str().unwrap()).unwrap();
        assert!(key.len() >= 32);
        assert!(first["v2WebhookSecrets"][0].as_str().unwrap().starts_with("whsec_"));
    }
}
