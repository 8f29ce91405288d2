//! The form that the documentation of `rmcp` teaches.

use rmcp::handler::server::router::tool::ToolRouter;
use rmcp::handler::server::wrapper::Parameters;
use rmcp::{Json, ServerHandler, tool, tool_handler, tool_router};

use super::store::{
    CreateTodo, DeleteTodo, Deleted, GetTodo, ListTodos, OneTodo, Store, TodoList, UpdateTodo,
};

pub(crate) struct WithMacros {
    store: Store,
    // Built once. By default, the macros build it for every request.
    tool_router: ToolRouter<Self>,
}

impl Default for WithMacros {
    fn default() -> Self {
        Self { store: Store::default(), tool_router: Self::tool_router() }
    }
}

#[tool_router]
impl WithMacros {
    /// Lists the todos, oldest first, a page at a time.
    #[tool]
    fn list_todos(
        &self,
        Parameters(arguments): Parameters<ListTodos>,
    ) -> Result<Json<TodoList>, String> {
        self.store.list(&arguments).map(Json)
    }

    /// Returns a todo.
    #[tool]
    fn get_todo(
        &self,
        Parameters(arguments): Parameters<GetTodo>,
    ) -> Result<Json<OneTodo>, String> {
        self.store.get(&arguments).map(Json)
    }

    /// Adds an open todo and returns it with its id.
    #[tool]
    fn create_todo(&self, Parameters(arguments): Parameters<CreateTodo>) -> Json<OneTodo> {
        Json(self.store.create(arguments))
    }

    /// Changes a todo and returns the new state.
    #[tool]
    fn update_todo(
        &self,
        Parameters(arguments): Parameters<UpdateTodo>,
    ) -> Result<Json<OneTodo>, String> {
        self.store.update(arguments).map(Json)
    }

    /// Deletes a todo.
    #[tool]
    fn delete_todo(
        &self,
        Parameters(arguments): Parameters<DeleteTodo>,
    ) -> Result<Json<Deleted>, String> {
        self.store.delete(arguments).map(Json)
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for WithMacros {}
