//! What was said at the last deployment. `sam` keeps it in `samconfig.toml`; here it is only read, so that
//! the next deployment asks nothing twice.

use std::{collections::BTreeMap, fs, io::ErrorKind, path::Path};

use anyhow::Context as _;
use toml::{Table, Value};

/// Nothing of it is there before the first deployment.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Saved {
    pub stack: Option<String>,
    pub region: Option<String>,
    pub profile: Option<String>,
    pub parameters: BTreeMap<String, String>,
}

impl Saved {
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        match fs::read_to_string(file) {
            Ok(text) => Self::parse(&text).with_context(|| file.display().to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| file.display().to_string()),
        }
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let file: Table = text.parse()?;
        let section = |command: &str| {
            file.get("default")
                .and_then(|all| all.get(command))
                .and_then(|command| command.get("parameters"))
                .and_then(Value::as_table)
        };
        let text = |name: &str| {
            let found =
                [section("deploy"), section("global")].into_iter().flatten().find_map(|s| s.get(name));
            found.and_then(Value::as_str).map(str::to_owned)
        };
        let parameters = match section("deploy").and_then(|deploy| deploy.get("parameter_overrides")) {
            Some(Value::Table(table)) => table
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().map_or(value.to_string(), str::to_owned)))
                .collect(),
            // As `sam deploy --guided` writes them: Name="value" Name="value".
            Some(Value::String(pairs)) => pairs
                .trim()
                .trim_end_matches('"')
                .split("\" ")
                .filter_map(|pair| pair.trim().split_once('='))
                .map(|(name, value)| (name.to_owned(), value.trim_start_matches('"').to_owned()))
                .collect(),
            _ => BTreeMap::new(),
        };
        Ok(Self { stack: text("stack_name"), region: text("region"), profile: text("profile"), parameters })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_that_sam_writes_are_read() {
        let rest = "version = 0.1\n[default.global.parameters]\nregion = \"ap-northeast-2\"\n";
        let saved = format!(
            "{rest}[default.deploy.parameters]\nstack_name = \"shop\"\nresolve_s3 = true\n\
             [default.deploy.parameters.parameter_overrides]\nA = \"x\"\nB = \"https://a.kr,https://b.kr\"\nC = \"\"\n"
        );
        let guided = format!(
            "{rest}[default.deploy.parameters]\nstack_name = \"shop\"\n\
             parameter_overrides = \"A=\\\"x\\\" C=\\\"\\\" B=\\\"https://a.kr,https://b.kr\\\"\"\n"
        );
        let expected = Saved {
            stack: Some("shop".to_owned()),
            region: Some("ap-northeast-2".to_owned()),
            profile: None,
            parameters: [("A", "x"), ("B", "https://a.kr,https://b.kr"), ("C", "")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        };
        assert_eq!(Saved::parse(&saved).unwrap(), expected);
        assert_eq!(Saved::parse(&guided).unwrap(), expected);
        assert!(Saved::parse("=").is_err());
        assert_eq!(Saved::read(Path::new("/nowhere/samconfig.toml")).unwrap(), Saved::default());
    }
}
