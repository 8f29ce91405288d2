//! Icons: each is the image that it is listed as, embedded as a `data:` URI, so that a client needs no
//! second request. A tool need not have one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use todo_tests::server::TestServer;

/// Every icon that is listed, of the server first.
async fn icons(server: &TestServer) -> Vec<Value> {
    let discovered = server.owner().modern("server/discover", json!({})).await.result();
    let icons = &discovered["_meta"]["io.modelcontextprotocol/serverInfo"]["icons"];
    let list = server.owner().modern("tools/list", json!({})).await.result();
    let tools = list["tools"].as_array().unwrap().iter();
    let of_tools = tools.flat_map(|tool| tool["icons"].as_array().cloned().unwrap_or_default());
    icons.as_array().unwrap().iter().cloned().chain(of_tools).collect()
}

/// The image of an icon.
fn image(icon: &Value) -> Vec<u8> {
    let prefix = format!("data:{};base64,", icon["mimeType"].as_str().unwrap());
    let encoded = icon["src"].as_str().unwrap().strip_prefix(&prefix).unwrap();
    STANDARD.decode(encoded).unwrap()
}

/// Width and height, if these are the bytes of a PNG: its signature, then its first chunk.
fn size_of_png(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..16], b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test]
async fn every_icon_is_the_small_image_that_it_is_listed_as() {
    let server = TestServer::start().await;
    for icon in icons(&server).await {
        let image = image(&icon);
        assert!(image.len() < 2048, "{icon}");
        match icon["mimeType"].as_str().unwrap() {
            "image/png" => {
                let (width, height) = size_of_png(&image);
                assert_eq!(icon["sizes"], json!([format!("{width}x{height}")]));
            }
            "image/svg+xml" => {
                assert_eq!(icon["sizes"], json!(["any"]));
                let drawing = String::from_utf8(image).unwrap();
                assert!(drawing.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
                assert!(!drawing.contains("script") && !drawing.contains("href"), "{drawing}");
            }
            other => panic!("a format that clients may not know: {other}"),
        }
    }
}

#[tokio::test]
async fn the_server_has_a_png_of_96_pixels_and_an_svg() {
    let server = TestServer::start().await;
    let icons = icons(&server).await;
    assert_eq!(size_of_png(&image(&icons[0])), (96, 96));
    assert_eq!(icons[1]["mimeType"], "image/svg+xml");
}
