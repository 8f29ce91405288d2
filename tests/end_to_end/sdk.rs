//! The client of the official Rust SDK, given only a URL.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientConfig, GetPromptRequestParams,
    ReadResourceRequestParams, SubscriptionFilter,
};
use rmcp::service::{ClientInitializeError, RunningService, ServiceError, Subscription};
use rmcp::transport::auth::{
    AuthClient, AuthorizationManager, AuthorizationRequest, OAuthHttpClient, OAuthHttpClientFuture,
    OAuthHttpRequest, OAuthState,
};
use rmcp::transport::streamable_http_client::{
    StreamableHttpClientTransport, StreamableHttpClientTransportConfig,
};
use rmcp::{ClientLifecycleMode, ClientServiceExt as _, RoleClient};
use serde_json::{Map, Value};
use url::Url;

/// The name on the consent page.
pub(crate) const NAME: &str = "Test & Sons";

const REDIRECT_URI: &str = "http://localhost:8765/callback";

/// An application that knows only the URL of an MCP server.
pub(crate) struct Application {
    endpoint: String,
    oauth: OAuthState,
    asked: Arc<Mutex<Vec<String>>>,
}

/// The tokens of a login.
pub(crate) struct Tokens {
    pub(crate) client_id: String,
    pub(crate) access: String,
    /// Only where `offline_access` was granted.
    pub(crate) refresh: Option<String>,
    pub(crate) scope: String,
}

impl Application {
    pub(crate) async fn new(endpoint: &str) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let http = Recording { http: http(), asked: Arc::clone(&asked) };
        let oauth = OAuthState::new_with_oauth_http_client(endpoint, Arc::new(http)).await.unwrap();
        Self { endpoint: endpoint.to_owned(), oauth, asked }
    }

    /// Connects without a token, and follows the challenge to the address that a user has to open
    /// in a browser.
    pub(crate) async fn log_in(&mut self) -> String {
        let manager = AuthorizationManager::new(self.endpoint.as_str()).await.unwrap();
        let refused = connect(&self.endpoint, manager, ClientLifecycleMode::Initialize).await;
        let Err(refused) = refused else { panic!("a server that wants no token") };
        let challenge = refused.auth_challenge().expect("a challenge");
        let request = AuthorizationRequest::new(REDIRECT_URI)
            .with_client_name(NAME)
            .with_challenge(challenge);
        self.oauth.start_authorization(request).await.unwrap();
        self.oauth.get_authorization_url().await.unwrap()
    }

    /// Requests another scope in addition to the granted ones: the address to open in a browser.
    pub(crate) async fn step_up(&mut self, scope: &str) -> String {
        self.oauth.request_scope_upgrade(scope, REDIRECT_URI).await.unwrap()
    }

    /// Handles the redirect to this address.
    pub(crate) async fn come_back(&mut self, callback: &str) -> Tokens {
        assert!(callback.starts_with(REDIRECT_URI), "{callback}");
        let parameters: BTreeMap<String, String> =
            Url::parse(callback).unwrap().query_pairs().into_owned().collect();
        for name in ["code", "state", "iss"] {
            assert!(parameters.contains_key(name), "{callback}");
        }
        self.oauth.handle_callback_url(callback).await.unwrap();
        self.tokens().await
    }

    /// Exchanges the refresh token.
    pub(crate) async fn refresh(&self) -> Tokens {
        self.oauth.refresh_token().await.unwrap();
        self.tokens().await
    }

    pub(crate) async fn tokens(&self) -> Tokens {
        let (client_id, answer) = self.oauth.get_credentials().await.unwrap();
        let answer = serde_json::to_value(answer).unwrap();
        let text = |field: &str| answer[field].as_str().expect(field).to_owned();
        Tokens {
            client_id,
            access: text("access_token"),
            refresh: answer["refresh_token"].as_str().map(str::to_owned),
            scope: text("scope"),
        }
    }

    /// The requests sent so far for its login, in order: methods and paths.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// Connects with its tokens.
    pub(crate) async fn connect(self, era: ClientLifecycleMode) -> Connection {
        let manager = self.oauth.into_authorization_manager().expect("a login");
        Connection(connect(&self.endpoint, manager, era).await.unwrap())
    }
}

/// An authorized connection.
pub(crate) struct Connection(RunningService<RoleClient, ClientConfig>);

