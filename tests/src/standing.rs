//! How a node stands: what it sees, and whether it says that it serves all that it is there for. One look each; who waits
//! for it looks again.

use reqwest::Method;

use crate::{Client, Failure, Reply, dialect::read_any_list};

/// Its view must be of exactly these addresses, in whatever shape and order it lists them.
///
/// # Errors
/// [`Failure`] with what it lists.
pub(crate) async fn sees(client: &Client, url: &str, mut addresses: Vec<&str>) -> Result<Reply, Failure> {
    let reply = client.view(url).await?;
    let list = read_any_list(reply.must_succeed()?.field("view")?);
    let mut list = list.ok_or_else(|| reply.contradicts("a list"))?;
    list.sort_unstable();
    addresses.sort_unstable();
    if list == addresses { Ok(reply) } else { Err(reply.contradicts(format!("the view to be of {addresses:?}"))) }
}

/// It must not say that it is not ready; `false` when its store has no such probe.
///
/// # Errors
/// [`Failure`] with what it says.
pub(crate) async fn says_ready(client: &Client, url: &str) -> Result<bool, Failure> {
    let probe = client.send(Method::GET, url, "/readyz", None).await?;
    if probe.status == 404 { Ok(false) } else { probe.must_be(200).map(|_| true) }
}
