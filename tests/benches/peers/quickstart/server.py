"""The server of Scalekit's FastMCP quickstart, which todo-mcp grew out of.

Source: https://docs.scalekit.com/authenticate/mcp/fastmcp-quickstart

The tools, the store and the token check are as they are there. Two things are not: FastMCP 4 takes
`stateless_http` where the server is run, and `log_level` keeps it from writing a line per request.
"""

import os
import uuid
from dataclasses import dataclass, asdict
from typing import Optional

from dotenv import load_dotenv
from fastmcp import FastMCP
from fastmcp.server.auth.providers.scalekit import ScalekitProvider
from fastmcp.server.dependencies import AccessToken, get_access_token

load_dotenv()

# Use case: Configure FastMCP server with OAuth protection
# Security: Scalekit provider validates every request's Bearer token
mcp = FastMCP(
    "Todo Server",
    auth=ScalekitProvider(
        environment_url=os.getenv("SCALEKIT_ENVIRONMENT_URL"),
        client_id=os.getenv("SCALEKIT_CLIENT_ID"),
        resource_id=os.getenv("SCALEKIT_RESOURCE_ID"),
        # FastMCP appends /mcp automatically; keep base URL with trailing slash only
        mcp_url=os.getenv("MCP_URL"),
    ),
)


@dataclass
class TodoItem:
    id: str
    title: str
    description: Optional[str]
    completed: bool = False

    def to_dict(self) -> dict:
        return asdict(self)


# Use case: In-memory storage for demo purposes
# Production: Replace with your database or persistent storage
_TODO_STORE: dict[str, TodoItem] = {}


def _require_scope(scope: str) -> Optional[str]:
    """
    Security: Validate that the current request's token includes the required scope.
    This prevents unauthorized access to protected operations.
    """
    token: AccessToken = get_access_token()
    if scope not in token.scopes:
        return f"Insufficient permissions: `{scope}` scope required."
    return None


@mcp.tool
def create_todo(title: str, description: Optional[str] = None) -> dict:
    """
    Use case: Create a new todo item for task tracking
    Requires: todo:write scope
    """
    error = _require_scope("todo:write")
    if error:
        return {"error": error}

    todo = TodoItem(id=str(uuid.uuid4()), title=title, description=description)
    _TODO_STORE[todo.id] = todo
    return {"todo": todo.to_dict()}


@mcp.tool
def list_todos(completed: Optional[bool] = None) -> dict:
    """
    Use case: Retrieve all todos, optionally filtered by completion status
    Requires: todo:read scope
    """
    error = _require_scope("todo:read")
    if error:
        return {"error": error}

    todos = [
        todo.to_dict()
        for todo in _TODO_STORE.values()
        if completed is None or todo.completed == completed
    ]
    return {"todos": todos}


@mcp.tool
def get_todo(todo_id: str) -> dict:
    """
    Use case: Retrieve a specific todo by ID
    Requires: todo:read scope
    """
    error = _require_scope("todo:read")
    if error:
        return {"error": error}

    todo = _TODO_STORE.get(todo_id)
    if todo is None:
        return {"error": f"Todo `{todo_id}` not found."}

    return {"todo": todo.to_dict()}


@mcp.tool
def update_todo(
    todo_id: str,
    title: Optional[str] = None,
    description: Optional[str] = None,
    completed: Optional[bool] = None,
) -> dict:
    """
    Use case: Update existing todo properties or mark as complete
    Requires: todo:write scope
    """
    error = _require_scope("todo:write")
    if error:
        return {"error": error}

    todo = _TODO_STORE.get(todo_id)
    if todo is None:
        return {"error": f"Todo `{todo_id}` not found."}

    if title is not None:
        todo.title = title
    if description is not None:
        todo.description = description
    if completed is not None:
        todo.completed = completed

    return {"todo": todo.to_dict()}


@mcp.tool
def delete_todo(todo_id: str) -> dict:
    """
    Use case: Remove a todo from the system
    Requires: todo:write scope
    """
    error = _require_scope("todo:write")
    if error:
        return {"error": error}

    todo = _TODO_STORE.pop(todo_id, None)
    if todo is None:
        return {"error": f"Todo `{todo_id}` not found."}

    return {"deleted": todo_id}


if __name__ == "__main__":
    # Start HTTP transport server
    mcp.run(
        transport="http",
        port=int(os.getenv("PORT", "3002")),
        stateless_http=True,
        log_level="warning",
    )
