//! Papers that name code are only worth something while what they name is there.

use std::{fs, path::Path};

use crate::repository::root;

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// A test's name is a sentence: four words or more, joined by underscores.
fn is_test_name(text: &str) -> bool {
    let word = |word: &str| word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    text.split('_').count() > 3 && text.split('_').all(word)
}

/// A file of this repository, by its ending.
fn is_file_name(text: &str) -> bool {
    let ending = Path::new(text).extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("rs" | "yaml" | "toml" | "md")) && !text.contains(char::is_whitespace)
}

/// The text of every Rust file under `folder`, without what was built.
fn sources(folder: &Path, found: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !matches!(name, "target" | "node_modules") && !name.starts_with('.') {
            sources(&path, found);
        } else if name.ends_with(".rs") {
            found.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_and_file_that_the_threat_model_names_exists() {
    let paper = fs::read_to_string(root().join("docs/THREAT-MODEL.md")).unwrap();
    let mut code = String::new();
    sources(&root(), &mut code);
    let tests: Vec<_> = quoted(&paper).filter(|text| is_test_name(text)).collect();
    assert!(tests.len() > 40, "only {} names: are they still written so?", tests.len());
    let gone: Vec<_> = tests.into_iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(gone.is_empty(), "no such test: {gone:?}");
    let files = quoted(&paper).filter(|text| is_file_name(text));
    let gone: Vec<_> = files.filter(|file| !root().join(file).is_file()).collect();
    assert!(gone.is_empty(), "no such file: {gone:?}");
}
