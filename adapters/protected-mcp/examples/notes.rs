//! An MCP server with two tools of its own: `cargo run -p protected-mcp --example notes`, with an emulated
//! Scalekit; with `-- SERVER_URL ENVIRONMENT_URL RESOURCE_ID` protected by your Scalekit environment.
use protected_mcp::{Call, Failure, Hints, Implementation, Server, Tool, scopes};
use std::{collections::HashMap, env::args, error::Error, future::pending, sync::Arc, sync::Mutex};

scopes!(ReadNotes = "notes:read", WriteNotes = "notes:write"); // Types: no tool compiles without.

/// The schemas of a tool come from its types, and the descriptions in them from the comments.
#[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
struct Text {
    /// One or more lines.
    text: String,
}

type Notes = Arc<Mutex<HashMap<Arc<str>, String>>>; // By subject, which only a verified token gives.

struct GetNotes(Notes);
impl Tool for GetNotes {
    type Scope = ReadNotes;
    type Arguments = HashMap<String, String>;
    type Output = Text;
    const NAME: &'static str = "get_notes";
    const DESCRIPTION: &'static str = "Returns the notes of the user.";
    const HINTS: Hints = Hints::READS;
    async fn call(&self, call: Call<ReadNotes>, _: Self::Arguments) -> Result<Text, Failure> {
        let notes = self.0.lock().map_err(|_| Failure::internal())?;
        Ok(Text { text: notes.get(call.caller().subject()).cloned().unwrap_or_default() })
    }
}

struct AddNote(Notes);
impl Tool for AddNote {
    type Scope = WriteNotes;
    type Arguments = Text;
    type Output = Text;
    const NAME: &'static str = "add_note";
    const DESCRIPTION: &'static str = "Adds a note and returns it.";
    const HINTS: Hints = Hints::ADDS;
    async fn call(&self, call: Call<WriteNotes>, note: Text) -> Result<Text, Failure> {
        let mut notes = self.0.lock().map_err(|_| Failure::internal())?;
        notes.entry(call.caller().subject().clone()).or_default().extend([&note.text, "\n"]);
        Ok(note)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let scopes = ["notes:read", "notes:write"];
    let [url, environment, resource_id] = match args().skip(1).collect::<Vec<_>>().try_into() {
        Ok(given) => given,
        Err(_) => scalekit_emulator::spawn("http://localhost:3002", &scopes).await?,
    };
    let scalekit = scalekit::Scalekit::connect(&environment, &resource_id)?;
    let (about, notes) = (Implementation::new("notes", "Notes", "1.0.0"), Notes::default());
    let builder = Server::builder(about, scalekit.protection(url.parse()?));
    let server = builder.tool(GetNotes(notes.clone())).tool(AddNote(notes)).build()?;
    let listener = tokio::net::TcpListener::bind(url.trim_start_matches("http://")).await?;
    server.serve([listener], pending()).await;
    Ok(())
}
