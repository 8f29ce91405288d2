use protected_mcp::scopes;
use todo_application::domain::Permission;

scopes!(
    pub(crate) ReadTodos = Permission::Read.scope(),
    pub(crate) WriteTodos = Permission::Write.scope(),
);
