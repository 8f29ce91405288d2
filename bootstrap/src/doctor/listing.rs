//! `todo-mcp doctor --listing`: the deployment at the public URL, as the directories of assistants look at it.

use protected_mcp::PublicUrl;
use todo_application::ports::Clock;
use url::Url;

use super::checks::listing::pages::{Page, pages};
use super::checks::listing::{address, by_hand, documents, login, pages as page, tools};
use super::checks::token;
use super::finding::Finding;
use crate::compose::OPENAI_CHALLENGE;
use crate::config::Config;
use crate::http::{Answer, Http, Unreachable};

/// The findings, in groups that are printed together. `unverified_token` is sent to the server only.
pub(super) async fn examine(
    config: &Config,
    url: Option<&PublicUrl>,
    unverified_token: Option<&str>,
    clock: &dyn Clock,
) -> [Vec<Finding>; 4] {
    let Some(url) = url else {
        return [vec![address::unknown()], Vec::new(), Vec::new(), by_hand::notes().into()];
    };
    let metadata = fetch(Url::parse(&url.resource_metadata()).ok(), clock).await;
    let (metadata, document) = documents::metadata(url, &metadata);
    let mut deployment = vec![address::check(url), metadata];
    let mut listed = Vec::new();
    if let Some(document) = &document {
        deployment.push(login::check(&fetch(login::metadata_url(document), clock).await));
        deployment.push(challenge(config, url, clock).await);
        listed = list_tools(url, unverified_token, clock).await;
    }
    deployment.push(login::missing_scope(config.scope_denial));

    let [privacy, terms, support] = pages(&config.links);
    let check = async |page: Page<'_>| {
        let answer = match page.url {
            Some(url) => Some(fetch_page(url, clock).await),
            None => None,
        };
        page::check(&page, answer.as_ref(), document.as_ref())
    };
    let pages = tokio::join!(check(privacy), check(terms), check(support));
    [deployment, vec![pages.0, pages.1, pages.2], listed, by_hand::notes().into()]
}

async fn challenge(config: &Config, url: &PublicUrl, clock: &dyn Clock) -> Finding {
    let token = config.openai_challenge.as_deref();
    let answer = match token {
        Some(_) => {
            let place = format!("{}/.well-known/{OPENAI_CHALLENGE}", url.origin());
            Some(fetch(Url::parse(&place).ok(), clock).await)
        }
        None => None,
    };
    documents::challenge(token, answer.as_ref())
}

async fn list_tools(
    url: &PublicUrl,
    unverified_token: Option<&str>,
    clock: &dyn Clock,
) -> Vec<Finding> {
    const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let Some(token) = unverified_token else { return vec![tools::without_token()] };
    if !url.is_https() && !url.is_loopback() {
        return vec![tools::without_https()];
    }
    let endpoint = url.resource();
    let answer = match Url::parse(&endpoint).map(|url| (Http::towards(&url, clock), url)) {
        Ok((Ok(http), url)) => http.post_bearing(&url, LIST.to_owned(), token::bare(token)).await,
        Ok((Err(reason), _)) => Err(reason),
        Err(_) => Err(not_a_url()),
    };
    tools::check(&answer)
}

async fn fetch(url: Option<Url>, clock: &dyn Clock) -> Result<Answer, Unreachable> {
    let url = url.ok_or_else(not_a_url)?;
    Http::towards(&url, clock)?.get(&url).await
}

async fn fetch_page(url: &Url, clock: &dyn Clock) -> Result<Answer, Unreachable> {
    Http::towards(url, clock)?.get_page(url).await
}

fn not_a_url() -> Unreachable {
    Unreachable::Other("not a URL".to_owned())
}
