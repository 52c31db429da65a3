//! The judge of the load, judged: a store that loses what it was given is found out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use conformance::{Client, Dialect, Failure, Record, ensure, workload::Workload};
use node::Config;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// A node that is alone, for as long as the test's runtime; gives its URL and its data.
async fn node() -> (String, TempDir) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let data = TempDir::new().unwrap();
    let mut config = Config::new(address, vec![address]);
    config.data_dir = data.path().to_owned();
    tokio::spawn(node::run(config, vec![listener], std::future::pending()));
    (format!("http://{address}"), data)
}

/// Somebody deletes the load's keys behind its back: its clients see it, and so does who looks at the end.
#[tokio::test]
async fn a_spoiled_store_is_caught() -> Result<(), Failure> {
    let ((url, _data), record) = (node().await, Record::default());
    let mut spoiler = Client::new(Dialect::Spring2021, &record);
    spoiler.put(&url, "ready", 1).await?.must_succeed()?;
    let running = Workload::new(Dialect::Spring2021, 6).start(vec![url.clone()]);
    running.more(400).await?;
    for key in (0..20).flat_map(|writer| (0..10).map(move |own| format!("load-{writer}-{own}"))) {
        spoiler.delete(&url, &key).await?;
    }
    running.more(200).await?;
    let report = running.stop().await?;
    ensure(report.verdict().is_err(), || "violations to be seen")?;
    let last = report.final_values.iter().find(|(_, value)| value.is_some());
    let (key, _) = last.ok_or_else(|| Failure::new("a key that the load left"))?;
    spoiler.delete(&url, key).await?.must_succeed()?;
    let held = report.check_final_state(&[url], 1).await;
    ensure(held.is_err(), || "the missing key to be seen")
}

/// Somebody writes over the load's keys: every status is right, and only the values are not.
#[tokio::test]
async fn a_store_with_values_of_its_own_is_caught() -> Result<(), Failure> {
    let ((url, _data), record) = (node().await, Record::default());
    let mut spoiler = Client::new(Dialect::Spring2021, &record);
    spoiler.put(&url, "ready", 1).await?.must_succeed()?;
    let running = Workload::new(Dialect::Spring2021, 6).start(vec![url.clone()]);
    running.more(400).await?;
    for key in (0..20).flat_map(|writer| (0..10).map(move |own| format!("load-{writer}-{own}"))) {
        if spoiler.get(&url, &key).await?.status == 200 {
            spoiler.put(&url, &key, "spoiled").await?;
        }
    }
    running.more(200).await?;
    let told = running.stop().await?.verdict().err().map(|failure| failure.to_string()).unwrap_or_default();
    ensure(told.contains("so: nobody wrote \"spoiled\""), || {
        format!("the story of a value that nobody wrote, got {told}")
    })
}
