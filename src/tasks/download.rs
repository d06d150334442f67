//! Fetching a model from the hub: the one task that asks the network, and only because the user asked for it.

use super::{Environment, TaskError};
use crate::models::{self, Downloaded, HubError, ModelError, ModelId, OpenOptions, catalogue};
use crate::progress::Progress;

/// What to fetch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DownloadRequest {
    /// "ORG/NAME".
    pub name: String,
    /// A branch, a tag or a commit; `None` for the main one.
    pub revision: Option<String>,
    /// Take pickled weights where there are no others.
    pub pickle: bool,
}

/// A model that would have to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetchable {
    /// "ORG/NAME".
    pub name: String,
    /// The hub's host.
    pub host: String,
    /// Licence and bytes of weights, where the catalogue knows the model.
    pub known: Option<(String, Option<u64>)>,
    /// Why the network must not be asked; `None` where it may.
    pub forbidden: Option<String>,
}

/// Fetches a model into the hub's cache and tells where it is.
///
/// # Errors
/// Cancelled; [`TaskError::Model`] with what to do.
pub fn download_model(
    request: &DownloadRequest,
    env: &Environment,
    progress: &Progress,
) -> Result<Downloaded, TaskError> {
    let mut options = env.models.hub().clone().kept_offline(env.offline);
    options.pickle = request.pickle;
    let name = request.name.trim();
    models::download(name, request.revision.as_deref(), &options, progress).map_err(|error| match error {
        HubError::Cancelled(cancelled) => TaskError::Cancelled(cancelled),
        error => TaskError::Model { attempted: format!("download {name}"), source: ModelError::Hub(error) },
    })
}

/// What is known of the model `id` before it is fetched; `None` where it is on this computer, or has no name of the hub.
pub fn fetchable(id: &ModelId, env: &Environment) -> Option<Fetchable> {
    let hub = env.models.hub();
    let options = OpenOptions { hub_cache: hub.cache.clone(), ..OpenOptions::default() };
    let name = models::to_fetch(id, &options)?;
    let host = hub.endpoint.split_once("://").map_or(hub.endpoint.as_str(), |(_, host)| host).to_owned();
    let known = catalogue::known(&name).map(|model| (model.licence.clone(), model.size_bytes));
    let forbidden = hub.clone().kept_offline(env.offline).offline;
    Some(Fetchable { name, host, known, forbidden })
}
