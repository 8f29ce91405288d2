//! Todos as resources: what a person attaches to a conversation, where tools are what a model calls.
//!
//! They show what `list_todos`, `get_todo` and `list_changes` show, through the same use cases.

mod uri;

use std::sync::Arc;

use async_trait::async_trait;
use protected_mcp::{
    Annotations, Call, Completion, Failure, Resource, ResourceChanges, ResourceContents,
    ResourcePage, ResourceTemplate, Resources, ResourcesChanged, to_json_line,
};
use todo_application::domain::{DueFilter, Label, Order, Sort, Todo};
use todo_application::ports::Changed;
use todo_application::{
    ChangeSelection, HistoryPageSize, PageSize, Prefix, Selection, Since, Todos, Watch,
};

use uri::{LABEL_TEMPLATE, ResourceUri, TODO_TEMPLATE};

use crate::affected::{shown, shown_by};
use crate::cursor::{self, CursorText};
use crate::failure::{AboutTodo as _, IntoFailure, not_found};
use crate::principal::CallerPrincipal;
use crate::scopes::ReadTodos;
use crate::view::{ChangeList, Detail, OneTodo, TodoList, history_page};

const JSON: &str = "application/json";

pub(crate) struct TodoResources(pub(crate) Arc<Todos>);

impl Resources for TodoResources {
    type Scope = ReadTodos;

    fn templates(&self) -> Vec<ResourceTemplate> {
        let template = |uri_template, name, title, description| ResourceTemplate {
            uri_template,
            name,
            title,
            description,
            mime_type: JSON,
            annotations: Annotations::default(),
            meta: None,
        };
        let (todo, label) = (
            "One todo by its id, open or done. Completion finds ids by title.",
            "The open todos with a label, oldest first. Completion knows the labels.",
        );
        vec![
            template(TODO_TEMPLATE, "todo", "Todo by id", todo),
            template(LABEL_TEMPLATE, "label", "Todos by label", label),
        ]
    }

    /// The list of the open todos, that of what is due, that of today's changes, and then each open todo. Where
    /// changes are not remembered, a person is not offered a list that would always fail.
    async fn list(
        &self,
        call: Call<ReadTodos>,
        cursor: Option<&str>,
    ) -> Result<ResourcePage, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let cursor = cursor.map(CursorText::try_from).transpose();
        let cursor = cursor.map_err(|error| Failure::invalid_argument("cursor", error))?;
        let cursor = cursor.map(|CursorText(cursor)| cursor);
        let changes = self.0.remembers_changes().then(changes_resource);
        let lists = [list_resource(), today_resource()].into_iter().chain(changes);
        let lists = cursor.is_none().then_some(lists);
        let page = self.0.list(&principal, &Selection::OPEN, PageSize::default(), cursor).await;
        let page = page.map_err(IntoFailure::into_failure)?;
        call.affects(|| shown(page.todos.iter().map(Todo::id)));
        let lists = lists.into_iter().flatten();
        let resources = lists.chain(page.todos.iter().map(todo_resource)).collect();
        Ok(ResourcePage { resources, next_cursor: page.next.map(cursor::encode) })
    }

    async fn read(&self, call: Call<ReadTodos>, uri: &str) -> Result<ResourceContents, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        match ResourceUri::parse(uri) {
            Some(ResourceUri::Todos) => open_todos(&self.0, &call).await,
            Some(ResourceUri::Today) => due_today(&self.0, &call).await,
            Some(ResourceUri::Changes) => changes_of_today(&self.0, &call).await,
            Some(ResourceUri::Todo(id)) => {
                let todo = self.0.get(&principal, id).await;
                let todo = todo.map_err(|error| error.about(&id.to_string()))?;
                call.affects(|| shown([id]));
                Ok(contents(&ResourceUri::Todo(id), to_json_line(&OneTodo::from(todo))))
            }
            Some(ResourceUri::Label(label)) => {
                let selection = Selection { label: Some(label.key()), ..Selection::OPEN };
                list(&self.0, &call, &selection, &ResourceUri::Label(label)).await
            }
            None => Err(not_found(uri)),
        }
    }

    async fn complete(
        &self,
        call: Call<ReadTodos>,
        uri_template: &str,
        _variable: &str,
        typed: &str,
    ) -> Result<Completion, Failure> {
        if uri_template == LABEL_TEMPLATE {
            let principal = CallerPrincipal::try_from(call.caller())?;
            let labels = self.0.suggest_labels(&principal, typed, Completion::MAX_VALUES).await;
            let labels = labels.map_err(IntoFailure::into_failure)?;
            return Ok(Completion::new(labels.labels.iter().map(Label::to_string), labels.more));
        }
        complete(&self.0, &call, typed, |todo| todo.id().to_string()).await
    }

    fn canonical_uri(&self, uri: &str) -> Option<String> {
        ResourceUri::parse(uri).map(|uri| uri.reported())
    }

    fn watch(&self, call: Call<ReadTodos>) -> Result<Box<dyn ResourceChanges>, Failure> {
        let principal = CallerPrincipal::try_from(call.caller())?;
        let watch = self.0.watch(&principal).map_err(IntoFailure::into_failure)?;
        Ok(Box::new(TodoChanges(watch)))
    }
}

