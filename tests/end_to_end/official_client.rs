//! The client of the official Rust SDK, from a URL to everything that is served.

use rmcp::ClientLifecycleMode;
use rmcp::model::{ErrorCode, ProtocolVersion, SubscriptionFilter};
#[cfg(unix)]
use rmcp::service::SubscriptionEnd;
use rmcp::service::{ServiceError, Subscription};
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::installation::Installation;
use crate::sdk::{Application, Connection};
use crate::server::Server;

const TODOS: &str = "todo://todos";
const TODAY: &str = "todo://today";
const CHANGES: &str = "todo://changes";
const TEMPLATE: &str = "todo://todos/{id}";

#[tokio::test]
async fn a_client_discovers_everything_from_the_url() {
    let server = server().await;
    let mut application = Application::new(&server.endpoint).await;
    let callback = Browser::new().pass(&application.log_in().await).await;
    let tokens = application.come_back(&callback).await;

    let resource = server.issuer.rsplit('/').next().unwrap();
    let asked = [
        "GET /.well-known/oauth-protected-resource/mcp".to_owned(),
        format!("GET /.well-known/oauth-authorization-server/resources/{resource}"),
        format!("POST /api/v1/resources/{resource}/clients:register"),
        format!("POST /resources/{resource}/oauth/token"),
    ];
    assert_eq!(application.asked(), asked);
    // The SDK also requests `offline_access` where the authorization server offers it.
    assert_eq!(tokens.scope, "todo:read todo:write offline_access");
}

/// The SDK rejects a document whose `resource` is not the URL that it was given.
#[tokio::test]
async fn a_client_logs_in_through_the_address_of_this_machine_too() {
    let server = server().await;
    let endpoint = server.endpoint.replace("localhost", "127.0.0.1");
    let mut application = Application::new(&endpoint).await;
    let callback = Browser::new().pass(&application.log_in().await).await;
    application.come_back(&callback).await;
    let client = application.connect(either_era()).await;
    client.content("create_todo", json!({ "title": "Buy milk" })).await;
    client.close().await;
}

#[tokio::test]
async fn a_client_of_the_old_era_uses_the_tools() {
    Box::pin(uses_the_tools(old_era())).await;
}

#[tokio::test]
async fn a_client_of_the_new_era_uses_the_tools() {
    Box::pin(uses_the_tools(new_era())).await;
}

#[tokio::test]
async fn a_client_that_negotiates_the_era_uses_the_tools() {
    Box::pin(uses_the_tools(either_era())).await;
}

#[tokio::test]
async fn a_client_reads_the_resources_and_gets_the_not_found_error_of_its_era() {
    let server = server().await;
    for (era, not_found) in [
        (old_era(), ErrorCode::RESOURCE_NOT_FOUND),
        (new_era(), ErrorCode::INVALID_PARAMS),
        (either_era(), ErrorCode::INVALID_PARAMS),
    ] {
        let client = logged_in(&server, era).await;
        let todo = create(&client).await;
        let id = todo["id"].as_str().unwrap();
        assert_eq!(client.templates().await, [TEMPLATE, "todo://labels/{label}"]);
        let uri = TEMPLATE.replace("{id}", id);
        let listed = [
            (TODOS, "Open todos"),
            (TODAY, "Due today"),
            (CHANGES, "Today's changes"),
            (&uri, "Buy milk"),
        ];
        assert_eq!(client.resources().await, listed.map(|(uri, it)| (uri.into(), it.into())));
        assert_eq!(client.read(TODOS).await.unwrap(), json!({ "todos": [todo] }));
        assert_eq!(client.read(&uri).await.unwrap(), json!({ "todo": todo }));

        client.content("delete_todo", json!({ "todo_id": id })).await;
        let Err(ServiceError::McpError(missing)) = client.read(&uri).await else { panic!("{uri}") };
        assert_eq!((missing.code, missing.data), (not_found, Some(json!({ "uri": uri }))));
        client.close().await;
    }
}

#[tokio::test]
async fn a_client_gets_every_prompt_with_its_arguments_and_the_open_todos() {
    let server = server().await;
    let prompts = [
        ("plan_my_day", json!({ "available_time": "2 hours", "focus": "the garden" })),
        ("weekly_review", json!({ "since": "last Monday" })),
        ("break_down_goal", json!({ "goal": "learn to swim", "deadline": "Friday" })),
        ("review_changes", json!({ "since": "yesterday" })),
    ];
    let todo = create(&logged_in(&server, new_era()).await).await;
    for era in [old_era(), new_era(), either_era()] {
        let client = logged_in(&server, era).await;
        assert_eq!(client.prompts().await, prompts.each_ref().map(|(name, _)| *name));
        for (name, arguments) in &prompts {
            let (said, shown) = client.start(name, arguments.clone()).await.unwrap();
            for value in arguments.as_object().unwrap().values() {
                assert!(said.contains(value.as_str().unwrap()), "{name}: {said}");
            }
            if *name == "review_changes" {
                assert_eq!(shown["changes"][0]["todo_id"], todo["id"], "{name}");
            } else {
                assert_eq!(shown, json!({ "todos": [todo] }), "{name}");
            }
        }
        let unfilled = client.start("break_down_goal", json!({})).await;
        let Err(ServiceError::McpError(unfilled)) = unfilled else { panic!("{unfilled:?}") };
        assert_eq!(unfilled.code, ErrorCode::INVALID_PARAMS);
        client.close().await;
    }
}