impl Connection {
    /// The names of the tools.
    pub(crate) async fn tools(&self) -> Vec<String> {
        let tools = self.0.list_all_tools().await.unwrap();
        tools.into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    /// Calls a tool.
    pub(crate) async fn call(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<CallToolResult, ServiceError> {
        let params = CallToolRequestParams::new(tool).with_arguments(object(arguments));
        self.0.call_tool(params).await
    }

    /// Calls a tool that succeeds, and returns the structured content.
    pub(crate) async fn content(&self, tool: &'static str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await.unwrap();
        assert_ne!(result.is_error, Some(true), "{result:?}");
        result.structured_content.unwrap()
    }

    /// The URIs of the resources, with their titles.
    pub(crate) async fn resources(&self) -> Vec<(String, String)> {
        let resources = self.0.list_all_resources().await.unwrap();
        resources.into_iter().map(|it| (it.uri, it.title.expect("a title"))).collect()
    }

    /// The templates of resources.
    pub(crate) async fn templates(&self) -> Vec<String> {
        let templates = self.0.list_all_resource_templates().await.unwrap();
        templates.into_iter().map(|template| template.uri_template).collect()
    }

    /// Reads a resource, and returns its JSON.
    pub(crate) async fn read(&self, uri: &str) -> Result<Value, ServiceError> {
        let result = self.0.read_resource(ReadResourceRequestParams::new(uri)).await?;
        let [contents] = &result.contents[..] else { panic!("{result:?}") };
        let contents = serde_json::to_value(contents).unwrap();
        assert_eq!(contents["uri"], uri);
        Ok(embedded(&contents))
    }

    /// The names of the prompts.
    pub(crate) async fn prompts(&self) -> Vec<String> {
        let prompts = self.0.list_all_prompts().await.unwrap();
        prompts.into_iter().map(|prompt| prompt.name).collect()
    }

    /// Gets a prompt: its text, and the JSON of the resource in it.
    pub(crate) async fn start(
        &self,
        prompt: &str,
        arguments: Value,
    ) -> Result<(String, Value), ServiceError> {
        let params = GetPromptRequestParams::new(prompt).with_arguments(object(arguments));
        let messages = self.0.get_prompt(params).await?.messages;
        let [said, shown] = &messages[..] else { panic!("{messages:?}") };
        let shown = serde_json::to_value(&shown.content).unwrap();
        Ok((said.content.as_text().expect("a text").text.clone(), embedded(&shown["resource"])))
    }

    /// The completions of a variable of a template.
    pub(crate) async fn complete(&self, template: &str, name: &str, typed: &str) -> Vec<String> {
        self.0.complete_resource_simple(template, name, typed).await.unwrap()
    }

    /// The completions of an argument of a prompt.
    pub(crate) async fn fill_in(&self, prompt: &str, name: &str, typed: &str) -> Vec<String> {
        self.0.complete_prompt_simple(prompt, name, typed).await.unwrap()
    }

    /// Listens for changes.
    pub(crate) async fn listen(&self, filter: SubscriptionFilter) -> Subscription {
        self.0.listen(filter).await.unwrap()
    }

    pub(crate) async fn close(self) {
        self.0.cancel().await.unwrap();
    }
}

fn object(arguments: Value) -> Map<String, Value> {
    let Value::Object(arguments) = arguments else { panic!("{arguments}") };
    arguments
}

/// The JSON in a resource.
fn embedded(contents: &Value) -> Value {
    assert_eq!(contents["mimeType"], "application/json", "{contents}");
    serde_json::from_str(contents["text"].as_str().unwrap()).unwrap()
}

async fn connect(
    endpoint: &str,
    manager: AuthorizationManager,
    era: ClientLifecycleMode,
) -> Result<RunningService<RoleClient, ClientConfig>, ClientInitializeError> {
    let transport = StreamableHttpClientTransport::with_client(
        AuthClient::new(http(), manager),
        StreamableHttpClientTransportConfig::with_uri(endpoint),
    );
    ClientConfig::default().serve_with_lifecycle(transport, era).await
}

fn http() -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    client.timeout(std::time::Duration::from_secs(20)).build().unwrap()
}

/// The HTTP client of the SDK's OAuth, which records requests.
struct Recording {
    http: reqwest::Client,
    asked: Arc<Mutex<Vec<String>>>,
}

impl OAuthHttpClient for Recording {
    fn execute(&self, request: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request.request)?;
            let asked = format!("{} {}", request.method(), request.url().path());
            self.asked.lock().unwrap().push(asked);
            let response = self.http.execute(request).await?;
            let mut answer = axum::http::Response::new(Vec::new());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = response.headers().clone();
            *answer.body_mut() = response.bytes().await?.into();
            Ok(answer)
        })
    }
}
