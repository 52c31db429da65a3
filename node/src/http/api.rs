//! What every handler of the contract needs.

use std::{ops::Deref, sync::Arc};

use node_core::{Reply, Request, TokenKey};

use super::{Shape, body::Budget, error::ApiError};
use crate::runtime::Store;

/// State of the handlers. The router clones it for each request that it answers.
#[derive(Clone)]
pub(crate) struct Api {
    shared: Arc<Shared>,
    /// How the replies look on the paths that this state serves.
    pub(super) shape: Shape,
}

/// What is the same on all paths.
pub(crate) struct Shared {
    /// Answers everything.
    pub(super) store: Store,
    /// Reads causal metadata.
    pub(super) token_key: TokenKey,
    /// Bodies over this are refused.
    pub(super) body_limit_bytes: usize,
    /// What all bodies may hold together.
    pub(super) bodies: Budget,
}

impl Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl Api {
    /// The state for a store whose tokens are checksummed under `secret`.
    pub(crate) fn new(store: Store, secret: Option<&str>, body_limit_bytes: usize) -> Self {
        let shared = Shared { store, token_key: TokenKey::new(secret), body_limit_bytes, bodies: Budget::new() };
        Self { shared: Arc::new(shared), shape: Shape::Y2021 }
    }

    /// The same for other paths.
    pub(super) fn shaped(&self, shape: Shape) -> Self {
        Self { shape, ..self.clone() }
    }

    /// Asks the store; what any request may be answered is translated here.
    pub(super) async fn ask(&self, request: Request) -> Result<Reply, ApiError> {
        let reply = self.store.ask(request).await.map_err(|refused| ApiError::Unavailable(refused.to_string()))?;
        match reply {
            Reply::Invalid { reason } => Err(ApiError::Malformed(reason)),
            Reply::Unavailable { reason } => Err(ApiError::Unavailable(reason)),
            Reply::NoSuchShard => Err(ApiError::NoSuchShard),
            Reply::NotEnoughNodes => Err(ApiError::NotEnoughNodes),
            Reply::NotInView => Err(ApiError::NotInView),
            reply => Ok(reply),
        }
    }
}
