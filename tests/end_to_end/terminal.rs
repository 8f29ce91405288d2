//! What a person sees who starts the program in a terminal.

use crate::installation::Installation;

#[tokio::test]
async fn it_says_where_everything_is_and_what_to_do_next() {
    let installation =
        Installation::without_settings().with("PORT", "0").with("EMULATOR_PORT", "0");
    let mut program = installation.spawn(&[]);
    let printed = program.printed("Ctrl-C stops the server.").await;

    let (_, rest) = printed.split_once("MCP endpoint  ").unwrap();
    let endpoint = rest.lines().next().unwrap();
    assert!(endpoint.starts_with("http://localhost:") && endpoint.ends_with("/mcp"), "{endpoint}");
    let next = format!("claude mcp add --transport http todo {endpoint}");
    for said in [&next, "local, for development", "one list for each user", "todos.db"] {
        assert!(printed.contains(said), "{said} in {printed}");
    }
}