/// Changes of todos as changes of their resources: each is one of the lists, too.
struct TodoChanges(Watch);

#[async_trait]
impl ResourceChanges for TodoChanges {
    async fn next(&mut self) -> Option<ResourcesChanged> {
        Some(match self.0.next().await? {
            Changed::Any => ResourcesChanged::Any,
            Changed::Todos(ids) => {
                let todos = ids.into_iter().map(|id| ResourceUri::Todo(id).reported());
                ResourcesChanged::Uris(ResourceUri::of_lists().into_iter().chain(todos).collect())
            }
        })
    }
}

fn list_resource() -> Resource {
    Resource::new(ResourceUri::Todos.to_string(), "todos", "Open todos", JSON)
        .with_description("Everything that is still to be done, oldest first.")
}

fn today_resource() -> Resource {
    Resource::new(ResourceUri::Today.to_string(), "today", "Due today", JSON)
        .with_description("What is due today or overdue, earliest first.")
}

fn changes_resource() -> Resource {
    Resource::new(ResourceUri::Changes.to_string(), "changes", "Today's changes", JSON)
        .with_description("What was changed today, by whom and through which agent, oldest first.")
}

fn todo_resource(todo: &Todo) -> Resource {
    let title = todo.title().as_str();
    let annotations = Annotations::default().with_last_modified(todo.updated_at().to_string());
    Resource::new(ResourceUri::Todo(todo.id()).to_string(), title, title, JSON)
        .with_annotations(annotations)
}

/// The resource of the open todos. A list longer than one page shows that page and where to go on with
/// `list_todos`.
pub(crate) async fn open_todos(
    todos: &Todos,
    call: &Call<ReadTodos>,
) -> Result<ResourceContents, Failure> {
    list(todos, call, &Selection::OPEN, &ResourceUri::Todos).await
}

/// The resource of what is due today and of what is overdue, in the zone of the caller.
pub(crate) async fn due_today(
    todos: &Todos,
    call: &Call<ReadTodos>,
) -> Result<ResourceContents, Failure> {
    let today = Selection {
        due: Some(DueFilter::Today),
        sort: Sort::By(Order::Due),
        ..Selection::default()
    };
    list(todos, call, &today, &ResourceUri::Today).await
}

/// The resource of what was changed today in the zone of the caller, or within a day if that is not known.
pub(crate) async fn changes_of_today(
    todos: &Todos,
    call: &Call<ReadTodos>,
) -> Result<ResourceContents, Failure> {
    let principal = CallerPrincipal::try_from(call.caller())?;
    let (all, size) = (ChangeSelection::default(), history_page(HistoryPageSize::LARGEST));
    let page = todos.list_changes(&principal, all, size, Since::Today).await;
    let page = page.map_err(IntoFailure::into_failure)?;
    call.affects(|| shown_by(&page));
    Ok(contents(&ResourceUri::Changes, to_json_line(&ChangeList::from(page))))
}

/// A list as a resource: its first page.
async fn list(
    todos: &Todos,
    call: &Call<ReadTodos>,
    selection: &Selection,
    uri: &ResourceUri,
) -> Result<ResourceContents, Failure> {
    let principal = CallerPrincipal::try_from(call.caller())?;
    let page = todos.list(&principal, selection, Detail::Full.page(PageSize::LARGEST), None).await;
    let page = page.map_err(IntoFailure::into_failure)?;
    call.affects(|| shown(page.todos.iter().map(Todo::id)));
    Ok(contents(uri, to_json_line(&TodoList::from(page))))
}

fn contents(uri: &ResourceUri, text: serde_json::Result<String>) -> ResourceContents {
    // Strings and numbers in memory can always be written.
    let text = text.unwrap_or_default();
    ResourceContents { uri: uri.to_string(), mime_type: JSON, text, meta: None }
}

/// The caller's open todos whose title fits what was typed, each as `write` writes it.
pub(crate) async fn complete(
    todos: &Todos,
    call: &Call<ReadTodos>,
    typed: &str,
    write: fn(&Todo) -> String,
) -> Result<Completion, Failure> {
    let principal = CallerPrincipal::try_from(call.caller())?;
    let prefix = Prefix::from(typed);
    let suggestions = todos.suggest(&principal, &prefix, Completion::MAX_VALUES).await;
    let suggestions = suggestions.map_err(IntoFailure::into_failure)?;
    call.affects(|| shown(suggestions.todos.iter().map(Todo::id)));
    let completion = Completion::new(suggestions.todos.iter().map(write), suggestions.more);
    Ok(completion.with_bytes_looked_at(suggestions.bytes))
}
