//! Todos as resources: what a person attaches to a conversation, where tools are what a model calls.
//!
//! They show what the tools `list_todos` and `get_todo` show, through the same use cases, under the
//! same permissions, in the same workspace.

mod uri;

use serde::Serialize;
use todo_application::domain::{Instant, Todo};
use todo_application::ports::{Filter, Principal};
use todo_application::{Page, PageSize, Todos, UseCaseError};

pub(crate) use uri::{ResourceUri, TODO_TEMPLATE, TODOS};

use crate::cursor;
use crate::envelope::string;
use crate::failure;
use crate::methods::Call;
use crate::request_log::RequestLog;
use crate::rpc::{Reply, RpcError};
use crate::server_info::{CacheHints, ResultFrame};
use crate::tools::{OneTodo, TodoList};

const JSON: &str = "application/json";

/// What the list of resources and the resource of the list show.
const OPEN: Filter = Filter { completed: Some(false) };

/// A resource as `resources/list` shows it (MCP `Resource`).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource<'a> {
    uri: String,
    name: &'a str,
    title: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    mime_type: &'static str,
    annotations: Annotations,
}

/// MCP `Annotations`: who a resource is for.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotations {
    audience: [&'static str; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

impl Annotations {
    fn new(last_modified: Option<Instant>) -> Self {
        let last_modified = last_modified.map(|instant| instant.to_string());
        Self { audience: ["user", "assistant"], last_modified }
    }
}

impl Resource<'static> {
    fn list() -> Self {
        Self {
            uri: ResourceUri::Todos.to_string(),
            name: "todos",
            title: "Open todos",
            description: Some("Everything that is still to be done, oldest first."),
            mime_type: JSON,
            annotations: Annotations::new(None),
        }
    }
}

impl<'a> From<&'a Todo> for Resource<'a> {
    fn from(todo: &'a Todo) -> Self {
        Self {
            uri: ResourceUri::Todo(todo.id()).to_string(),
            name: todo.title().as_str(),
            title: todo.title().as_str(),
            description: None,
            mime_type: JSON,
            annotations: Annotations::new(Some(todo.updated_at())),
        }
    }
}

/// Answers `resources/list`: the list of the open todos, and then each of them, page by page.
pub(crate) async fn list(call: Call<'_>, log: &mut RequestLog) -> Result<Reply, RpcError> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ListResourcesResult<'a> {
        resources: Vec<Resource<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next_cursor: Option<String>,
        #[serde(flatten)]
        cache: Option<CacheHints>,
        #[serde(flatten)]
        frame: ResultFrame,
    }
    let Call { service, era, request, .. } = call;
    let principal = call.caller();
    let cursor = match request.params.cursor {
        None => None,
        Some(raw) => {
            let text = string(raw).ok_or_else(failure::invalid_cursor)?;
            Some(cursor::decode(&text).map_err(|_| failure::invalid_cursor())?)
        }
    };
    let first = cursor.is_none().then(Resource::list);
    let page = service.todos.list(principal, OPEN, PageSize::default(), cursor).await;
    let page =
        page.map_err(|error| failure::refuse(service, error, failure::invalid_cursor, log))?;
    let resources = first.into_iter().chain(page.todos.iter().map(Resource::from)).collect();
    let next_cursor = page.next.map(cursor::encode);
    let (cache, frame) = (CacheHints::PRIVATE.in_era(era), ResultFrame::of(era));
    Ok(Reply::result(request.id, &ListResourcesResult { resources, next_cursor, cache, frame }))
}

/// Answers `resources/templates/list`.
pub(crate) fn templates(call: Call<'_>) -> Result<Reply, RpcError> {
    /// MCP `ResourceTemplate`.
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ResourceTemplate {
        uri_template: &'static str,
        name: &'static str,
        title: &'static str,
        description: &'static str,
        mime_type: &'static str,
        annotations: Annotations,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ListResourceTemplatesResult {
        resource_templates: [ResourceTemplate; 1],
        #[serde(flatten)]
        cache: Option<CacheHints>,
        #[serde(flatten)]
        frame: ResultFrame,
    }
    let Call { era, request, .. } = call;
    if request.params.cursor.is_some() {
        return Err(failure::invalid_cursor());
    }
    let todo = ResourceTemplate {
        uri_template: TODO_TEMPLATE,
        name: "todo",
        title: "Todo by id",
        description: "One todo by its id, open or done. Completion finds ids by title.",
        mime_type: JSON,
        annotations: Annotations::new(None),
    };
    let (cache, frame) = (CacheHints::PUBLIC.in_era(era), ResultFrame::of(era));
    let result = ListResourceTemplatesResult { resource_templates: [todo], cache, frame };
    Ok(Reply::result(request.id, &result))
}

/// Answers `resources/read`. A todo that is hidden from the caller, one that is not there and a URI
/// that names nothing are the same.
pub(crate) async fn read(call: Call<'_>, log: &mut RequestLog) -> Result<Reply, RpcError> {
    #[derive(Serialize)]
    struct ReadResourceResult {
        contents: [TextContents; 1],
        #[serde(flatten)]
        cache: Option<CacheHints>,
        #[serde(flatten)]
        frame: ResultFrame,
    }
    let Call { service, era, request, .. } = call;
    let principal = call.caller();
    let text = request.params.uri.and_then(string).ok_or_else(|| {
        RpcError::invalid_params("`resources/read` needs `uri`, the URI of a resource.")
    })?;
    let not_found = || RpcError::resource_not_found(era, &text);
    let uri = ResourceUri::parse(&text);
    let contents = match uri {
        Some(uri) => contents(&service.todos, principal, uri).await,
        // Whoever may not look is told so before anything about what there is.
        None => service
            .todos
            .permit(principal, todo_application::domain::Action::Get)
            .map_err(UseCaseError::from)
            .and(Err(UseCaseError::NotFound)),
    };
    let contents = contents.map_err(|error| failure::refuse(service, error, not_found, log))?;
    let (cache, frame) = (CacheHints::PRIVATE.in_era(era), ResultFrame::of(era));
    Ok(Reply::result(request.id, &ReadResourceResult { contents: [contents], cache, frame }))
}

/// What a resource holds, as text (MCP `TextResourceContents`).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TextContents {
    uri: String,
    mime_type: &'static str,
    text: String,
}

/// Reads a resource: the JSON that the tool for it answers with.
///
/// A list longer than the longest page shows that page and where to read on with `list_todos`.
pub(crate) async fn contents(
    todos: &Todos,
    principal: &dyn Principal,
    uri: ResourceUri,
) -> Result<TextContents, UseCaseError> {
    let text = match uri {
        ResourceUri::Todos => {
            let page: Page =
                todos.list(principal, OPEN, PageSize::FOR_A_CONVERSATION, None).await?;
            serde_json::to_string(&TodoList::from(&page))
        }
        ResourceUri::Todo(id) => {
            serde_json::to_string(&OneTodo::from(&todos.get(principal, id).await?))
        }
    };
    // Writing strings and numbers to memory has no way to fail.
    let text = text.unwrap_or_default();
    Ok(TextContents { uri: uri.to_string(), mime_type: JSON, text })
}
