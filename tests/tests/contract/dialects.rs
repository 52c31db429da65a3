//! Contract, "Dialects": the same answers in the shape of each generation.

use conformance::{Dialect, Failure};
use reqwest::Method;
use serde_json::json;

use crate::{
    cluster::{InProcess, Shape},
    stage::Stage,
};

#[tokio::test]
async fn lists_are_comma_separated_strings_in_2019() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::sharded(4, 2)).await?;
    let client = cluster.client();
    let ids = client.shard(cluster.url(0), "ids").await?;
    ids.must_be(200)?.must_have("shard-ids", "1,2")?;
    let addresses: Vec<&str> = (0..4).map(|node| cluster.address(node)).collect();
    let view = client.view(cluster.url(0)).await?;
    view.must_be(200)?.must_have("view", addresses.join(","))?;
    let members = client.shard(cluster.url(0), "members/1").await?;
    members.must_be(200)?.text("shard-id-members")?;
    Ok(())
}

#[tokio::test]
async fn lists_are_arrays_in_2021() -> Result<(), Failure> {
    for dialect in [Dialect::Spring2021, Dialect::Fall2021] {
        let cluster = InProcess::start(Shape::sharded(4, 2).speaking(dialect)).await?;
        let client = cluster.client();
        let ids = client.shard(cluster.url(0), "ids").await?;
        ids.must_be(200)?.must_have("shard-ids", json!(["1", "2"]))?;
        let addresses: Vec<&str> = (0..4).map(|node| cluster.address(node)).collect();
        let view = client.view(cluster.url(0)).await?;
        view.must_be(200)?.must_have("view", json!(addresses))?;
        let members = client.shard(cluster.url(0), "members/1").await?;
        if !members.must_be(200)?.field(dialect.members_field())?.is_array() {
            return Err(members.contradicts("an array of members"));
        }
    }
    Ok(())
}

/// The eleventh host comes after the second, and after the ninth.
#[tokio::test]
async fn lists_of_addresses_are_in_numeric_order() -> Result<(), Failure> {
    let cluster = InProcess::start(Shape::replicated(4)).await?;
    let addresses: Vec<&str> = (0..4).map(|node| cluster.address(node)).collect();
    let mut as_text = addresses.clone();
    as_text.sort_unstable();
    assert_ne!(addresses, as_text, "the addresses cannot tell the two orders apart");
    for node in 0..4 {
        let members = cluster.client().shard(cluster.url(node), "members/1").await?;
        members.must_be(200)?.must_have("shard-id-members", addresses.join(","))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_get_may_carry_a_json_body() -> Result<(), Failure> {
    for mut stage in Stage::in_every_dialect().await? {
        let put = stage.client.put(&stage.url, "x", 1).await?;
        let body = json!({"causal-metadata": put.opaque("causal-metadata")?});
        let path = stage.dialect.key_path("x");
        for url in stage.cluster.urls() {
            let get = stage.client.send(Method::GET, &url, &path, Some(body.clone()));
            get.await?.must_be(200)?.must_have("value", 1)?;
        }
    }
    Ok(())
}

/// `API_DIALECT=auto` takes the generation from the port in `SOCKET_ADDRESS`.
#[test]
fn the_port_of_the_address_tells_the_generation() {
    let dialect = |address: &str| {
        let variables = [("SOCKET_ADDRESS", address), ("VIEW", address)];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        node::Config::from_env(variables).unwrap().dialect_in_force()
    };
    assert_eq!(dialect("10.10.0.2:8080"), node::Dialect::Y2019);
    assert_eq!(dialect("10.10.0.2:8085"), node::Dialect::Y2021);
    assert_eq!(dialect("10.10.0.2:8090"), node::Dialect::Y2021);
}