#[tokio::test]
async fn a_client_completes_ids_by_title_and_arguments_of_prompts() {
    let server = server().await;
    let todo = create(&logged_in(&server, new_era()).await).await;
    for era in [old_era(), new_era(), either_era()] {
        let client = logged_in(&server, era).await;
        assert_eq!(client.complete(TEMPLATE, "id", "buy m").await, [todo["id"].as_str().unwrap()]);
        assert!(client.complete(TEMPLATE, "id", "bread").await.is_empty());
        assert_eq!(client.fill_in("break_down_goal", "goal", "mil").await, ["Buy milk"]);
        assert_eq!(client.fill_in("plan_my_day", "available_time", "ha").await, ["half a day"]);
        client.close().await;
    }
}

#[tokio::test]
async fn a_client_of_the_new_era_is_notified_of_changes_by_another() {
    let server = server().await;
    let listening = logged_in(&server, new_era()).await;
    let writing = logged_in(&server, new_era()).await;
    let mut subscription = listening.listen(everything()).await;
    assert_eq!(subscription.acknowledged(), &everything());
    let both = [
        ("notifications/resources/list_changed".to_owned(), None),
        ("notifications/resources/updated".to_owned(), Some(TODOS.to_owned())),
    ];

    let todo = create(&writing).await;
    assert_eq!(notified(&mut subscription).await, both);
    assert_eq!(listening.read(TODOS).await.unwrap(), json!({ "todos": [todo] }));
    writing.content("delete_todo", json!({ "todo_id": todo["id"] })).await;
    assert_eq!(notified(&mut subscription).await, both);
    assert_eq!(listening.read(TODOS).await.unwrap(), json!({ "todos": [] }));

    subscription.cancel().await.unwrap();
    writing.close().await;
    listening.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_stopping_server_ends_a_subscription_with_its_result() {
    let server = server().await;
    let client = logged_in(&server, new_era()).await;
    let mut subscription = client.listen(everything()).await;
    server.stop().await;
    assert!(subscription.next().await.unwrap().is_none());
    let end = subscription.end();
    assert!(matches!(end, Some(SubscriptionEnd::Graceful(_))), "{end:?}");
}

fn old_era() -> ClientLifecycleMode {
    ClientLifecycleMode::Initialize
}

fn new_era() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
}

/// The new era if the server supports it.
fn either_era() -> ClientLifecycleMode {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    let legacy_version = Some(ProtocolVersion::V_2025_11_25);
    ClientLifecycleMode::Auto { preferred_versions, legacy_version }
}

async fn server() -> Server {
    Installation::new().with("EMULATOR_AUTO_CONSENT", "true").serve().await
}

async fn logged_in(server: &Server, era: ClientLifecycleMode) -> Connection {
    let mut application = Application::new(&server.endpoint).await;
    let callback = Browser::new().pass(&application.log_in().await).await;
    application.come_back(&callback).await;
    application.connect(era).await
}

/// Creates a todo, and returns it.
async fn create(client: &Connection) -> Value {
    client.content("create_todo", json!({ "title": "Buy milk" })).await["todo"].clone()
}

fn everything() -> SubscriptionFilter {
    SubscriptionFilter::builder().resources_list_changed().resource_subscription(TODOS).build()
}

/// The methods of the next two notifications, and their URIs.
async fn notified(subscription: &mut Subscription) -> [(String, Option<String>); 2] {
    [next(subscription).await, next(subscription).await]
}

async fn next(subscription: &mut Subscription) -> (String, Option<String>) {
    let notification = subscription.next().await.unwrap().expect("a notification");
    let notification = serde_json::to_value(notification).unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    (text(&notification["method"]).unwrap(), text(&notification["params"]["uri"]))
}

async fn uses_the_tools(era: ClientLifecycleMode) {
    let server = server().await;
    let client = logged_in(&server, era).await;

    let tools = client.tools().await;
    let first = ["list_todos", "get_todo", "create_todo", "update_todo", "delete_todo"];
    assert_eq!(tools[..first.len()], first);

    let milk = json!({ "title": "Buy milk", "description": "Oat" });
    let created = client.content("create_todo", milk).await["todo"].clone();
    assert_eq!(created["title"], "Buy milk");
    assert_eq!(created["completed"], false);
    let id = created["id"].clone();

    let listed = client.content("list_todos", json!({ "completed": false })).await;
    assert_eq!(listed, json!({ "todos": [created] }));
    let read = client.content("get_todo", json!({ "todo_id": id })).await;
    assert_eq!(read, json!({ "todo": created }));

    let changes = json!({ "todo_id": id, "completed": true, "description": "" });
    let updated = client.content("update_todo", changes).await["todo"].clone();
    assert_eq!(updated["title"], "Buy milk");
    assert_eq!(updated["completed"], true);
    assert_eq!(updated["description"], json!(null));

    let deleted = client.content("delete_todo", json!({ "todo_id": id })).await;
    assert_eq!(deleted, json!({ "deleted": id }));
    assert_eq!(client.content("list_todos", json!({})).await, json!({ "todos": [] }));
    let gone = client.call("get_todo", json!({ "todo_id": id })).await.unwrap();
    assert_eq!(gone.is_error, Some(true));
    assert_eq!(gone.structured_content, None);
    client.close().await;
}
