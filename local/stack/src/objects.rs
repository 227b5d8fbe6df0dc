//! S3 on one machine, for one purpose: objects are put and got, by path (`/bucket/key`), in the template's
//! buckets. They are files of a folder, to be looked at there. Content types and metadata are not kept, and
//! signatures are not checked.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use tempfile::{NamedTempFile, TempDir};
use tokio::{net::TcpListener, task::JoinHandle};

/// The folder's name where data is kept.
pub(crate) const FOLDER: &str = "objects";
/// No call through a wire is larger.
const BODY_MAX: usize = 20 * 1024 * 1024;

/// The objects in all buckets.
pub struct Objects {
    store: Arc<Store>,
    server: JoinHandle<()>,
}

struct Store {
    folder: PathBuf,
    buckets: Vec<String>,
    /// The folder of a system that keeps nothing; goes with it.
    _temporary: Option<TempDir>,
}

impl Objects {
    /// Serves `listener` from `folder`, or from one that goes with the system.
    pub(crate) fn start(
        listener: TcpListener,
        folder: Option<PathBuf>,
        buckets: &[String],
    ) -> anyhow::Result<Self> {
        let (folder, temporary) = match folder {
            Some(folder) => (folder, None),
            None => {
                let temporary = TempDir::new()?;
                (temporary.path().to_owned(), Some(temporary))
            }
        };
        for bucket in buckets {
            let bucket = folder.join(bucket);
            fs::create_dir_all(&bucket).with_context(|| bucket.display().to_string())?;
        }
        let store = Arc::new(Store { folder, buckets: buckets.to_vec(), _temporary: temporary });
        let app = Router::new().fallback(serve).with_state(store.clone());
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(Self { store, server })
    }

    /// The keys in a bucket, in order.
    pub fn keys(&self, bucket: &str) -> Vec<String> {
        let root = self.store.folder.join(bucket);
        let mut keys = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                match path.strip_prefix(&root) {
                    _ if path.is_dir() => folders.push(path),
                    Ok(key) => keys.push(key.to_string_lossy().into_owned()),
                    Err(_) => {}
                }
            }
        }
        keys.sort();
        keys
    }

    /// An object; `None` if there is none.
    pub fn get(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        fs::read(self.store.file(bucket, key)?).ok()
    }

    /// The names of the buckets, as functions are told them.
    pub fn buckets(&self) -> &[String] {
        &self.store.buckets
    }

    pub(crate) fn stop(&self) {
        self.server.abort();
    }
}

impl Store {
    /// Where an object is kept; `None` for a key that a folder cannot hold or that would lead out of it.
    fn file(&self, bucket: &str, key: &str) -> Option<PathBuf> {
        let plain = |segment: &str| !matches!(segment, "" | "." | "..") && !segment.contains('\0');
        let safe = self.buckets.iter().any(|known| known == bucket) && key.split('/').all(plain);
        safe.then(|| self.folder.join(bucket).join(key))
    }

    /// Replaces an object at once and as a whole. What is half written is in no bucket.
    fn write(&self, file: &Path, object: &[u8]) -> io::Result<()> {
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
        let mut beside = NamedTempFile::new_in(&self.folder)?;
        beside.write_all(object)?;
        beside.persist(file)?;
        Ok(())
    }
}

async fn serve(State(store): State<Arc<Store>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if !store.buckets.iter().any(|known| known == bucket) {
        return refusal(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist");
    }
    let key = percent_decode_str(key).decode_utf8_lossy();
    let Some(file) = store.file(bucket, &key) else {
        return refusal(StatusCode::BAD_REQUEST, "InvalidURI", "Couldn't parse the specified URI.");
    };
    // Parts of an upload, access lists and the like would be taken for the object itself.
    let plain = |name: &str| name.split('=').next() == Some("x-id");
    if !parts.uri.query().unwrap_or_default().split('&').all(|name| name.is_empty() || plain(name)) {
        return unknown();
    }
    match parts.method {
        Method::PUT if !parts.headers.contains_key("x-amz-copy-source") => {
            let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
                return refusal(StatusCode::BAD_REQUEST, "EntityTooLarge", "Larger than is taken here");
            };
            put(&store, &file, &parts.headers, body)
        }
        Method::GET | Method::HEAD => match fs::read(&file) {
            Ok(object) => {
                let headers = [(header::ETAG, etag(&object)), (header::CONTENT_TYPE, OCTETS.to_owned())];
                (headers, Body::from(object)).into_response()
            }
            Err(error) if missing(&error) => {
                refusal(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
            }
            Err(error) => broken(&error),
        },
        _ => unknown(),
    }
}

const OCTETS: &str = "binary/octet-stream";

fn put(store: &Store, file: &Path, headers: &HeaderMap, body: Bytes) -> Response {
    let named = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let object = if named("x-amz-content-sha256").starts_with("STREAMING-") {
        let Some(object) = unchunked(&body) else {
            return refusal(StatusCode::BAD_REQUEST, "IncompleteBody", "The chunks of the body are broken");
        };
        object
    } else {
        body.to_vec()
    };
    if named("if-none-match") == "*" && file.exists() {
        let told = "At least one of the pre-conditions you specified did not hold";
        return refusal(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", told);
    }
    match store.write(file, &object) {
        Ok(()) => ([(header::ETAG, etag(&object))], Body::empty()).into_response(),
        Err(error) => broken(&error),
    }
}

/// The content of a body in the SDKs' own chunks: a length in hexadecimal with parameters, a line end, as
/// many bytes, a line end; the last one has the length 0, and checksums may follow.
fn unchunked(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    loop {
        let end = body.windows(2).position(|pair| pair == b"\r\n")?;
        let line = str::from_utf8(&body[..end]).ok()?;
        let length = usize::from_str_radix(line.split(';').next()?, 16).ok()?;
        body = &body[end + 2..];
        if length == 0 {
            return Some(content);
        }
        content.extend_from_slice(body.get(..length)?);
        body = body.get(length..)?.strip_prefix(b"\r\n")?;
    }
}

/// S3's is a digest too, and nobody may rely on which.
fn etag(object: &[u8]) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    object.hash(&mut hasher);
    format!("\"{:016x}\"", hasher.finish())
}

fn missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
    )
}

fn broken(error: &io::Error) -> Response {
    refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", &error.to_string())
}

fn unknown() -> Response {
    refusal(StatusCode::NOT_IMPLEMENTED, "NotImplemented", "Only PutObject and GetObject are known here")
}

fn refusal(status: StatusCode, code: &str, message: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    (status, [(header::CONTENT_TYPE, "application/xml")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sdks_chunks_are_taken_apart_and_broken_ones_refused() {
        let whole =
            b"4;chunk-signature=ab\r\nWiki\r\n3\r\n\r\n!\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
        assert_eq!(unchunked(whole).unwrap(), b"Wiki\r\n!");
        for broken in [&b""[..], b"4\r\nWi", b"4\r\nWikix\r\n0\r\n", b"z\r\n\r\n", b"4\r\nWiki\r\n"] {
            assert_eq!(unchunked(broken), None, "{broken:?}");
        }
    }
}
