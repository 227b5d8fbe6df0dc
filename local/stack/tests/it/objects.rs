//! The bucket: what is put there can be got, and looked at.

use local_stack::{Backend, Fault, Rule, Stack, StackOptions};

use super::place::{Place, client_of};

#[tokio::test]
async fn an_object_is_put_got_and_looked_at_under_the_buckets_local_name() {
    let stack = Place::new().start().await;
    assert_eq!(stack.objects().buckets(), ["export-bucket"]);
    let function = stack.gateway().template().function("order-events").unwrap();
    assert_eq!(function.environment["EXPORT_BUCKET"].as_deref(), Some("export-bucket"));

    let client = client_of("order-events");
    let url = format!("{}/export-bucket/2026/11/%EC%A3%BC%EB%AC%B8.csv", stack.wire(Backend::S3).url());
    let put = client.put(format!("{url}?x-id=PutObject")).body("a,b").send().await.unwrap();
    assert_eq!(put.status(), 200);
    let etag = put.headers()["etag"].clone();
    let got = client.get(&url).send().await.unwrap();
    assert_eq!((got.status().as_u16(), &got.headers()["etag"]), (200, &etag));
    assert_eq!(got.text().await.unwrap(), "a,b");
    assert_eq!(stack.objects().keys("export-bucket"), ["2026/11/주문.csv"]);
    assert_eq!(stack.objects().get("export-bucket", "2026/11/주문.csv").unwrap(), b"a,b");
    assert_eq!(stack.wire(Backend::S3).count("PutObject"), 1);

    let once = client.put(&url).header("if-none-match", "*").body("c").send().await.unwrap();
    assert_eq!(once.status(), 412);
    client.put(&url).body("c").send().await.unwrap();
    assert_eq!(stack.objects().get("export-bucket", "2026/11/주문.csv").unwrap(), b"c");

    let chunked = client.put(&url).header("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER");
    chunked.body("2\r\nde\r\n0\r\n\r\n").send().await.unwrap();
    assert_eq!(stack.objects().get("export-bucket", "2026/11/주문.csv").unwrap(), b"de");
    stack.shutdown().await;
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_known_is_refused_as_s3_does() {
    let stack = Place::new().start().await;
    let client = client_of("order-events");
    let base = stack.wire(Backend::S3).url();
    for (method, path, status, code) in [
        ("GET", "/export-bucket/nothing", 404, "NoSuchKey"),
        ("GET", "/other/a", 404, "NoSuchBucket"),
        ("PUT", "/other/a", 404, "NoSuchBucket"),
        ("PUT", "/export-bucket/a%2F..%2F..%2F..%2Fescaped", 400, "InvalidURI"),
        ("PUT", "/export-bucket/", 400, "InvalidURI"),
        ("PUT", "/export-bucket/a?partNumber=1&uploadId=x", 501, "NotImplemented"),
        ("DELETE", "/export-bucket/a", 501, "NotImplemented"),
    ] {
        let request = client.request(method.parse().unwrap(), format!("{base}{path}")).body("x");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{method} {path}");
        assert!(response.text().await.unwrap().contains(code), "{method} {path}");
    }
    assert!(stack.objects().keys("export-bucket").is_empty());

    stack.wire(Backend::S3).inject(Rule::on("PutObject"), Fault::Throttle);
    let throttled = client.put(format!("{base}/export-bucket/a")).body("x").send().await.unwrap();
    assert_eq!(throttled.status(), 503);
    assert!(throttled.text().await.unwrap().contains("SlowDown"));
    stack.shutdown().await;
}

#[tokio::test]
async fn objects_are_kept_with_the_data_and_a_fresh_start_has_none() {
    let place = Place::new();
    let data = place.folder.path().join("data");
    let start = async |fresh| {
        let (options, _) = place.options(Some(&data));
        Stack::start(StackOptions { fresh, ..options }).await.unwrap()
    };
    let first = start(false).await;
    let url = format!("{}/export-bucket/a.csv", first.wire(Backend::S3).url());
    client_of("order-events").put(url).body("x").send().await.unwrap();
    first.shutdown().await;
    drop(first);
    assert_eq!(std::fs::read(data.join("objects/export-bucket/a.csv")).unwrap(), b"x");

    let second = start(false).await;
    assert_eq!(second.objects().keys("export-bucket"), ["a.csv"]);
    second.shutdown().await;
    drop(second);
    let third = start(true).await;
    assert!(third.objects().keys("export-bucket").is_empty());
    third.shutdown().await;
}
