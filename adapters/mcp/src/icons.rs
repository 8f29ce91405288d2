//! Pictures of the server and of its tools, for clients that show them (MCP `Icon`).
//!
//! They are drawn in `icons/{name}.svg`, and rendered there for clients that know no SVG:
//! `resvg --width 96 {name}.svg {name}.png && oxipng -o max --strip all --alpha {name}.png`.

use std::future::ready;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::Router;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use tower_http::cors::{Any, CorsLayer};

use crate::public_url::PublicUrl;

const PNG: &str = "image/png";
const SVG: &str = "image/svg+xml";

/// Every picture: its file name, its media type, its bytes. That of a tool has the tool's name.
static PICTURES: [Picture; 7] = [
    Picture("todo.png", PNG, include_bytes!("../icons/todo.png")),
    Picture("todo.svg", SVG, include_bytes!("../icons/todo.svg")),
    Picture("list_todos.png", PNG, include_bytes!("../icons/list_todos.png")),
    Picture("get_todo.png", PNG, include_bytes!("../icons/get_todo.png")),
    Picture("create_todo.png", PNG, include_bytes!("../icons/create_todo.png")),
    Picture("update_todo.png", PNG, include_bytes!("../icons/update_todo.png")),
    Picture("delete_todo.png", PNG, include_bytes!("../icons/delete_todo.png")),
];

struct Picture(&'static str, &'static str, &'static [u8]);

/// A picture as a client is told of it (MCP `Icon`). It shows well on light and on dark, so it names
/// no theme.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Icon {
    src: String,
    mime_type: &'static str,
    sizes: [&'static str; 1],
}

/// Where the pictures are, as the world sees them: on our own origin, as clients demand.
#[derive(Debug)]
pub(crate) struct Icons(String);

impl Icons {
    pub(crate) fn new(public_url: &PublicUrl) -> Self {
        Self(format!("{}icons/", public_url.base()))
    }

    /// The icon of the tool with this name.
    pub(crate) fn for_tool(&self, name: &str) -> [Icon; 1] {
        [self.png(name)]
    }

    /// The icon of the server, first in the format that every client knows.
    pub(crate) fn for_server(&self) -> [Icon; 2] {
        let svg = Icon { src: format!("{}todo.svg", self.0), mime_type: SVG, sizes: ["any"] };
        [self.png("todo"), svg]
    }

    fn png(&self, name: &str) -> Icon {
        Icon { src: format!("{}{name}.png", self.0), mime_type: PNG, sizes: ["96x96"] }
    }
}

/// The routes to the pictures. They are for everybody: clients fetch them without credentials, and
/// show them on pages of their own.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let routes = PICTURES.iter().fold(Router::new(), |router, picture| {
        let tag = picture.tag();
        let answer = move |headers: HeaderMap| ready(picture.answer(&headers, &tag));
        router.route(&format!("/icons/{}", picture.0), get(answer))
    });
    routes.layer(CorsLayer::new().allow_origin(Any))
}

impl Picture {
    /// An entity tag that changes with the picture.
    fn tag(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.2.hash(&mut hasher);
        format!("\"{:x}\"", hasher.finish())
    }

    fn answer(&self, request: &HeaderMap, tag: &str) -> Response {
        let &Self(_, media_type, bytes) = self;
        let mut seen = request.get_all(IF_NONE_MATCH).iter().filter_map(|tags| tags.to_str().ok());
        // One of a list, weak or not: for a GET both mean the same (RFC 9110 §13.1.2).
        let mut response = if seen.any(|tags| tags.contains(tag)) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            Response::new(Body::from(bytes))
        };
        let headers = response.headers_mut();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(CONTENT_TYPE, media_type);
        set(CACHE_CONTROL, "public, max-age=86400");
        set(X_CONTENT_TYPE_OPTIONS, "nosniff");
        if media_type == SVG {
            // An SVG is a document; opened on its own it must not be able to do anything.
            set(CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'");
        }
        if let Ok(tag) = tag.parse() {
            headers.insert(ETAG, tag);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn icons_are_below_the_public_url() {
        let icons = Icons::new(&"https://example.com/apps/todo/mcp".parse().unwrap());
        let [tool] = icons.for_tool("get_todo");
        assert_eq!(tool.src, "https://example.com/apps/todo/icons/get_todo.png");
        let server = icons.for_server().map(|icon| icon.src);
        assert_eq!(server[0], "https://example.com/apps/todo/icons/todo.png");
        assert_eq!(server[1], "https://example.com/apps/todo/icons/todo.svg");
    }
}
