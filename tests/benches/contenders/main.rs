//! Whether the contenders do what they are measured at: `cargo bench -p todo-tests --bench contenders`.
//!
//! Each is asked, in both eras, to add todos, to return one, and to list 50.
#![expect(clippy::print_stdout, reason = "a line for each is what this is for")]
#![expect(clippy::unwrap_used, reason = "a check that cannot go on says so at once")]

#[path = "mod.rs"]
mod contenders;

use std::process::ExitCode;

use contenders::quickstart::{self, Quickstart};
use contenders::rmcp::{self, Form};
use serde_json::{Value, json};
use todo_tests::client::Client;
use tokio::net::TcpListener;
use tokio::process::Command;

const TODOS: usize = 50;

/// Calls a tool without any request before it, in the old era or the new one.
async fn call(client: &Client, modern: bool, tool: &str, arguments: Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments });
    let answer = if modern {
        client.modern("tools/call", params).await
    } else {
        client.legacy("tools/call", params).await
    };
    answer.structured()
}

async fn check(name: &str, version: &str, endpoint: String, token: Option<String>) {
    let client = Client::new(endpoint, token);
    let mut created = Value::Null;
    for number in 0..TODOS {
        let modern = number % 2 == 0;
        created = call(&client, modern, "create_todo", json!({ "title": "Buy milk" })).await;
    }
    for modern in [false, true] {
        let todo_id = created["todo"]["id"].as_str().unwrap();
        let found = call(&client, modern, "get_todo", json!({ "todo_id": todo_id })).await;
        assert_eq!(found, created);
        let list = call(&client, modern, "list_todos", json!({})).await;
        assert_eq!(list["todos"].as_array().unwrap().len(), TODOS);
        assert_eq!(list["todos"][TODOS - 1], created["todo"]);
    }
    println!("{name} ({version}): creates, gets and lists {TODOS} in both eras");
}

#[tokio::main]
async fn main() -> ExitCode {
    for (name, form) in [("rmcp, macros", Form::Macros), ("rmcp, by hand", Form::ByHand)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/mcp", listener.local_addr().unwrap());
        let server = tokio::spawn(rmcp::serve(listener, form));
        check(name, rmcp::version(), endpoint, None).await;
        server.abort();
    }
    match check_quickstart().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            println!("the quickstart: {reason}");
            ExitCode::FAILURE
        }
    }
}

async fn check_quickstart() -> Result<(), String> {
    let quickstart = Quickstart::prepare().await?;
    let address = quickstart::free_address().unwrap();
    let mut command = Command::from(quickstart.command(address));
    let mut server = command.kill_on_drop(true).spawn().unwrap();
    let has_ended = || server.try_wait().is_ok_and(|status| status.is_some());
    quickstart::until_it_answers(address, has_ended).await?;
    let endpoint = format!("http://{address}/mcp");
    check("the quickstart", &quickstart::version(), endpoint, Some(quickstart.token)).await;
    Ok(())
}
