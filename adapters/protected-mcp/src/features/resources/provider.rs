use std::collections::BTreeSet;
use std::pin::Pin;

use async_trait::async_trait;

use super::definitions::{ResourceContents, ResourcePage, ResourceTemplate};
use crate::features::authorization::{Access, Call};
use crate::features::completion::Completion;
use crate::features::failure::Failure;
use crate::oauth::Scope;

/// The resources of a server, all of them behind one scope.
pub trait Resources: Send + Sync + 'static {
    /// What a token must grant to list, read, complete or watch them.
    type Scope: Scope;

    /// The families of resources, the same for every caller.
    fn templates(&self) -> Vec<ResourceTemplate>;

    /// A page of the caller's resources: the first one without a cursor. A cursor that no page has
    /// returned is [`Failure::invalid_argument`].
    fn list(
        &self,
        call: Call<Self::Scope>,
        cursor: Option<&str>,
    ) -> impl Future<Output = Result<ResourcePage, Failure>> + Send;

    /// What a resource holds. [`Failure::not_found`] also for a resource that the caller may not know of.
    fn read(
        &self,
        call: Call<Self::Scope>,
        uri: &str,
    ) -> impl Future<Output = Result<ResourceContents, Failure>> + Send;

    /// Values for a variable of a template that fit what was typed, the best first.
    fn complete(
        &self,
        _call: Call<Self::Scope>,
        _uri_template: &str,
        _variable: &str,
        _typed: &str,
    ) -> impl Future<Output = Result<Completion, Failure>> + Send {
        async { Ok(Completion::default()) }
    }

    /// The one spelling of a URI, or of another that changes with it, under which [`watch`](Self::watch)
    /// reports changes; `None` if no resource can have that URI. Whether it exists, and for whom, must not
    /// matter.
    fn canonical_uri(&self, uri: &str) -> Option<String>;

    /// Watches the caller's resources from now on, until the result is dropped.
    fn watch(&self, call: Call<Self::Scope>) -> Result<Box<dyn ResourceChanges>, Failure>;
}

/// Changes of resources, as one subscriber gets them.
#[async_trait]
pub trait ResourceChanges: Send {
    /// What has changed since the last call; waits until something has. `None` ends the stream.
    ///
    /// Must lose nothing when the future is dropped. Changes that are not fetched must take bounded
    /// memory: merge them, in the end to [`ResourcesChanged::Any`].
    async fn next(&mut self) -> Option<ResourcesChanged>;
}

/// Every change is also one of the list of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourcesChanged {
    /// The [canonical URIs](Resources::canonical_uri) of those that were added, changed or removed.
    Uris(BTreeSet<String>),
    /// Too many to list, or unknown ones.
    Any,
}

impl ResourcesChanged {
    /// Whether the resource may have changed.
    pub(in crate::features) fn includes(&self, canonical_uri: &str) -> bool {
        match self {
            Self::Uris(uris) => uris.contains(canonical_uri),
            Self::Any => true,
        }
    }
}

/// A variable of a template.
#[derive(Clone, Copy)]
pub(crate) struct TemplateVariable<'a> {
    pub(crate) uri_template: &'a str,
    pub(crate) variable: &'a str,
}

type Answering<'a, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>;

/// [`Resources`] of any type. Each method checks the scope first.
pub(crate) trait AnyResources: Send + Sync {
    fn scope(&self) -> &'static str;
    fn templates(&self) -> Vec<ResourceTemplate>;
    fn list<'a>(
        &'a self,
        access: Access<'a>,
        cursor: Option<&'a str>,
    ) -> Answering<'a, ResourcePage>;
    fn read<'a>(&'a self, access: Access<'a>, uri: &'a str) -> Answering<'a, ResourceContents>;
    fn complete<'a>(
        &'a self,
        access: Access<'a>,
        variable: TemplateVariable<'a>,
        typed: &'a str,
    ) -> Answering<'a, Completion>;
    fn canonical_uri(&self, uri: &str) -> Option<String>;
    fn watch(&self, access: Access<'_>) -> Result<Box<dyn ResourceChanges>, Failure>;
}

impl<R: Resources> AnyResources for R {
    fn scope(&self) -> &'static str {
        R::Scope::NAME
    }

    fn templates(&self) -> Vec<ResourceTemplate> {
        Resources::templates(self)
    }

    fn list<'a>(
        &'a self,
        access: Access<'a>,
        cursor: Option<&'a str>,
    ) -> Answering<'a, ResourcePage> {
        Box::pin(async move { Resources::list(self, access.authorize()?, cursor).await })
    }

    fn read<'a>(&'a self, access: Access<'a>, uri: &'a str) -> Answering<'a, ResourceContents> {
        Box::pin(async move { Resources::read(self, access.authorize()?, uri).await })
    }

    fn complete<'a>(
        &'a self,
        access: Access<'a>,
        TemplateVariable { uri_template, variable }: TemplateVariable<'a>,
        typed: &'a str,
    ) -> Answering<'a, Completion> {
        Box::pin(async move {
            let call = access.authorize()?;
            Resources::complete(self, call, uri_template, variable, typed).await
        })
    }

    fn canonical_uri(&self, uri: &str) -> Option<String> {
        Resources::canonical_uri(self, uri)
    }

    fn watch(&self, access: Access<'_>) -> Result<Box<dyn ResourceChanges>, Failure> {
        Resources::watch(self, access.authorize()?)
    }
}
